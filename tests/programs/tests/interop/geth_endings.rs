//! How links with geth v1.17.10 end, and what each side makes of it

use devp2p_program_tests::driver::{Driver, Kind, Leave, Message, Seen, new_key, node};
use devp2p_program_tests::process::Process;
use devp2p_proto::{
    Cause, Config, DisconnectReason, Protocol, ProtocolError, ProtocolId, Role, SecretKey, Violation, WriteError,
};
use serde_json::{Value, json};

use crate::geth::{geth, running};
use crate::meeting::{BULK, By, ECHO, Meeting, PROTOCOLS, each};

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
    no_room,
    of_a_link_that_never_ran,
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

const fn remote(code: u64) -> Cause {
    Cause::Remote(DisconnectReason::from_code(code))
}

const fn failed(error: ProtocolError) -> Cause {
    Cause::ProtocolFailed(ECHO, error)
}

const ENDINGS: &[Ending] = &[
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
        ours: Cause::ProtocolReturned(ECHO),
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
        act: |meeting| fail(meeting, ProtocolError::Reason(DisconnectReason::UselessPeer)),
        ours: failed(ProtocolError::Reason(DisconnectReason::UselessPeer)),
        its: by_us("useless peer"),
    },
    Ending {
        what: "we send, then part at once",
        act: |meeting| {
            meeting.us.send(Message::new(BULK, 0, Kind::Random, 1 << 20, 0));
            meeting.until("all sent", |us, _| us.is_drained().then_some(()));
            meeting.us.link.disconnect(meeting.us.now(), DisconnectReason::ClientQuitting);
        },
        ours: Cause::Local(DisconnectReason::ClientQuitting),
        its: by_us("client quitting"),
    },
];

fn fail(meeting: &mut Meeting, error: ProtocolError) {
    meeting.us.link.protocol_returned(meeting.us.now(), ECHO, Err(error)).expect("it runs");
}

fn of_a_running_link(role: Role) {
    each(ENDINGS.iter().map(|row| (row.what, row)), |row| {
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
        meeting.us.link.disconnect(meeting.us.now(), DisconnectReason::ClientQuitting);
        assert_eq!(meeting.cause(), Cause::Local(DisconnectReason::ClientQuitting), "ours was decided first");
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

/// Its Disconnect takes the place of Hello, and it hangs up before it has read ours
///
/// A hesitant writer finds the connection reset half-way through its Hello, and has to go on reading.
fn no_room(role: Role) {
    let rounds = [("at once", false), ("hesitant", true)];
    each(rounds.iter().cycle().take(20).copied(), |hesitant| {
        let config = node(PROTOCOLS);
        let it = Process::geth(&["-max-peers", "0"]);
        let (its, ours) = (it.id, config.node_id());
        let mut meeting = Meeting::with_ids(role, &config, it, By::Connect, its, ours);
        meeting.us.hesitant = hesitant;
        assert_eq!(meeting.cause(), remote(4));
        assert!(!hesitant || meeting.us.failed_writes > 0, "no write failed, so nothing is shown");
        assert_eq!(meeting.us.seen, [Seen::Authenticated(its), Seen::Disconnect(remote(4))], "no Hello came");
        check_log(&mut meeting, role, "Rejected peer", "too many peers");
    });
}

/// Waits for geth's log record, and for what it says of its own attempt if it dialled past its dialer
fn check_log(meeting: &mut Meeting, role: Role, msg: &str, err: &str) {
    let what = format!("{msg:?} {err:?} in its log");
    meeting.until(&what, |_, it| it.find(|e| e["event"] == "log" && e["msg"] == msg && starts(&e["err"], err)));
    if role == Role::Recipient {
        let outcome = meeting.event("connected");
        assert!(outcome["error"].as_str().is_some_and(|error| error.contains(err)), "expected {err:?}: {outcome}");
    }
}

fn starts(value: &Value, prefix: &str) -> bool {
    value.as_str().is_some_and(|text| text.starts_with(prefix))
}

/// How a link ends that was never up on both sides, and what each side makes of it
struct Refusal {
    what: &'static str,
    setup: Setup,
    /// Our cause when we dial, and when it does
    ours: [Cause; 2],
    /// Message and error in geth's log when we dial, and when it does
    its: [(&'static str, &'static str); 2],
}

#[derive(Clone, Copy)]
enum Setup {
    Leave(Leave),
    NothingShared,
    /// Whoever dials takes the other for somebody else
    WrongId,
    /// Our key is its key
    Self_,
    /// There is another link between the two
    Twice,
}

const NOBODY_HEARD: &str = "EOF";

const REFUSALS: &[Refusal] = &[
    Refusal {
        what: "we disconnect in place of Hello",
        setup: Setup::Leave(Leave::AtAuthenticated(DisconnectReason::TooManyPeers)),
        ours: [Cause::Local(DisconnectReason::TooManyPeers); 2],
        its: [("Failed p2p handshake", "too many peers"); 2],
    },
    Refusal {
        what: "we disconnect in place of Hello for a reason without a name",
        setup: Setup::Leave(Leave::AtAuthenticated(DisconnectReason::Other(0x2a))),
        ours: [Cause::Local(DisconnectReason::Other(0x2a)); 2],
        its: [("Failed p2p handshake", "unknown disconnect reason 42"); 2],
    },
    Refusal {
        what: "nothing is shared",
        setup: Setup::NothingShared,
        ours: [Cause::NothingShared; 2],
        its: [("Rejected peer", "useless peer"); 2],
    },
    Refusal {
        what: "the wrong node id is expected",
        setup: Setup::WrongId,
        ours: [Cause::ReceiveClosed, Cause::Violation(Violation::HandshakeTagMismatch)],
        its: [("Failed RLPx handshake", "ecies: invalid message"), ("Failed RLPx handshake", NOBODY_HEARD)],
    },
    Refusal {
        what: "it meets itself",
        setup: Setup::Self_,
        ours: [remote(0x0a); 2],
        its: [("Rejected peer", "connected to self"); 2],
    },
    Refusal {
        what: "there is a link already",
        setup: Setup::Twice,
        ours: [remote(0x05); 2],
        its: [("Rejected peer", "already connected"); 2],
    },
];

fn of_a_link_that_never_ran(role: Role) {
    each(REFUSALS.iter().map(|row| (row.what, row)), |row| {
        let (mut meeting, _other) = refused(role, row.setup);
        assert_eq!(meeting.cause(), row.ours[role as usize]);
        assert!(!meeting.us.is_ready());
        let (msg, err) = row.its[role as usize];
        check_log(&mut meeting, role, msg, err);
    });
}

fn we_disconnect_at_ready(role: Role) {
    let mut meeting = Meeting::begin(role, &node(PROTOCOLS), geth());
    meeting.us.leave = Leave::AtReady(DisconnectReason::AlreadyConnected);
    assert_eq!(meeting.cause(), Cause::Local(DisconnectReason::AlreadyConnected));
    assert!(meeting.us.is_ready());
    check_drop(&mut meeting, by_us("already connected"));
}

/// A link that will not come up, and the link that is in its way, if there is one
fn refused(role: Role, setup: Setup) -> (Meeting, Option<Driver>) {
    let protocols: &[Protocol<'_>] = match setup {
        Setup::NothingShared => &[Protocol::new("echo", 3, 17), Protocol::new("Ping", 1, 8)],
        _ => PROTOCOLS,
    };
    let key = "1111111111111111111111111111111111111111111111111111111111111111";
    let (config, it) = match setup {
        Setup::Self_ => {
            let secret = SecretKey::from_bytes([0x11; 32]).expect("a key");
            let config = Config::new(secret, "its twin", protocols).expect("usable");
            (config, Process::geth(&["-key", key]))
        }
        _ => (node(protocols), geth()),
    };
    let wrong = new_key().node_id();
    let (its, ours) = match setup {
        Setup::WrongId => (wrong, wrong),
        _ => (it.id, config.node_id()),
    };
    match setup {
        Setup::Twice => {
            let mut meeting = Meeting::running(Role::Initiator, &config, it);
            let other = meeting.begin_again(role, &config, By::Connect);
            (meeting, Some(other))
        }
        Setup::Leave(leave) => {
            let mut meeting = Meeting::with_ids(role, &config, it, By::Connect, its, ours);
            meeting.us.leave = leave;
            (meeting, None)
        }
        _ => (Meeting::with_ids(role, &config, it, By::Connect, its, ours), None),
    }
}
