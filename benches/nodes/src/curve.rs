//! The curve arithmetic of a handshake, and nothing else
//!
//! The operations are those of `src/rlpx/handshake.rs`, in the same order and with the same crate. The points and
//! scalars are the same each time, which does not change the time: the code runs in constant time.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use ecdsa::hazmat::sign_prehashed_rfc6979;
use k256::ecdsa::{RecoveryId, Signature};
use k256::elliptic_curve::BatchNormalize;
use k256::elliptic_curve::ff::PrimeField;
use k256::elliptic_curve::ops::Reduce;
use k256::elliptic_curve::point::DecompressPoint;
use k256::elliptic_curve::sec1::ToSec1Point;
use k256::elliptic_curve::subtle::Choice;
use k256::{AffinePoint, FieldBytes, NonZeroScalar, ProjectivePoint, PublicKey, Scalar, Secp256k1};
use rustix::time::ClockId;
use sha2::Sha256;

use crate::processor_time;

const MEASURE: Duration = Duration::from_millis(500);

/// One side of handshakes, on a core that does nothing else
#[derive(Clone, Copy)]
pub struct Side {
    /// Handshakes per second
    pub rate: f64,
    /// Processor time of one, in microseconds
    pub micros: f64,
}

pub struct Sides {
    pub initiator: Side,
    pub recipient: Side,
}

impl Sides {
    /// Measures both sides at the same time, since two cores may share more than memory
    pub fn measure() -> Self {
        let start = Barrier::new(2);
        let (initiator, recipient) = thread::scope(|scope| {
            let initiator = scope.spawn(|| side(&start, Keys::initiate));
            let recipient = scope.spawn(|| side(&start, Keys::answer));
            (initiator.join(), recipient.join())
        });
        Self { initiator: initiator.expect("arithmetic"), recipient: recipient.expect("arithmetic") }
    }

    /// The slower side decides how many handshakes there can be in a second
    pub const fn rate(&self) -> f64 {
        self.initiator.rate.min(self.recipient.rate)
    }

    pub const fn micros(&self) -> f64 {
        self.initiator.micros.max(self.recipient.micros)
    }
}

fn side(start: &Barrier, handshake: fn(&Keys)) -> Side {
    let keys = Keys::new();
    start.wait();
    let (begun, before) = (Instant::now(), processor_time(ClockId::ThreadCPUTime));
    let mut count = 0;
    while begun.elapsed() < MEASURE {
        handshake(black_box(&keys));
        count += 1;
    }
    let used = processor_time(ClockId::ThreadCPUTime) - before;
    let count = f64::from(count);
    Side { rate: count / begun.elapsed().as_secs_f64(), micros: used.as_secs_f64() * 1e6 / count }
}

/// What one side has: secrets of its own, and what it was sent
struct Keys {
    identity: NonZeroScalar,
    ephemeral: NonZeroScalar,
    envelope: NonZeroScalar,
    /// A public key as it is on the wire
    remote: Vec<u8>,
    digest: [u8; 32],
    signature: ([u8; 64], u8),
}

impl Keys {
    fn new() -> Self {
        let (identity, ephemeral, envelope, theirs) = (scalar(), scalar(), scalar(), scalar());
        let remote = PublicKey::from_secret_scalar(&theirs).to_sec1_point(false).as_bytes().to_vec();
        let digest = [0x5a; 32];
        let (signature, recovery) = sign(&ephemeral, &digest);
        let signature = (signature.to_bytes().into(), recovery.to_byte());
        Self { identity, ephemeral, envelope, remote, digest, signature }
    }

    /// auth, then what is read from ack
    fn initiate(&self) {
        black_box(point(&self.remote));
        let remote = point(&self.remote);
        let products = [times(&self.identity, remote), times(&self.envelope, remote), public(&self.envelope)];
        black_box(<ProjectivePoint as BatchNormalize<[ProjectivePoint; 3]>>::batch_normalize(&products));
        black_box(sign(&self.ephemeral, &self.digest));
        black_box(times(&self.identity, point(&self.remote)).to_affine());
        black_box(times(&self.ephemeral, point(&self.remote)).to_affine());
    }

    /// What is read from auth, then ack
    fn answer(&self) {
        black_box(times(&self.identity, point(&self.remote)).to_affine());
        let remote = point(&self.remote);
        black_box(times(&self.identity, remote).to_affine());
        let products =
            [self.times_signer(), public(&self.ephemeral), times(&self.envelope, remote), public(&self.envelope)];
        black_box(<ProjectivePoint as BatchNormalize<[ProjectivePoint; 4]>>::batch_normalize(&products));
    }

    /// Our ephemeral key times the public key that is recovered from the signature
    fn times_signer(&self) -> ProjectivePoint {
        let (scalars, v) = &self.signature;
        let (r, s) = Signature::from_slice(scalars).expect("a signature").split_scalars();
        let nonce: Option<AffinePoint> = AffinePoint::decompress(&r.to_repr(), Choice::from(v & 1)).into();
        let nonce = ProjectivePoint::from(nonce.expect("on the curve"));
        let z = <Scalar as Reduce<FieldBytes>>::reduce(&FieldBytes::from(self.digest));
        let inverse: Option<Scalar> = r.invert_vartime().into();
        let factor = inverse.expect("not zero") * *self.ephemeral;
        ProjectivePoint::mul_by_generator(&-(factor * z)) + nonce * (factor * *s)
    }
}

fn scalar() -> NonZeroScalar {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("randomness");
    let scalar: Option<Scalar> = Scalar::from_repr(bytes.into()).into();
    Option::from(NonZeroScalar::new(scalar.expect("nearly every number is one"))).expect("not zero")
}

fn point(bytes: &[u8]) -> AffinePoint {
    *PublicKey::from_sec1_bytes(bytes).expect("on the curve").as_affine()
}

fn times(secret: &NonZeroScalar, point: AffinePoint) -> ProjectivePoint {
    ProjectivePoint::from(point) * **secret
}

fn public(secret: &NonZeroScalar) -> ProjectivePoint {
    ProjectivePoint::mul_by_generator(secret)
}

fn sign(secret: &NonZeroScalar, digest: &[u8; 32]) -> (Signature, RecoveryId) {
    sign_prehashed_rfc6979::<Secp256k1, Sha256>(secret, digest, &[])
}
