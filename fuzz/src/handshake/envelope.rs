//! The encrypted envelope around a plaintext

use std::sync::OnceLock;

use devp2p_proto::{NodeId, Role};
use devp2p_testing::remote::seal_packet_with;

use super::model::{self, Expected, Fault};
use super::{body, curve};
use crate::input::Input;
use crate::settings::{Side, key};

/// How a packet was changed after it was sealed
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Nothing,
    /// The size prefix is missing, as before EIP-8
    NoPrefix,
    /// The size prefix has this value
    Prefix(u16),
    /// The public key does not begin with 4
    KeyForm(u8),
    /// The public key is not a point on the curve
    Key,
    Tag {
        position: usize,
        mask: u8,
    },
}

/// A handshake packet for the link
pub(super) struct Packet {
    pub(super) bytes: Vec<u8>,
    text: Vec<u8>,
    change: Change,
}

/// Bytes before the plaintext, and after it (rlpx.md §ECIES Encryption)
const BEFORE: usize = 2 + 65 + 16;
const TAG: usize = 32;

impl Packet {
    pub(super) fn read(role: Role, input: &mut Input<'_>) -> Self {
        let change = match input.byte() {
            0xe0..0xe4 => Change::NoPrefix,
            0xe4..0xec => Change::Prefix(input.u16()),
            0xec..0xf0 => Change::KeyForm(input.byte()),
            0xf0..0xf4 => Change::Key,
            0xf4.. => Change::Tag { position: usize::from(input.byte()) % TAG, mask: input.byte() },
            _ => Change::Nothing,
        };
        let text = body::read(role, input);
        let [public, shared] = envelope_key();
        let mut bytes = seal_packet_with(public.first_chunk().unwrap(), shared.first_chunk().unwrap(), &text);
        match change {
            Change::Nothing => {}
            Change::NoPrefix => _ = bytes.drain(..2),
            Change::Prefix(prefix) => bytes[..2].copy_from_slice(&prefix.to_be_bytes()),
            Change::KeyForm(form) => bytes[2] = form,
            Change::Key => bytes[3..67].fill(0x11),
            Change::Tag { position, mask } => {
                let tag = bytes.len() - TAG;
                bytes[tag + position] ^= mask;
            }
        }
        Self { bytes, text, change }
    }

    /// The outcome that the specification requires for this packet
    ///
    /// Under `cfg(fuzzing)` every tag is accepted, so that a different size gives a different plaintext.
    pub(super) fn expected(&self, role: Role) -> Expected {
        let refused = |fault| Expected::Refused(vec![fault]);
        let size = usize::from(u16::from_be_bytes([self.bytes[0], self.bytes[1]]));
        match (size + 2, self.bytes[2]) {
            // Clients refuse a packet of more than 2048 bytes by its prefix.
            _ if size > 2048 => return refused(Fault::TooLarge),
            (len, _) if len < BEFORE + TAG => return refused(Fault::TooShort),
            (_, form) if form != 4 && self.bytes[0] == 4 => return refused(Fault::PreEip8),
            (_, form) if form != 4 => return refused(Fault::PublicKey),
            (len, _) if len > self.bytes.len() => return refused(Fault::Incomplete),
            _ => {}
        }
        match self.change {
            Change::Key => refused(Fault::PublicKey),
            Change::Tag { mask, .. } if mask != 0 && !cfg!(fuzzing) => refused(Fault::Tag),
            Change::Prefix(_) if size + 2 != BEFORE + self.text.len() + TAG => {
                if cfg!(fuzzing) {
                    Expected::Unknown
                } else {
                    refused(Fault::Tag)
                }
            }
            _ => model::expected(role, &self.text),
        }
    }

    /// The node id that the packet claims, if the packet is accepted
    pub(super) fn claimed(&self, role: Role) -> NodeId {
        match (role, model::fields(role, &self.text).as_deref()) {
            (Role::Recipient, Some([_, id, _])) => NodeId::new(*id.first_chunk().unwrap()),
            _ => key(Side::Remote).node_id(),
        }
    }

    /// Whether all fields are those of the remote, so that the remote can continue with the link
    pub(super) fn is_from_remote(&self, role: Role) -> bool {
        let good = body::fields(role).iter().map(|field| &field.good[..]);
        let is_sealed = !matches!(self.change, Change::Tag { mask: 1.., .. });
        is_sealed && model::fields(role, &self.text).is_some_and(|fields| fields.into_iter().eq(good))
    }
}

/// The key of every envelope, and its shared secret with the link; made once
fn envelope_key() -> &'static [Vec<u8>; 2] {
    static KEY: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    KEY.get_or_init(|| {
        let shared = curve::agree(0x5e, key(Side::Link).node_id().as_bytes()).unwrap();
        [curve::public(0x5e).to_vec(), shared.to_vec()]
    })
}
