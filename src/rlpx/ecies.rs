//! ECIES, the envelope of both handshake packets (rlpx.md §ECIES Encryption, EIP-8)
//!
//! ```text
//! size 2 ‖ 0x04 ‖ X 32 ‖ Y 32 ‖ IV 16 ‖ ciphertext ‖ tag 32        size counts what follows it
//! ```

use aes::Aes128Enc;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::curve::{Point, Secret};
use super::refusal::Refusal;
use crate::disclosed::disclosed;
use crate::node_id::NodeId;
use crate::wire::rlp::RlpError;

/// Bytes of the size prefix
pub(crate) const PREFIX: usize = 2;
const TAG: usize = 32;
/// Where the plaintext starts in a packet
pub(super) const PLAINTEXT: usize = PREFIX + 65 + 16;
/// How many bytes a packet has in addition to its plaintext
pub(super) const OVERHEAD: usize = PLAINTEXT + TAG;

/// The largest size that a handshake packet may announce, by the agreement of all clients
pub(crate) const MAX_SIZE: usize = 2048;
/// The largest handshake packet, its size prefix included
pub(crate) const MAX_PACKET: usize = PREFIX + MAX_SIZE;

type HmacSha256 = Hmac<Sha256>;
type Aes128Ctr = ctr::Ctr128BE<Aes128Enc>;

/// How much of a handshake packet there must be before its key can be judged
pub(crate) const MIN_PREFIX: usize = PREFIX + 1;

/// The whole length of a packet with this size prefix, the prefix included
///
/// # Errors
/// `HandshakeTooLarge` beyond the limit, `HandshakeTooShort` below what an envelope takes.
pub(crate) fn packet_len(prefix: [u8; PREFIX]) -> Result<usize, Refusal> {
    let size = usize::from(u16::from_be_bytes(prefix));
    match size.saturating_add(PREFIX) {
        ..OVERHEAD => Err(Refusal::TooShort),
        len @ ..=MAX_PACKET => Ok(len),
        _ => Err(Refusal::TooLarge),
    }
}

/// Checks that what follows the size prefix is an uncompressed public key
///
/// # Errors
/// `PreEip8Handshake` and `InvalidPublicKey`. Before EIP-8 a packet had no size prefix and began with the
/// key itself, by which such a packet is recognized.
pub(crate) const fn check_key_form(prefix: [u8; MIN_PREFIX]) -> Result<(), Refusal> {
    match prefix {
        [_, _, 0x04] => Ok(()),
        [0x04, _, _] => Err(Refusal::PreEip8),
        _ => Err(Refusal::InvalidPublicKey),
    }
}

/// The keys for one packet: the shared X through the concatenation KDF (NIST SP 800-56A)
struct Keys {
    encryption: Zeroizing<[u8; 16]>,
    authentication: Zeroizing<[u8; 32]>,
}

impl Keys {
    fn derive(shared: &[u8; 32]) -> Self {
        let counter = 1_u32.to_be_bytes();
        let okm = Zeroizing::new(<[u8; 32]>::from(Sha256::new().chain_update(counter).chain_update(shared).finalize()));
        let mut encryption = Zeroizing::new([0; 16]);
        crate::wire::copy(&mut *encryption, &*okm);
        let (_, mac_key) = okm.split_at(16);
        Self { encryption, authentication: Zeroizing::new(Sha256::digest(mac_key).into()) }
    }

    fn apply_keystream(&self, iv: &[u8; 16], text: &mut [u8]) {
        Aes128Ctr::new((&*self.encryption).into(), iv.into()).apply_keystream(text);
    }

    /// The tag over `iv ‖ ciphertext ‖ size prefix`
    fn mac(&self, parts: [&[u8]; 3]) -> Option<HmacSha256> {
        let mac = HmacSha256::new_from_slice(&*self.authentication).ok()?;
        Some(parts.into_iter().fold(mac, Mac::chain_update))
    }
}

/// What a packet is sealed with
pub(super) struct Envelope {
    /// The public key of the packet; the packet carries it
    pub(super) key: NodeId,
    /// What the packet's key and the reader's key share
    pub(super) shared: Zeroizing<[u8; 32]>,
    pub(super) iv: [u8; 16],
}

/// Seals `packet`, which must hold the plaintext at [`PLAINTEXT`] and have room for the tag
///
/// `None` if the packet is too short or too long to be one.
pub(super) fn seal(packet: &mut [u8], envelope: &Envelope) -> Option<()> {
    let Envelope { key, shared, iv } = envelope;
    let size = u16::try_from(packet.len().checked_sub(PREFIX)?).ok()?;
    let (prefix, body) = packet.split_first_chunk_mut::<PREFIX>()?;
    let (key_form, body) = body.split_first_mut()?;
    let (key_field, body) = body.split_first_chunk_mut::<64>()?;
    let (iv_field, body) = body.split_first_chunk_mut::<16>()?;
    let (text, tag) = body.split_last_chunk_mut::<TAG>()?;
    *prefix = size.to_be_bytes();
    *key_form = 0x04;
    *key_field = *key.as_bytes();
    *iv_field = *iv;
    let keys = Keys::derive(shared);
    keys.apply_keystream(iv, text);
    *tag = keys.mac([iv, text, prefix])?.finalize().into_bytes().into();
    Some(())
}

/// Opens a packet and lets `parse` read its plaintext, padding included
///
/// Afterwards the packet is as it came, since the MACs of the session begin with its ciphertext.
///
/// # Errors
/// `InvalidPublicKey` before any secret is used, `HandshakeTagMismatch` before anything is
/// decrypted, and what `parse` finds. None of these is answered, so the peer cannot distinguish them.
#[inline(never)] // so that what it keeps is not in the frame of a whole handshake
pub(super) fn open<T>(
    packet: &mut [u8],
    secret: &Secret,
    parse: impl FnOnce(&[u8]) -> Result<T, RlpError>,
) -> Result<T, Refusal> {
    let short = Refusal::TooShort;
    let (prefix, body) = packet.split_first_chunk_mut::<PREFIX>().ok_or(short)?;
    let (_key_form, body) = body.split_first_mut().ok_or(short)?;
    let (key, body) = body.split_first_chunk_mut::<64>().ok_or(short)?;
    let (iv, body) = body.split_first_chunk_mut::<16>().ok_or(short)?;
    let (text, tag) = body.split_last_chunk_mut::<TAG>().ok_or(short)?;
    let ephemeral = Point::from_id(&NodeId::new(*key))?;
    let keys = Keys::derive(&secret.diffie_hellman(&ephemeral));
    let mac = keys.mac([iv, text, prefix]).ok_or(short)?;
    let authentic = cfg!(all(fuzzing, feature = "__internal")) || mac.verify((&*tag).into()).is_ok();
    authentic.then_some(()).ok_or(Refusal::TagMismatch)?;
    keys.apply_keystream(iv, text);
    disclosed(text);
    let parsed = parse(text);
    keys.apply_keystream(iv, text);
    parsed.map_err(Refusal::Malformed)
}
