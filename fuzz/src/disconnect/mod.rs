//! Disconnect in any form, at any stage after the handshake
//!
//! The expected reason follows from the specification (rlpx.md §Disconnect) and from the forms that occur on the
//! network: a list of the reason, the reason alone, an empty list, and an empty payload. Each form is tested with and
//! without compression, whatever was agreed on.

mod forms;
mod ours;

use std::sync::OnceLock;

use devp2p_proto::{Cause, Config, DisconnectReason, Instant, Protocol, Role, Violation};

use crate::dialogue::{Dialogue, compress};
use crate::input::Input;
use crate::settings::{Side, key};
use crate::sizes::MAX_BASE_BODY;
use crate::subject::Seen;
use forms::Form;

/// The stage of the link when the Disconnect comes
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    BeforeHello,
    /// It has got a Hello of version 4 or 5
    Running {
        version: u8,
    },
    /// Its transport has failed, and the link only waits for a Disconnect
    Severed,
}

const STAGES: [Stage; 5] = [
    Stage::BeforeHello,
    Stage::Running { version: 5 },
    Stage::Running { version: 4 },
    Stage::Running { version: 5 },
    Stage::Severed,
];

/// The message limits of the links in this target: smaller and larger than the base protocol needs
const LIMITS: [usize; 2] = [1024, 10_000];

/// The largest payload of the base protocol
const MAX_PAYLOAD: usize = MAX_BASE_BODY - 1;

/// Sends the Disconnect that `data` describes to a link, or has a link send one to another link
pub fn disconnect(data: &[u8]) {
    let mut input = Input::new(data);
    let flags = input.byte();
    if flags & 0xe0 == 0xe0 {
        return ours::check(&mut input);
    }
    let stage = STAGES[usize::from(flags & 0x0f) % STAGES.len()];
    let limit = usize::from(flags >> 4 & 1);
    let Form { payload, meaning } = Form::from_input(&mut input);
    assert!(meaning.is_none_or(|meaning| meaning == forms::read(&payload)), "the model contradicts itself");
    let payload = if input.flag() { compress(&payload) } else { payload };
    let mut dialogue = dialogue(stage, limit);
    let seen = dialogue.say(1, &payload);
    check(&mut dialogue, stage, &payload, &seen);
}

/// A link at this stage, whose messages have been read
fn dialogue(stage: Stage, limit: usize) -> Dialogue {
    let mut dialogue = Dialogue::new(&configs()[limit], Role::Recipient, key(Side::Remote).node_id());
    match stage {
        Stage::BeforeHello => {}
        Stage::Running { version } => assert_eq!(dialogue.say(0, &hello(version)).len(), 1),
        Stage::Severed => dialogue.link.send_failed(Instant::ZERO),
    }
    assert_eq!(dialogue.hear().map(|(id, _)| id), Some(0));
    dialogue
}

/// The same configurations for all runs, since each key costs a multiplication
fn configs() -> &'static [Config] {
    static CONFIGS: OnceLock<Vec<Config>> = OnceLock::new();
    CONFIGS.get_or_init(|| LIMITS.map(|limit| config(Side::Link, limit)).to_vec())
}

fn config(side: Side, limit: usize) -> Config {
    let config = Config::new(key(side), "fuzz/1", &[Protocol::new("a", 1, 1)]).unwrap();
    config.with_max_message(limit).unwrap()
}

/// The Hello of the remote
fn hello(version: u8) -> Vec<u8> {
    crate::remote::Hello::good(version.into(), std::iter::once((b"a".to_vec(), 1))).encode()
}

/// The reasons that the payload may be read as
///
/// Until compression is agreed on, two readings are possible.
fn readings(stage: Stage, payload: &[u8]) -> Vec<u64> {
    let plain = forms::read(payload);
    let mut data = [0; MAX_PAYLOAD];
    let len = snap::raw::Decoder::new().decompress(payload, &mut data).ok();
    let decompressed = len.and_then(|len| forms::read(&data[..len]));
    let both = match stage {
        Stage::Running { version: 5 } => vec![decompressed.or(plain)],
        Stage::BeforeHello | Stage::Running { .. } => vec![plain.or(decompressed)],
        Stage::Severed => vec![plain, decompressed],
    };
    both.into_iter().flatten().collect()
}

fn check(dialogue: &mut Dialogue, stage: Stage, payload: &[u8], seen: &[Seen]) {
    let size = payload.len() + 1;
    let reasons = readings(stage, payload);
    let cause = dialogue.link.cause().expect("a Disconnect ends the link");
    match cause {
        Cause::Remote(reason) => {
            assert!(size <= MAX_BASE_BODY && reasons.contains(&reason.code()), "{reason:?} is not in {reasons:?}");
            assert_eq!(seen, [Seen::Disconnect(cause)]);
            assert_eq!(dialogue.hear(), None, "a Disconnect is not answered");
            assert!(!format!("{cause} {cause:?}").is_empty());
        }
        Cause::SendFailed if stage == Stage::Severed => {
            assert!(size > MAX_BASE_BODY || reasons.is_empty(), "the link has ignored {reasons:?}");
        }
        Cause::Violation(violation) => {
            assert!(size > MAX_BASE_BODY || reasons.is_empty(), "{violation:?} for {reasons:?}");
            match violation {
                Violation::FrameTooLarge { size: named } => assert_eq!(named, size),
                Violation::MalformedDisconnect(_) => assert!(size <= MAX_BASE_BODY),
                violation => panic!("{violation:?} for a Disconnect"),
            }
            assert_eq!(violation.reason(), DisconnectReason::BREACH_OF_PROTOCOL);
            assert_eq!(dialogue.hear().map(|(id, _)| id), Some(1), "a violation is answered");
        }
        cause => panic!("{cause:?} after a Disconnect"),
    }
}
