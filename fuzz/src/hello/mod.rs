//! Hello with any content, as the first message to a link
//!
//! The expected outcome is computed from the specification: rlpx.md §Hello and §Message ID-based Multiplexing, EIP-8
//! and EIP-706.

mod numbers;
mod said;

use std::sync::OnceLock;

use devp2p_proto::{Cause, Config, DisconnectReason, Instant, NodeId, Protocol, Role, Violation};

use crate::dialogue::{Dialogue, compress, decompress};
use crate::input::Input;
use crate::items;
use crate::remote::{Agreed, agree};
use crate::settings::{Local, Side, key};
use crate::sizes::MAX_BASE_BODY;
use crate::subject::Seen;
use said::Said;

/// Several versions, names that are not sorted by their bytes, protocols without messages, and large message ids
const LOCALS: [&[Local]; 5] = [
    &[("eth", 68, 17, MAX), ("eth", 69, 18, MAX), ("snap", 1, 8, MAX)],
    &[("b", 1, 3, MAX), ("a", 1, 200, MAX), ("a", 2, 1, MAX), ("B", 7, 0, MAX), ("ab", 0, 70_000, MAX)],
    &[("12345678", 1, 1, MAX), ("1234567", 1, 120, MAX), ("zero", 1, 0, MAX), ("1234567", u64::MAX, 300, MAX)],
    &[("z", 5, 300, MAX), ("only", 0, u64::MAX / 2, MAX), ("only", 1, 1 << 40, MAX)],
    &[("zero", 0, 0, MAX)],
];
const MAX: usize = 1024;

/// Sends the Hello that `data` describes to a link, and messages after it
pub fn hello(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = usize::from(input.byte()) % LOCALS.len();
    let flags = input.byte();
    let role = if flags & 1 == 0 { Role::Initiator } else { Role::Recipient };
    // The peer can prove the link's own id only if the link has dialled itself.
    let remote = key(if flags & 0x70 == 0x70 { Side::Link } else { Side::Remote }).node_id();
    let said = Said::from_input(&mut input, LOCALS[choice]);
    let payload = if flags & 0x0e == 0x0e { compress(&said.payload) } else { said.payload.clone() };
    let mut dialogue = Dialogue::new(&configs()[choice], role, remote);
    let seen = dialogue.say(0, &payload);
    let agreed = agree(LOCALS[choice], &said.capabilities);
    let violations = if payload.len() + 1 > MAX_BASE_BODY {
        vec![Violation::FrameTooLarge { size: payload.len() + 1 }]
    } else if payload != said.payload {
        assert!(matches!(dialogue.link.cause(), Some(Cause::Violation(Violation::MalformedHello(_)))));
        return;
    } else {
        said.violations(remote)
    };
    if !violations.is_empty() {
        let Some(Cause::Violation(found)) = dialogue.link.cause() else {
            panic!("{seen:?} after {violations:?}");
        };
        assert!(violations.contains(&found), "{found:?} is none of {violations:?}");
        assert_eq!(seen, []);
        check_goodbye(&mut dialogue, found.reason());
    } else if agreed.is_empty() {
        assert_eq!((dialogue.link.cause(), seen), (Some(Cause::NothingShared), vec![]));
        check_goodbye(&mut dialogue, DisconnectReason::USELESS_PEER);
    } else {
        check_ready(&seen, &agreed);
        said.check_what_is_kept(dialogue.link.remote_hello().unwrap());
        check_messages(&mut dialogue, &agreed, said.version >= 5);
    }
}

/// The same configurations for all runs, since each key costs a multiplication
fn configs() -> &'static [Config] {
    static CONFIGS: OnceLock<Vec<Config>> = OnceLock::new();
    CONFIGS.get_or_init(|| LOCALS.map(config).to_vec())
}

fn config(locals: &[Local]) -> Config {
    let protocols: Vec<_> =
        locals.iter().map(|(name, version, length, _)| Protocol::new(name, *version, *length)).collect();
    Config::new(key(Side::Link), "fuzz/1", &protocols).unwrap().with_max_message(MAX).unwrap()
}

/// Hello, and then a Disconnect with this reason, are all that the link has sent
fn check_goodbye(dialogue: &mut Dialogue, reason: DisconnectReason) {
    assert_eq!(dialogue.hear().map(|(id, _)| id), Some(0));
    let (id, payload) = dialogue.hear().expect("a violation is answered");
    // A remote of version 4 cannot read compressed messages, and the link may not know the version.
    let plain = items::list(&items::uint(reason.code()));
    assert!(id == 1 && [compress(&plain), plain].contains(&payload), "{reason} is not in {payload:x?}");
    assert_eq!(dialogue.hear(), None);
}

/// The link is ready with exactly these protocols
fn check_ready(seen: &[Seen], agreed: &[Agreed]) {
    let [Seen::Ready(shared)] = seen else {
        panic!("{seen:?} where {agreed:?} are shared");
    };
    assert_eq!(shared.len(), agreed.len());
    assert!(agreed.iter().all(|agreed| shared.iter().any(|shared| agreed.is(shared))), "{shared:?} are not {agreed:?}");
}

/// The first and the last message of each protocol, in both directions, and the first id that no protocol has
fn check_messages(dialogue: &mut Dialogue, agreed: &[Agreed], compressed: bool) {
    let encode = |payload: &[u8]| if compressed { compress(payload) } else { payload.to_vec() };
    assert_eq!(dialogue.hear().map(|(id, _)| id), Some(0));
    let mut end = 16;
    for (position, Agreed { protocol, offset, length, .. }) in agreed.iter().enumerate() {
        end = offset + length;
        for code in [0, length.saturating_sub(1)].into_iter().filter(|code| code < length) {
            let message = vec![position as u8; code as usize % 40];
            let seen = dialogue.say(offset + code, &encode(&message));
            assert!(
                matches!(&seen[..], [Seen::Deliver { protocol: to, code: of, payload, .. }]
                    if to == protocol && *of == code && *payload == message),
                "{seen:?} is not code {code} of {protocol}"
            );
            dialogue.link.write(Instant::ZERO, *protocol, code, &message).unwrap();
            assert_eq!(dialogue.act(), []);
            let (id, payload) = dialogue.hear().unwrap();
            assert_eq!(id, offset + code);
            assert_eq!(if compressed { decompress(&payload) } else { payload }, message);
        }
    }
    assert_eq!(dialogue.say(end, &encode(&[])), []);
    assert_eq!(dialogue.link.cause(), Some(Cause::Violation(Violation::UnknownMessageId(end))));
}

/// The node id of the links in this target
fn own_id() -> NodeId {
    key(Side::Link).node_id()
}
