//! The promises of the link, and where each one is tested
//!
//! A test has the name of its promise.
//!
//! | promise | test |
//! |---|---|
//! | The same calls give the same bytes and the same actions. | `schedules::deterministic` |
//! | However the input is cut, the actions are the same. | `streams::fragmentation_invariant` |
//! | After `handle_timeout(t)`, `next_timeout()` is later than `t`. | `schedules::deadline_moves` |
//! | One call of `receive` completes at most one message. | `bounds::bounded_work` |
//! | `Action::Disconnect` comes once and last. | `schedules::disconnect_once` |
//! | Each Ping is answered by one Pong, and at most one Pong is unsent. | `bounds::one_pong_per_ping` |
//! | A refused write changes nothing. | `schedules::refused_write_changes_nothing` |
//! | A flipped bit is never delivered. | `streams::tampering_is_caught` |
//! | Fixed buffers allocate nothing; growable buffers allocate nothing for each message. | `no_allocation` in `tests/allocation.rs` |
//! | No sequence of calls and bytes panics. | `schedules::no_panic`, and the targets in `fuzz/` |
//! | A clock that goes backwards does no harm. | `schedules::time_backwards_is_harmless` |
//! | No output of `Debug` shows a key, a nonce or a payload. | `secrets::secrets_do_not_print` |
//! | A driver that cannot take a message stops the input after that message, and nothing else. | `holding_input::slow_protocol_stops_reading_only` |
//! | A buffer that grew for a large message shrinks again. | `memory_is_given_back` in `tests/allocation.rs` |
//! | A message that is skipped is authenticated, makes no buffer grow, and is reported to the driver once. | `skipping::skipped_is_authenticated`, and `skipped_messages_take_no_memory` in `tests/allocation.rs` |
//! | No protocol can keep another protocol from writing. | the tests of `fair_writing` |

mod bounds;
mod fair_writing;
mod holding_input;
mod interface;
mod schedules;
mod secrets;
mod skipping;
mod streams;

use std::time::Duration;

use devp2p_testing::schedule::{Operation, World};
use proptest::prelude::ProptestConfig;

const SECOND: Duration = Duration::from_secs(1);

/// The number of cases for each property
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Two nodes after these operations, and after the network works again
fn performed(operations: &[Operation]) -> World<'static> {
    let mut world = World::new();
    world.run(operations);
    world.heal();
    world
}
