//! The encryption handshake: auth and ack, in both roles (rlpx.md §Initial Handshake, EIP-8)
//!
//! Each role is a value that is dropped when the session begins, and its keys are wiped then.

use zeroize::Zeroizing;

use super::curve::{Point, Product};
use super::ecies::{self, Envelope};
use super::entropy::{Entropy, Ephemeral};
use super::frame::Session;
use super::key::SecretKey;
use super::refusal::Refusal;
use super::secrets::{Secrets, Transcript, xor};
use crate::invariant::invariant;
use crate::node_id::NodeId;
use crate::wire::rlp::{Reader, RlpError, Writer};

/// The version that auth and ack carry; no client checks it
const VERSION: u64 = 4;
/// EIP-8 asks for at least 100 bytes, so that a packet differs from the form before EIP-8
const MIN_PADDING: usize = 100;
/// How much of the random byte goes into the length of the padding
const PADDING_MASK: u8 = 0x7f;

/// Bytes of an encoded auth list: signature, static key, nonce, version
const AUTH_BODY: usize = 2 + 67 + 66 + 33 + 1;
/// The longest packet that this side sends
pub(crate) const MAX_SENT: usize = ecies::OVERHEAD + AUTH_BODY + MIN_PADDING + PADDING_MASK as usize;

/// Writes an auth and waits for the ack to it
pub(crate) struct Initiator {
    pub(super) identity: SecretKey,
    pub(super) ephemeral: Ephemeral,
    pub(super) remote: NodeId,
}

/// Waits for an auth
pub(crate) struct Recipient {
    pub(super) identity: SecretKey,
    pub(super) ephemeral: Ephemeral,
}

/// Why a handshake could not be started
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartError {
    WeakEntropy,
    InvalidRemote,
}

impl Initiator {
    /// # Errors
    /// `InvalidRemote` if `remote` is no public key, and `WeakEntropy`.
    pub(crate) fn new(identity: &SecretKey, remote: NodeId, entropy: &Entropy) -> Result<Self, StartError> {
        let ephemeral = entropy.prepare().ok_or(StartError::WeakEntropy)?;
        Point::from_id(&remote).map_err(|_| StartError::InvalidRemote)?;
        Ok(Self { identity: identity.clone(), ephemeral, remote })
    }

    /// Writes auth to the start of `out` and returns its length
    ///
    /// `None` with fewer than [`MAX_SENT`] bytes in `out`, or if the signature has no form that fits
    /// into auth, for which no example is known.
    #[inline(never)] // so that what it keeps is not in the frame of a driver's loop
    pub(crate) fn write_auth(&self, out: &mut [u8]) -> Option<usize> {
        let Self { identity, ephemeral, remote } = self;
        let remote_key = Point::from_id(remote).ok()?;
        let (envelope_key, identity_key) = (&ephemeral.envelope_key, &identity.secret);
        let [shared, envelope_shared, envelope_public] = Product::divide([
            identity_key.times(&remote_key),
            envelope_key.times(&remote_key),
            envelope_key.times_generator(),
        ]);
        let token = Zeroizing::new(xor(&shared.shared(), &ephemeral.nonce));
        let signature = ephemeral.key.sign(&token)?;
        let envelope = Envelope { key: envelope_public.id(), shared: envelope_shared.shared(), iv: ephemeral.iv };
        write_packet(out, &envelope, ephemeral.padding, |list| {
            list.bytes(&signature);
            list.bytes(identity.node_id().as_bytes());
            list.bytes(&*ephemeral.nonce);
        })
    }

    /// An initiator that has written its auth
    #[cfg(test)]
    pub(crate) fn start(
        identity: &SecretKey,
        remote: NodeId,
        entropy: Entropy,
        out: &mut [u8],
    ) -> Result<(Self, usize), StartError> {
        let initiator = Self::new(identity, remote, &entropy)?;
        let len = crate::invariant::must(initiator.write_auth(out), "the buffer holds an auth");
        Ok((initiator, len))
    }

    pub(crate) const fn remote(&self) -> NodeId {
        self.remote
    }

    /// Reads the ack
    ///
    /// Anybody can encrypt an ack to us. Only the node that was dialled can have read our nonce in
    /// auth, without which no MAC of the session is right: the first frame proves its key.
    ///
    /// # Errors
    /// The violation in the packet; nothing is to be sent.
    #[inline(never)] // so that what it keeps is not in the frame of a driver's loop
    pub(crate) fn read_ack(&self, ack: &mut [u8]) -> Result<Agreement, Refusal> {
        let (remote_ephemeral, recipient_nonce) = ecies::open(ack, &self.identity.secret, |text| {
            let mut list = Reader::new(text).list()?;
            let fields = (NodeId::new(*list.array()?), Zeroizing::new(*list.array()?));
            check_version(list)?;
            Ok(fields)
        })?;
        let shared = self.ephemeral.key.diffie_hellman(&Point::from_id(&remote_ephemeral)?);
        Ok(Agreement { shared, initiator_nonce: self.ephemeral.nonce.clone(), recipient_nonce })
    }

    /// Turns the ack into a session with the auth that [`Initiator::start`] wrote
    #[cfg(test)]
    pub(crate) fn finish(self, auth: &[u8], ack: &mut [u8]) -> Result<Session, Refusal> {
        Ok(self.read_ack(ack)?.initiator_session(auth, ack))
    }
}

/// What the two sides have agreed on, and from which the session follows
///
/// It is small and the session is large, so the curve arithmetic and the session need not be on the
/// stack at the same time.
pub(crate) struct Agreement {
    shared: Zeroizing<[u8; 32]>,
    initiator_nonce: Zeroizing<[u8; 32]>,
    recipient_nonce: Zeroizing<[u8; 32]>,
}

impl Agreement {
    /// The session as the initiator sees it
    pub(crate) fn initiator_session(&self, auth: &[u8], ack: &[u8]) -> Session {
        let transcript = self.transcript(auth, ack);
        let secrets = Secrets::derive(&self.shared, &transcript);
        let (egress, ingress) = (secrets.initiator_mac(&transcript), secrets.recipient_mac(&transcript));
        Session::new(&secrets.aes, &secrets.mac, egress, ingress)
    }

    /// The session as the recipient sees it
    pub(crate) fn recipient_session(&self, auth: &[u8], ack: &[u8]) -> Session {
        let transcript = self.transcript(auth, ack);
        let secrets = Secrets::derive(&self.shared, &transcript);
        let (egress, ingress) = (secrets.recipient_mac(&transcript), secrets.initiator_mac(&transcript));
        Session::new(&secrets.aes, &secrets.mac, egress, ingress)
    }

    fn transcript<'a>(&'a self, auth: &'a [u8], ack: &'a [u8]) -> Transcript<'a> {
        let Self { initiator_nonce, recipient_nonce, .. } = self;
        Transcript { initiator_nonce, recipient_nonce, auth, ack }
    }
}

/// What follows from an auth
pub(crate) struct Answer<T> {
    /// What the handshake leads to: an [`Agreement`], or in tests the session that follows from it
    pub(crate) outcome: T,
    /// The key that the initiator claims
    pub(crate) remote: NodeId,
    /// The length of the ack
    pub(crate) len: usize,
}

impl Recipient {
    /// # Errors
    /// `WeakEntropy`.
    pub(crate) fn new(identity: &SecretKey, entropy: &Entropy) -> Result<Self, StartError> {
        let ephemeral = entropy.prepare().ok_or(StartError::WeakEntropy)?;
        Ok(Self { identity: identity.clone(), ephemeral })
    }

    /// Reads an auth, and writes ack to the start of `out`
    ///
    /// `out` has [`MAX_SENT`] bytes; with fewer, no ack is written and `len` is 0.
    ///
    /// # Errors
    /// The violation in the packet; nothing is to be sent.
    #[inline(never)] // so that what it keeps is not in the frame of a driver's loop
    pub(crate) fn answer_auth(&self, auth: &mut [u8], out: &mut [u8]) -> Result<Answer<Agreement>, Refusal> {
        let Self { identity, ephemeral } = self;
        let (signature, remote, initiator_nonce) = ecies::open(auth, &identity.secret, |text| {
            let mut list = Reader::new(text).list()?;
            let fields = (*list.array()?, NodeId::new(*list.array()?), Zeroizing::new(*list.array()?));
            check_version(list)?;
            Ok(fields)
        })?;
        let remote_key = Point::from_id(&remote)?;
        let token = Zeroizing::new(xor(&identity.secret.diffie_hellman(&remote_key), &initiator_nonce));
        let signer = ephemeral.key.times_signer(&token, &signature)?;
        let (shared, public, envelope) = ephemeral.answer(signer, &remote_key);
        let len = write_packet(out, &envelope, ephemeral.padding, |list| {
            list.bytes(public.as_bytes());
            list.bytes(&*ephemeral.nonce);
        })
        .unwrap_or_default();
        invariant!(len > 0, "the transmit buffer holds an ack");
        let outcome = Agreement { shared, initiator_nonce, recipient_nonce: ephemeral.nonce.clone() };
        Ok(Answer { outcome, remote, len })
    }

    /// Turns an auth into a session, and writes ack to the start of `out`
    #[cfg(test)]
    pub(crate) fn answer(self, auth: &mut [u8], out: &mut [u8]) -> Result<Answer<Session>, Refusal> {
        let Answer { outcome, remote, len } = self.answer_auth(auth, out)?;
        let outcome =
            outcome.recipient_session(auth, crate::invariant::must(out.get(..len), "the ack is in the buffer"));
        Ok(Answer { outcome, remote, len })
    }
}

impl Ephemeral {
    /// What is shared with the signer of an auth, our ephemeral public key, and the envelope of the ack to `remote`
    #[inline(never)] // so that what it keeps is not in the frame of the whole handshake
    fn answer(&self, signer: Product, remote: &Point) -> (Zeroizing<[u8; 32]>, NodeId, Envelope) {
        let products =
            [signer, self.key.times_generator(), self.envelope_key.times(remote), self.envelope_key.times_generator()];
        let [shared, public, envelope_shared, envelope_public] = Product::divide(products);
        let envelope = Envelope { key: envelope_public.id(), shared: envelope_shared.shared(), iv: self.iv };
        (shared.shared(), public.id(), envelope)
    }
}

/// The version must be present; its value, later list items, and bytes after the list are ignored
/// (EIP-8)
fn check_version(mut list: Reader<'_>) -> Result<(), RlpError> {
    list.item().map(|_| ())
}

/// Writes a packet whose list begins with `fields`, and returns its length
fn write_packet(
    out: &mut [u8],
    envelope: &Envelope,
    padding: u8,
    fields: impl FnOnce(&mut Writer<'_>),
) -> Option<usize> {
    let out = out.get_mut(..MAX_SENT)?;
    out.fill(0);
    let mut writer = Writer::new(out.get_mut(ecies::PLAINTEXT..)?);
    writer.list(|list| {
        fields(list);
        list.uint(VERSION);
    });
    let padding = MIN_PADDING.saturating_add(usize::from(padding & PADDING_MASK));
    let len = writer.finish().ok()?.len().saturating_add(ecies::OVERHEAD).saturating_add(padding);
    ecies::seal(out.get_mut(..len)?, envelope)?;
    Some(len)
}
