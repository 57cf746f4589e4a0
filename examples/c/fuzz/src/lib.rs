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
    let start = input.byte();
    let mut sides = [Side::new(0, start & 1 != 0), Side::new(1, start & 2 != 0)];
    let mut now = 1_000_000;
    if start & 4 == 0 {
        let (one, other) = pair(&mut sides, 0);
        exchange(now, one, other);
    }
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
    sides.iter_mut().for_each(Side::end);
}

fn pair(sides: &mut [Side; 2], turn: usize) -> (&mut Side, &mut Side) {
    let [first, second] = sides;
    if turn == 0 { (first, second) } else { (second, first) }
}

fn operate(input: &mut Input<'_>, operation: u8, now: &mut u64, one: &mut Side, other: &mut Side) {
    match operation {
        0..0x18 => exchange(*now, one, other),
        0x18..0x20 => drop(one.poll()),
        0x20..0x38 => one.write(*now, input.byte().into(), u64::from(input.byte() % 19), input.number()),
        0x38..0x40 => {
            one.write_with(*now, input.byte().into(), u64::from(input.byte() % 19), input.number(), input.number())
        }
        0x40..0x44 => one.sent(*now, input.number()),
        0x44..0x48 => one.hold_input(*now, input.byte() & 1 != 0),
        0x48..0x4c => one.ping(*now),
        0x4c..0x50 => {
            *now += u64::from(input.byte()) * 1_000_000;
            one.handle_timeout(*now);
        }
        // What ends a link comes rarely, so that much can happen before.
        0x50..0x58 if input.byte() < 0x20 => end(input, now, one, other),
        0x50..0x58 => exchange(*now, one, other),
        _ => wrong::call(input, *now, one),
    }
    one.compare(*now);
}

/// What ends a link
fn end(input: &mut Input<'_>, now: &mut u64, one: &mut Side, other: &mut Side) {
    match input.byte() % 8 {
        0 => one.receive(*now, &[input.byte(); 40]),
        1 => {
            *now += input.number().min(1 << 40) * 1_000_000;
            one.handle_timeout(*now);
        }
        2 => one.protocol_returned(*now, usize::from(input.byte() % 3), u32::from(input.byte() % 6), input.number()),
        3 => one.disconnect(*now, input.number()),
        4 => one.receive_closed(*now),
        5 => one.send_failed(*now),
        _ => {
            // The other end of the connection is gone, too.
            one.again();
            other.again();
        }
    }
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
