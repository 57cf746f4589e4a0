//! How links with geth v1.17.10 end, and what each side makes of it

use devp2p_program_tests::driver::{Kind, Leave, Message, node};
use devp2p_proto::{Cause, DisconnectReason, Protocol, ProtocolError, ProtocolId, Role, Violation, WriteError};
use serde_json::json;

use crate::geth::{geth, running};
use crate::meeting::{BULK, ECHO, Meeting, PROTOCOLS, each, failed, returned};

both_roles!(
    of_a_running_link,
    our_process_dies,
    our_process_dies_before_it_has_read,
    its_process_dies,
    its_code_is_outside_our_range,
    our_code_is_outside_its_range,
    our_code_is_outside_our_own_range,
    both_part_at_once,
    its_disconnect_with_each_reason,
    our_disconnect_with_each_reason,
    we_disconnect_at_ready,
);

/// What geth says about the end of a link that was up
#[derive(Debug, Clone, Copy)]
struct Drop {
    /// How the error begins
    error: &'static str,
    /// Whether it says that we asked for it; it does not say while it stops
    requested: Option<bool>,
}

const fn by_us(error: &'static str) -> Drop {
    Drop { error, requested: Some(true) }
}

const fn by_it(error: &'static str) -> Drop {
    Drop { error, requested: Some(false) }
}

fn check_drop(meeting: &mut Meeting, expected: Drop) {
    let drop = meeting.event("drop");
    let error = drop["error"].as_str().unwrap_or_default();
    assert!(error.starts_with(expected.error), "expected {expected:?}, its drop is {drop}");
    assert_eq!(drop["requested"].as_bool(), expected.requested, "expected {expected:?}, its drop is {drop}");
}

/// How a link that is up comes to its end, and what each side makes of it
struct Ending {
    what: &'static str,
    act: fn(&mut Meeting),
    ours: Cause,
    its: Drop,
}

pub const fn remote(code: u64) -> Cause {
    Cause::Remote(DisconnectReason::from_code(code))
}

fn endings() -> Vec<Ending> {
    vec![
        Ending {
            what: "its protocol returns",
            act: |meeting| meeting.it.command(json!({"cmd": "return", "protocol": "echo/2"})),
            ours: remote(8),
            its: by_it("protocol returned"),
        },
        Ending {
            what: "its protocol fails",
            act: |meeting| meeting.it.command(json!({"cmd": "fail", "protocol": "echo/2"})),
            ours: remote(0x10),
            its: by_it("failed as commanded"),
        },
        Ending {
            what: "its protocol fails with a reason",
            act: |meeting| meeting.it.command(json!({"cmd": "fail-reason", "protocol": "echo/2", "reason": 3})),
            ours: remote(3),
            its: by_it("useless peer"),
        },
        Ending {
            what: "its protocol fails with a reason that has no name",
            act: |meeting| meeting.it.command(json!({"cmd": "fail-reason", "protocol": "echo/2", "reason": 200})),
            ours: remote(200),
            its: by_it("unknown disconnect reason 200"),
        },
        Ending {
            what: "its protocol fails on a message that does not decode",
            act: |meeting| meeting.it.command(json!({"cmd": "fail-decode", "protocol": "echo/2"})),
            ours: remote(2),
            its: by_it("invalid message"),
        },
        Ending {
            what: "its protocol fails on a code outside its range",
            act: |meeting| meeting.it.command(json!({"cmd": "fail-code", "protocol": "echo/2"})),
            ours: remote(2),
            its: by_it("invalid message code"),
        },
        Ending {
            what: "its server stops",
            act: |meeting| meeting.it.command(json!({"cmd": "stop"})),
            ours: remote(8),
            its: Drop { error: "client quitting", requested: None },
        },
        Ending {
            what: "it removes the peer",
            act: |meeting| {
                let address = meeting.us.socket().local_addr().expect("the link is up");
                let id = meeting.us.link.local_id();
                meeting.it.command(json!({"cmd": "undial", "enode": format!("enode://{id}@{address}")}));
            },
            ours: remote(0),
            its: by_it("disconnect requested"),
        },
        Ending {
            what: "our protocol returns",
            act: |meeting| meeting.us.link.protocol_returned(meeting.us.now(), ECHO, Ok(())).expect("it runs"),
            ours: returned(),
            its: by_us("client quitting"),
        },
        Ending {
            what: "our protocol fails",
            act: |meeting| fail(meeting, ProtocolError::Other),
            ours: failed(ProtocolError::Other),
            its: by_us("subprotocol error"),
        },
        Ending {
            what: "our protocol fails on a bad message",
            act: |meeting| fail(meeting, ProtocolError::BadMessage),
            ours: failed(ProtocolError::BadMessage),
            its: by_us("breach of protocol"),
        },
        Ending {
            what: "our protocol fails with a reason",
            act: |meeting| fail(meeting, ProtocolError::Reason(DisconnectReason::USELESS_PEER)),
            ours: failed(ProtocolError::Reason(DisconnectReason::USELESS_PEER)),
            its: by_us("useless peer"),
        },
        Ending {
            what: "we send, then part at once",
            act: |meeting| {
                meeting.us.send(Message::new(BULK, 0, Kind::Random, 1 << 20, 0));
                meeting.until("all sent", |us, _| us.is_drained().then_some(()));
                meeting.us.link.disconnect(meeting.us.now(), DisconnectReason::CLIENT_QUITTING);
            },
            ours: Cause::Local(DisconnectReason::CLIENT_QUITTING),
            its: by_us("client quitting"),
        },
    ]
}

fn fail(meeting: &mut Meeting, error: ProtocolError) {
    meeting.us.link.protocol_returned(meeting.us.now(), ECHO, Err(error)).expect("it runs");
}

fn of_a_running_link(role: Role) {
    each(endings().iter().map(|row| (row.what, row)), |row| {
        let mut meeting = running(role);
        (row.act)(&mut meeting);
        assert_eq!(meeting.cause(), row.ours);
        check_drop(&mut meeting, row.its);
    });
}

fn our_process_dies(role: Role) {
    let mut meeting = running(role);
    meeting.us.die();
    let drop = meeting.it.wait("drop", |event| event["event"] == "drop");
    assert_eq!((&drop["error"], &drop["requested"]), (&json!("EOF"), &json!(false)), "{drop}");
}

/// The system resets a connection of which not everything was read
fn our_process_dies_before_it_has_read(role: Role) {
    let mut meeting = running(role);
    meeting.it.command(json!({"cmd": "send", "protocol": "bulk/1", "size": 1000}));
    meeting.it.wait("sent", |event| event["event"] == "sent");
    meeting.us.die();
    let drop = meeting.it.wait("drop", |event| event["event"] == "drop");
    assert!(drop["error"].as_str().is_some_and(|error| error.contains("connection reset by peer")), "{drop}");
    assert_eq!(drop["requested"], false, "{drop}");
}

fn its_process_dies(role: Role) {
    let mut meeting = running(role);
    meeting.it.kill();
    assert_eq!(meeting.cause(), Cause::ReceiveClosed);
}

fn its_code_is_outside_our_range(role: Role) {
    let short = [Protocol::new("bulk", 1, 2)];
    let mut meeting = Meeting::running(role, &node(&short), geth());
    meeting.it.command(json!({"cmd": "send", "protocol": "bulk/1", "code": 2}));
    assert_eq!(meeting.cause(), Cause::Violation(Violation::UnknownMessageId(0x12)));
    check_drop(&mut meeting, by_us("breach of protocol"));
}

/// geth hangs up without a word
fn our_code_is_outside_its_range(role: Role) {
    let long = [Protocol::new("bulk", 1, 9)];
    let mut meeting = Meeting::running(role, &node(&long), geth());
    meeting.us.send(Message::new(ProtocolId(0), 4, Kind::Zero, 0, 0));
    assert_eq!(meeting.cause(), Cause::ReceiveClosed);
    check_drop(&mut meeting, by_it("msg code out of range: 20"));
}

/// Refused on our side, and harms nobody
fn our_code_is_outside_our_own_range(role: Role) {
    let mut meeting = running(role);
    meeting.us.send(Message::new(BULK, 4, Kind::Zero, 0, 0));
    let (_, error) = meeting.until("a refusal", |us, _| us.refused.pop());
    assert_eq!(error, WriteError::InvalidCode);
    meeting.echo(vec![Message::new(BULK, 3, Kind::Zero, 0, 0)]);
}

/// Whoever was first decides for itself; each side has the one or the other account
fn both_part_at_once(role: Role) {
    each((0..10).map(|round| (round, round)), |_| {
        let mut meeting = running(role);
        meeting.it.command(json!({"cmd": "disconnect", "reason": 4}));
        meeting.us.link.disconnect(meeting.us.now(), DisconnectReason::CLIENT_QUITTING);
        assert_eq!(meeting.cause(), Cause::Local(DisconnectReason::CLIENT_QUITTING), "ours was decided first");
        let drop = meeting.event("drop");
        let account = (drop["error"].as_str(), drop["requested"].as_bool());
        let accounts = [(Some("client quitting"), Some(true)), (Some("too many peers"), Some(false))];
        assert!(accounts.contains(&account), "{drop}");
    });
}

/// geth's words for a number
const REASONS: &[(u64, &str)] = &[
    (0x00, "disconnect requested"),
    (0x01, "network error"),
    (0x02, "breach of protocol"),
    (0x03, "useless peer"),
    (0x04, "too many peers"),
    (0x05, "already connected"),
    (0x06, "incompatible p2p protocol version"),
    (0x07, "invalid node identity"),
    (0x08, "client quitting"),
    (0x09, "unexpected identity"),
    (0x0a, "connected to self"),
    (0x0b, "read timeout"),
    (0x0c, "unknown disconnect reason 12"),
    (0x0d, "unknown disconnect reason 13"),
    (0x0e, "unknown disconnect reason 14"),
    (0x0f, "unknown disconnect reason 15"),
    (0x10, "subprotocol error"),
    (0x7f, "unknown disconnect reason 127"),
    (0x80, "unknown disconnect reason 128"),
    (0xff, "invalid disconnect reason"),
];

fn its_disconnect_with_each_reason(role: Role) {
    each(REASONS.iter().map(|(code, text)| (format!("{code:#x}"), (*code, *text))), |(code, text)| {
        let mut meeting = running(role);
        meeting.it.command(json!({"cmd": "disconnect", "reason": code}));
        // Reason 1 is for what cannot be said any more: geth does not send it.
        let expected = if code == 1 { Cause::ReceiveClosed } else { remote(code) };
        assert_eq!(meeting.cause(), expected);
        check_drop(&mut meeting, by_it(text));
    });
}

fn our_disconnect_with_each_reason(role: Role) {
    // geth reads a number beyond 8 bits as no reason at all.
    let rows = REASONS.iter().chain(&[(0x100, "invalid disconnect reason")]);
    each(rows.map(|(code, text)| (format!("{code:#x}"), (*code, *text))), |(code, text)| {
        let reason = DisconnectReason::from_code(code);
        let mut meeting = running(role);
        meeting.us.link.disconnect(meeting.us.now(), reason);
        assert_eq!(meeting.cause(), Cause::Local(reason));
        check_drop(&mut meeting, by_us(text));
    });
}

fn we_disconnect_at_ready(role: Role) {
    let mut meeting = Meeting::begin(role, &node(PROTOCOLS), geth());
    meeting.us.leave = Leave::AtReady(DisconnectReason::ALREADY_CONNECTED);
    assert_eq!(meeting.cause(), Cause::Local(DisconnectReason::ALREADY_CONNECTED));
    assert!(meeting.us.is_ready());
    check_drop(&mut meeting, by_us("already connected"));
}
