//! Our own Disconnect, as a second link reads it

use std::sync::OnceLock;

use devp2p_proto::{Action, Buffers, Cause, Config, DisconnectReason, Instant, PeerState, Role, internal};

use super::{LIMITS, config, configs};
use crate::input::Input;
use crate::settings::{Side, key};

/// How far the two links are when one of them is told to end
pub(super) fn check(input: &mut Input<'_>) {
    let stage = input.byte() % 3;
    let reason = DisconnectReason::from_code(code(input));
    let mut sender = link(&configs()[0], Role::Initiator, Side::Remote);
    let mut receiver = link(other(), Role::Recipient, Side::Link);
    if stage > 0 {
        transfer(&mut sender, &mut receiver);
    }
    if stage > 1 {
        transfer(&mut receiver, &mut sender);
    }
    sender.disconnect(Instant::ZERO, reason);
    assert_eq!(sender.cause(), Some(Cause::Local(reason)));
    transfer(&mut sender, &mut receiver);
    assert_eq!(receiver.cause(), Some(Cause::Remote(reason)));
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

/// Carries to one link what the other has to send
fn transfer(from: &mut PeerState<'_>, to: &mut PeerState<'_>) {
    while let Some(action) = from.poll() {
        let Action::Send(bytes) = action else { continue };
        let bytes = bytes.to_vec();
        from.sent(Instant::ZERO, bytes.len()).unwrap();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let taken = to.receive(Instant::ZERO, rest);
            rest = &rest[taken..];
            // A link that waits takes nothing: it has something to announce, or to say first.
            assert!(taken > 0 || to.poll().is_some());
        }
    }
}
