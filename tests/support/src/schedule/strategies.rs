//! Strategies for random operations

use std::time::Duration;

use devp2p_proto::{DisconnectReason, ProtocolError};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Misuse, Operation, Side};

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Initiator), Just(Side::Recipient)]
}

fn outcome() -> impl Strategy<Value = Result<(), ProtocolError>> {
    prop_oneof![
        Just(Ok(())),
        Just(Err(ProtocolError::BadMessage)),
        Just(Err(ProtocolError::Other)),
        any::<u64>().prop_map(|code| Err(ProtocolError::Reason(DisconnectReason::from_code(code)))),
    ]
}

/// What correct drivers do on a network that may stall
pub fn friendly() -> impl Strategy<Value = Operation> {
    let len = prop_oneof![4 => 0..200_usize, 1 => 0..20_000_usize];
    let millis = prop_oneof![0..1_000_u64, 1_000..14_000_u64];
    prop_oneof![
        4 => Just(Operation::Step),
        2 => Just(Operation::Settle),
        6 => (side(), 0..2_usize, 0..4_u64, len)
            .prop_map(|(side, protocol, code, len)| Operation::Write { side, protocol, code, len }),
        1 => side().prop_map(Operation::Ping),
        2 => millis.prop_map(|millis| Operation::Advance(Duration::from_millis(millis))),
        1 => (side(), any::<bool>()).prop_map(|(side, held)| Operation::Hold(side, held)),
        2 => (side(), prop_oneof![0..100_usize, Just(usize::MAX)]).prop_map(|(side, len)| Operation::Capacity(side, len)),
        1 => (side(), prop_oneof![1..40_usize, Just(usize::MAX)]).prop_map(|(side, len)| Operation::MaxRead(side, len)),
    ]
}

/// The ways in which a link ends
pub fn ending() -> impl Strategy<Value = Operation> {
    prop_oneof![
        (side(), any::<u64>()).prop_map(|(side, code)| Operation::Disconnect(side, code % 20)),
        (side(), 0..2_usize, outcome())
            .prop_map(|(side, protocol, outcome)| Operation::ProtocolReturned(side, protocol, outcome)),
        side().prop_map(Operation::Close),
        side().prop_map(Operation::Reset),
        side().prop_map(Operation::SendFailed),
        (side(), any::<usize>(), 0..8_u8).prop_map(|(side, index, bit)| Operation::Flip(side, index, bit)),
        (side(), vec(any::<u8>(), 1..80)).prop_map(|(side, bytes)| Operation::Garbage(side, bytes)),
        Just(Operation::Advance(Duration::from_secs(40))),
    ]
}

/// What only a broken driver or a broken clock does
pub fn misuse() -> impl Strategy<Value = Operation> {
    prop_oneof![
        (side(), prop::sample::select(&Misuse::ALL[..])).prop_map(|(side, misuse)| Operation::Misuse(side, misuse)),
        (0..60_000_u64).prop_map(|millis| Operation::ClockBack(Duration::from_millis(millis))),
    ]
}

/// Up to 60 operations of every kind; a few of them are endings
pub fn operations() -> impl Strategy<Value = Vec<Operation>> {
    vec(prop_oneof![20 => friendly(), 1 => ending(), 3 => misuse()], 0..60)
}

/// Up to 60 operations of correct drivers, without endings
pub fn friendly_operations() -> impl Strategy<Value = Vec<Operation>> {
    vec(friendly(), 0..60)
}
