//! The instructions of a message, from the call that writes it to the action that delivers it
//!
//! `examples/c/run overhead` runs this program in callgrind. Two links with the same keys and the same entropy exchange the
//! same messages, once by the methods of the library and once by the functions of the C interface.
#![allow(unsafe_code, reason = "the functions of the C interface are called as C calls them")]
#![deny(clippy::undocumented_unsafe_blocks)]

mod in_c;
mod in_rust;

use devp2p_valgrind::callgrind;

const SIZES: [usize; 5] = [0, 32, 256, 1024, 16384];
/// The offset of a MAC in its block is the same after 17 frames
const TIMES: usize = 68;

/// Two links that have said Hello
trait Pair {
    /// Sends a message from the first to the second, and returns the length of what was delivered
    fn message(&mut self, payload: &[u8]) -> usize;
}

fn main() {
    assert!(devp2p_valgrind::is_running(), "this program must be run by examples/c/run overhead");
    for size in SIZES {
        let payload: Vec<u8> = noise().take(size).collect();
        measure("rust", &mut in_rust::Links::new(), &payload);
        measure("c", &mut in_c::Links::new(), &payload);
    }
}

fn measure(form: &str, pair: &mut impl Pair, payload: &[u8]) {
    // The buffers grow with the first messages.
    (0..4).for_each(|_| assert_eq!(pair.message(payload), payload.len()));
    callgrind::count(&format!("{form}\t{}\t{TIMES}", payload.len()), || {
        for _ in 0..TIMES {
            pair.message(std::hint::black_box(payload));
        }
    });
}

/// Bytes that do not compress: 32-bit xorshift
fn noise() -> impl Iterator<Item = u8> {
    let mut state = 0x2545_f491_u32;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    })
}

/// Entropy of the side with this number
fn entropy(number: u8) -> [u8; 113] {
    let mut noise = noise();
    std::array::from_fn(|_| noise.next().unwrap_or_default() ^ number)
}

const fn key(number: u8) -> [u8; 32] {
    [number + 1; 32]
}
