//! A block as the payload of a message, whose protocol has a limit

use std::sync::OnceLock;

use devp2p_proto::internal::snappy::decompressed_len;
use devp2p_proto::{Cause, Config, Protocol, Role, Violation};

use super::is_named;
use crate::dialogue::Dialogue;
use crate::remote::Hello;
use crate::settings::{Side, key};
use crate::sizes;
use crate::subject::Seen;

/// The limits of the link; the protocol's limits do not exceed them
const LIMITS: [usize; 3] = [64, 1000, 4096];

/// Sends `block` to a link, which delivers its data if that is within the limit
pub(super) fn check(block: &[u8], choice: usize) {
    let choice = choice % LIMITS.len();
    let mut dialogue = Dialogue::new(&configs()[choice], Role::Recipient, key(Side::Remote).node_id());
    let hello = Hello::good(5, std::iter::once((b"a".to_vec(), 1)));
    assert!(matches!(dialogue.say(0, &hello.encode())[..], [Seen::Ready(_)]));
    let seen = dialogue.say(16, block);
    let limit = LIMITS[choice];
    let mut data = vec![0; limit];
    match (snap::raw::Decoder::new().decompress(block, &mut data), &seen[..]) {
        (Ok(len), [Seen::Deliver { payload, .. }]) => assert!(*payload == data[..len], "another payload is delivered"),
        (outcome, []) => check_violation(block, limit, outcome.err().as_ref(), dialogue.link.cause()),
        (outcome, seen) => panic!("{seen:?} where the crate says {outcome:?}"),
    }
}

fn configs() -> &'static [Config] {
    static CONFIGS: OnceLock<Vec<Config>> = OnceLock::new();
    CONFIGS.get_or_init(|| LIMITS.map(config).to_vec())
}

fn config(limit: usize) -> Config {
    let protocols = [Protocol::new("a", 1, 1).with_max_message(limit), Protocol::new("b", 1, 1)];
    Config::new(key(Side::Link), "fuzz/1", &protocols).unwrap().with_max_message(4096).unwrap()
}

/// Checks that the block contains this violation, with these numbers
fn check_violation(block: &[u8], limit: usize, theirs: Option<&snap::Error>, cause: Option<Cause>) {
    let Some(Cause::Violation(violation)) = cause else {
        panic!("{cause:?} for a block");
    };
    match violation {
        Violation::FrameTooLarge { size } => {
            assert!(size == block.len() + 1 && size > sizes::max_body(limit));
        }
        Violation::PayloadTooLarge { size } => {
            assert!(size > limit && decompressed_len(block, block.len()) == Ok(size));
        }
        Violation::MalformedCompression(ours) => {
            assert!(theirs.is_some_and(|theirs| is_named(theirs, ours)), "{ours:?} where the crate says {theirs:?}");
        }
        violation => panic!("{violation:?} for a block"),
    }
}
