//! Our own Disconnect, as a second link reads it

use std::sync::OnceLock;

use devp2p_proto::internal::{self, Frames};
use devp2p_proto::{Action, Buffers, Cause, Config, DisconnectReason, Instant, PeerState, Role};

use super::{LIMITS, config, configs};
use crate::dialogue::decompress;
use crate::input::Input;
use crate::items::{list, uint};
use crate::settings::{Side, key};

/// Ends a link at one of three moments: before it sends its Hello, before it receives a Hello, or after both
pub(super) fn check(input: &mut Input<'_>) {
    let stage = input.byte() % 3;
    let reason = DisconnectReason::from_code(code(input));
    let mut sender = link(&configs()[0], Role::Initiator, Side::Remote);
    let mut receiver = link(other(), Role::Recipient, Side::Link);
    let mut sent = Vec::new();
    if stage > 0 {
        sent.extend(transfer(&mut sender, &mut receiver));
    }
    if stage > 1 {
        transfer(&mut receiver, &mut sender);
    }
    sender.disconnect(Instant::ZERO, reason);
    assert_eq!(sender.cause(), Some(Cause::Local(reason)));
    sent.extend(transfer(&mut sender, &mut receiver));
    assert_eq!(receiver.cause(), Some(Cause::Remote(reason)));
    check_form(&sent, reason, stage > 0);
}

/// The last frame has a list with the reason, which is compressed if our Hello comes before it (EIP-706)
fn check_form(sent: &[u8], reason: DisconnectReason, has_hello: bool) {
    let mut frames = Frames::past_handshake();
    let mut rest = sent;
    if has_hello {
        rest = &rest[frames.open(rest).unwrap().len..];
    }
    let frame = frames.open(rest).unwrap();
    assert_eq!(frame.len, rest.len(), "nothing follows a Disconnect");
    let (id, payload) = frame.body.split_first().unwrap();
    let payload = if has_hello { decompress(payload) } else { payload.to_vec() };
    assert_eq!((*id, payload), (1, list(&uint(reason.code()))));
}

/// A reason that has a name, any byte, or a number of up to 64 bits
fn code(input: &mut Input<'_>) -> u64 {
    match input.byte() {
        byte @ 0..=0x7f => byte.into(),
        0x80..=0xbf => input.byte().into(),
        _ => (0..8).fold(0, |code, _| code << 8 | u64::from(input.byte())) >> (input.byte() % 64),
    }
}

fn other() -> &'static Config {
    static OTHER: OnceLock<Config> = OnceLock::new();
    OTHER.get_or_init(|| config(Side::Remote, LIMITS[0]))
}

fn link(config: &Config, role: Role, remote: Side) -> PeerState<'static> {
    let remote = key(remote).node_id();
    let mut link = internal::past_handshake(Instant::ZERO, config, role, remote, Buffers::growable()).unwrap();
    assert!(matches!(link.poll(), Some(Action::IdentityClaimed(_))));
    link
}

/// Carries the unsent bytes of one link to the other, and returns them
fn transfer(from: &mut PeerState<'_>, to: &mut PeerState<'_>) -> Vec<u8> {
    let mut carried = Vec::new();
    while let Some(action) = from.poll() {
        let Action::Send(bytes) = action else { continue };
        let start = carried.len();
        carried.extend_from_slice(bytes);
        from.sent(Instant::ZERO, carried.len() - start).unwrap();
        let mut rest = &carried[start..];
        while !rest.is_empty() {
            let taken = to.receive(Instant::ZERO, rest);
            rest = &rest[taken..];
            // A link takes no bytes while it has an action to announce, or bytes to send first.
            assert!(taken > 0 || to.poll().is_some());
        }
    }
    carried
}
