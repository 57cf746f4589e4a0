//! What must be true at the end of a run
//!
//! | a side says | the other side or the network |
//! |---|---|
//! | `Local`, `ProtocolReturned` | its own application did it |
//! | `Remote` | the other side has ended and tells this reason, and all its messages have come |
//! | `Violation` | a bit was flipped on the way to this side |
//! | `ReceiveClosed` | the other side has ended, or bytes to this side were cut off, or the connection was reset |
//! | `SendFailed` | the connection was reset |
//! | `Timeout` | something is slow or dead, or a clock jumps; in the handshake also a flipped bit |
//!
//! If nothing is slow or damaged, the reason that a side tells must also reach the other side.

use devp2p_proto::{Cause, Timeout};
use devp2p_testing::{ALPHA, BETA};

use super::plan::{Deed, HEALED};
use super::side::{Message, Side};
use super::world::World;

/// What a link keeps at most when it has nothing to do
const KEPT: usize = 4096;

/// Both sides had nothing to do for long
pub fn after_idling(world: &World) {
    for (side, other) in [(0, 1), (1, 0)] {
        let (ours, theirs) = (&world.sides[side], &world.sides[other]);
        if ours.end.is_none() {
            assert!(ours.memory() <= KEPT, "memory is given back: {} bytes", ours.memory());
        }
        if ours.end.is_none() && theirs.end.is_none() && ours.ready && theirs.ready {
            let lossless = world.wires[side].faults.dead.is_none_or(|dead| dead >= HEALED);
            assert!(!lossless || ours.has_written_all(), "a protocol that waits is told that it can write");
            let complete = is_forged(world) || in_order(ours, theirs) == Completeness::All;
            assert!(!lossless || complete, "all messages have come");
        }
        assert!(ours.end.is_some() || theirs.end.is_none(), "one has ended, and the other lives on");
    }
}

/// Both sides have ended
pub fn at_the_end(world: &World) {
    for (side, other) in [(0, 1), (1, 0)] {
        let (ours, theirs) = (&world.sides[side], &world.sides[other]);
        let ((cause, _), (their_cause, _)) = (ours.end.expect("it has ended"), theirs.end.expect("it has ended"));
        assert_eq!(ours.link.next_timeout(), None);
        if is_forged(world) {
            continue;
        }
        let complete = in_order(theirs, ours);
        assert!(explained(world, side, cause, their_cause), "{cause:?} and {their_cause:?} do not fit");
        let severed = ours.told_failed;
        assert!(
            !cause.is_remote() || severed || complete == Completeness::All,
            "what was taken leaves before Disconnect"
        );
        assert!(heard(world, side, cause, their_cause), "{cause:?} was not heard: {their_cause:?}");
    }
}

/// Whether a side may have received data that the other did not send: under `cfg(fuzzing)`, every MAC is accepted
fn is_forged(world: &World) -> bool {
    cfg!(fuzzing) && world.wires.iter().any(|wire| wire.flipped)
}

#[derive(Debug, PartialEq, Eq)]
enum Completeness {
    All,
    Some,
}

/// What arrives is what was written, in order for each protocol
fn in_order(from: &Side, to: &Side) -> Completeness {
    let mut all = Completeness::All;
    for protocol in [ALPHA, BETA] {
        let of = |messages: &[Message]| -> Vec<_> {
            messages.iter().filter(|(of, ..)| *of == protocol).map(|(_, code, arrives)| (*code, *arrives)).collect()
        };
        let (written, arrived) = (of(&from.written), of(&to.delivered));
        assert!(written.starts_with(&arrived), "{protocol}: {} of {}", arrived.len(), written.len());
        if written.len() != arrived.len() {
            all = Completeness::Some;
        }
    }
    all
}

fn explained(world: &World, side: usize, cause: Cause, theirs: Cause) -> bool {
    let ours = &world.sides[side];
    let [from_us, to_us] = [&world.wires[side], &world.wires[1 - side]];
    let did = |is: fn(&Deed) -> bool| ours.habits.deeds.iter().any(|(_, deed)| is(deed));
    let flipped = from_us.flipped || to_us.flipped;
    let dead = world.now > HEALED;
    let late = world.plan.slow || dead || world.plan.jumps[0] || world.plan.jumps[1];
    match cause {
        Cause::Local(_) => did(|deed| matches!(deed, Deed::Disconnect(_))),
        Cause::ProtocolReturned { .. } => did(|deed| matches!(deed, Deed::Returned(_))),
        Cause::Remote(reason) => theirs.sent_reason() == Some(reason),
        Cause::Violation(_) => to_us.flipped,
        Cause::ReceiveClosed => {
            to_us.was_cut || world.sides[1 - side].end.map(|(_, at)| at) <= ours.end.map(|(_, at)| at)
        }
        Cause::SendFailed => world.was_reset,
        Cause::Timeout(Timeout::Handshake) => late || flipped,
        Cause::Timeout(_) => late,
        _ => false,
    }
}

/// Whether the reason that this side tells has reached the other
fn heard(world: &World, side: usize, cause: Cause, theirs: Cause) -> bool {
    let Some(reason) = cause.sent_reason() else { return true };
    let wire = &world.wires[side];
    let back = &world.wires[1 - side];
    let dead = world.now > HEALED;
    let disturbed = wire.flipped || wire.was_cut || back.was_cut || world.was_reset || world.plan.slow || dead;
    let keyless = world.sides[side].link.remote_id().is_none();
    disturbed || keyless || theirs == Cause::Remote(reason) || !matches!(theirs, Cause::ReceiveClosed)
}
