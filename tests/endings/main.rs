//! Every way in which a link ends: the cause that each side is told, and the bytes that are sent

mod admission;
mod clock;
mod local;
mod pong;
mod remote;
mod timeouts;
mod transport;
mod violations;
mod waiting;

use std::time::Duration;

use devp2p_proto::{Cause, DisconnectReason as Reason, Instant, Stage, WriteError};
use devp2p_testing::remote::{DISCONNECT, Scene};
use devp2p_testing::{ALPHA, Node, Seen};

const SECOND: Duration = Duration::from_secs(1);

/// The cause in the `Disconnect` of `node`, which must come once and as the last action
fn cause(node: &mut Node<'_>, now: Instant) -> Cause {
    let told = node.seen.iter().filter(|seen| matches!(seen, Seen::Disconnect(_))).count();
    assert_eq!(told, 1, "{:?}", node.seen);
    let Some(Seen::Disconnect(cause)) = node.seen.last().cloned() else {
        panic!("something came after the end: {:?}", node.seen);
    };
    let link = &mut node.link;
    assert_eq!((link.stage(), link.cause()), (Stage::Closed, Some(cause)));
    assert_eq!(link.next_timeout(), None, "nothing is waited for");
    assert_eq!(link.write(now, ALPHA, 0, b"late"), Err(WriteError::Closed));
    assert_eq!(link.receive(now, &[0x5a; 100]), 100, "input is taken and ignored");
    link.handle_timeout(now.checked_add(SECOND * 1000).unwrap());
    assert!(link.poll().is_none());
    cause
}

/// Waits for the end, and returns the cause and the reason that the remote was told
fn parting(scene: &mut Scene<'_>) -> (Cause, Option<Reason>) {
    scene.advance(SECOND * 5);
    let cause = cause(&mut scene.node, scene.now);
    (cause, told(scene))
}

/// The reason in the Disconnect of the link, if it has sent one; no message may follow it
fn told(scene: &Scene<'_>) -> Option<Reason> {
    let mut reasons = scene.received.iter().skip_while(|(id, _)| *id != DISCONNECT);
    let (_, payload) = reasons.next()?;
    assert_eq!(reasons.next(), None, "Disconnect is the last message");
    let code: u64 = rlp::Rlp::new(payload).val_at(0).unwrap();
    Some(Reason::from_code(code))
}
