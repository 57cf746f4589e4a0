//! The memory that a link starts with

use devp2p_proto::{Buffers, Instant, NotStarted, PeerState, ProtocolSlot, Role, StartError, internal};

use crate::settings::{Settings, Side, entropy, key};

pub(super) fn new_link<'buf>(settings: &Settings, buffers: Buffers<'buf>) -> PeerState<'buf> {
    try_new_link(settings, buffers).unwrap()
}

fn try_new_link<'buf>(settings: &Settings, buffers: Buffers<'buf>) -> Result<PeerState<'buf>, Box<NotStarted<'buf>>> {
    let (now, remote, config) = (Instant::ZERO, key(Side::Remote).node_id(), &settings.config);
    let link = match settings.role {
        role if !settings.handshake => internal::past_handshake(now, config, role, remote, buffers),
        Role::Initiator => PeerState::initiator(now, config, remote, entropy(Side::Link), buffers),
        Role::Recipient => PeerState::recipient(now, config, entropy(Side::Link), buffers),
    };
    link.map_err(Box::new)
}

/// Buffers that are a byte too short, or a slot too few, are refused and come back, and the error says what is needed
pub(super) fn check_too_short(settings: &Settings) {
    let (receive, transmit) = (settings.config.receive_len(), settings.config.transmit_len());
    let slots = settings.protocols.len();
    assert_eq!(receive, Buffers::receive_len(settings.limits.max_message));
    let too_short = [
        (receive - 1, transmit, slots, StartError::ReceiveBufferTooSmall { needed: receive }),
        (receive, transmit - 1, slots, StartError::TransmitBufferTooSmall { needed: transmit }),
        (receive, transmit, slots.saturating_sub(1), StartError::TooFewSlots { needed: slots }),
    ];
    // A node without protocols needs no slot.
    for (receive, transmit, slots, error) in too_short.into_iter().take(if slots == 0 { 2 } else { 3 }) {
        let (mut receive, mut transmit) = (vec![0; receive], vec![0; transmit]);
        let mut slots = vec![ProtocolSlot::EMPTY; slots];
        let expected = format!("{:?}", Buffers::fixed(&mut receive, &mut transmit, &mut [], &mut slots));
        let refusal =
            try_new_link(settings, Buffers::fixed(&mut receive, &mut transmit, &mut [], &mut slots)).err().unwrap();
        assert_eq!(refusal.error, error);
        assert_eq!(format!("{:?}", refusal.buffers), expected);
    }
}
