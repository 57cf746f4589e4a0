//! Arbitrary calls of the C interface
//!
//! Two links talk to each other through the C interface. Beside each is a link that gets the same calls in Rust: it must
//! return the same, ask for the same and send the same bytes. Wrong calls go to the C interface only: with NULL, with
//! memory that is too short or not aligned, with values that mean nothing, or with a link that was taken down. They must
//! return the right error. If one of them changed the link, its twin would soon differ.
#![allow(unsafe_code, reason = "the functions of the C interface are called as C calls them")]
#![deny(clippy::undocumented_unsafe_blocks)]

mod memory;
mod side;
mod wrong;

use std::mem;

use side::Side;

/// Longer inputs only repeat themselves
const MAX_OPERATIONS: usize = 600;

/// The bytes of an input, one after the other; zeros after its end
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// A number that is small most of the time
    fn number(&mut self) -> u64 {
        match self.byte() {
            0xff => u64::MAX,
            0xfe => u64::from(u32::MAX) + 1,
            0xe0..=0xfd => u64::from(self.byte()) << 12,
            byte => byte.into(),
        }
    }
}

/// Runs the operations in `data`, and panics if a promise is broken
pub fn calls(data: &[u8]) {
    let mut input = Input(data);
    let fixed = input.byte();
    let mut sides = [Side::new(0, fixed & 1 != 0), Side::new(1, fixed & 2 != 0)];
    let mut now = 1_000_000;
    for _ in 0..MAX_OPERATIONS {
        if input.0.is_empty() {
            break;
        }
        let operation = input.byte();
        // The links take turns at what the upper bit says.
        let turn = usize::from(operation >> 7);
        let (one, other) = pair(&mut sides, turn);
        operate(&mut input, operation & 0x7f, &mut now, one, other);
    }
    for side in sides {
        side.end();
    }
}

fn pair(sides: &mut [Side; 2], turn: usize) -> (&mut Side, &mut Side) {
    let [first, second] = sides;
    if turn == 0 { (first, second) } else { (second, first) }
}

fn operate(input: &mut Input<'_>, operation: u8, now: &mut u64, one: &mut Side, other: &mut Side) {
    match operation {
        0..0x20 => exchange(*now, one, other),
        0x20..0x28 => drop(one.poll()),
        0x28..0x30 => one.write(*now, input.byte().into(), input.number(), input.number()),
        0x30..0x34 => one.write_with(*now, input.byte().into(), input.number(), input.number(), input.number()),
        0x34..0x38 => one.sent(*now, input.number()),
        0x38..0x3c => one.receive(*now, &[input.byte(); 40]),
        0x3c..0x40 => one.hold_input(*now, input.byte() & 1 != 0),
        0x40..0x44 => {
            *now += input.number().min(1 << 40) * 1_000_000;
            one.handle_timeout(*now);
        }
        0x44..0x48 => one.ping(*now),
        0x48 => one.protocol_returned(*now, input.byte().into(), input.byte().into(), input.number()),
        0x49 => one.disconnect(*now, input.number()),
        0x4a => one.receive_closed(*now),
        0x4b => one.send_failed(*now),
        0x4c => {
            // The other end of the connection is gone, too.
            *one = mem::replace(one, Side::new(0, false)).again();
            *other = mem::replace(other, Side::new(0, false)).again();
        }
        _ => wrong::call(input, *now, one),
    }
    one.compare(*now);
}

/// Carries bytes between the links until both have nothing more to do
fn exchange(now: u64, one: &mut Side, other: &mut Side) {
    for _ in 0..50 {
        let before = one.carried + other.carried;
        one.act(now);
        other.act(now);
        one.carry_to(now, other);
        other.carry_to(now, one);
        if one.carried + other.carried == before {
            break;
        }
    }
}
