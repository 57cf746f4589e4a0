//! `@ethereumjs/devp2p` 10.0.0

use devp2p_program_tests::driver::{Kind, Leave, Message, Seen, node};
use devp2p_program_tests::process::Process;
use devp2p_proto::{Cause, DisconnectReason, Protocol, ProtocolError, ProtocolId, Role, Timeouts, Violation};
use serde_json::{Value, json};

use crate::meeting::{BULK, ECHO, Meeting, PROTOCOLS, each, failed, idle, returned};

both_roles!(
    agreement,
    echo,
    its_messages_come_back_from_us,
    an_idle_link_lives,
    its_disconnect_with_each_reason,
    its_returning_and_stopping,
    its_process_dies,
    its_message_id_is_in_no_range,
    our_partings,
    our_disconnect_with_each_reason,
    our_process_dies,
    nothing_shared,
    a_disconnect_in_place_of_hello,
);

/// A link up and running with the default lists of both sides
fn running(role: Role) -> Meeting {
    Meeting::running(role, &node(PROTOCOLS), Process::ethereumjs(&[]))
}

fn agreement(role: Role) {
    let ours = [
        Protocol::new("ping", 1, 8),
        Protocol::new("les", 3, 20),
        Protocol::new("echo", 1, 16),
        Protocol::new("echo", 2, 17),
        Protocol::new("echo", 3, 40),
        Protocol::new("bulk", 2, 4),
    ];
    let its = "snap/1:8,echo/4:9,echo/2:17,echo/1:16,ping/1:8,bulk/1:4";
    let config = node(&ours);
    let it = Process::ethereumjs(&["--protocols", its, "--sink", "all", "--verbose", "--name", "its name"]);
    let mut meeting = Meeting::running(role, &config, it);
    let its_id = meeting.it.id;
    let agreed = ["ping/1@33+8", "echo/2@16+17"].map(String::from);
    assert_eq!(meeting.us.seen, [Seen::IdentityClaimed(its_id), Seen::Ready(agreed.to_vec())]);
    let hello = meeting.us.link.remote_hello().expect("Hello came");
    assert_eq!((hello.version(), hello.client_id()), (5, "its name"));
    let listed: Vec<String> = hello.capabilities().iter().map(ToString::to_string).collect();
    let expected: Vec<&str> = its.split(',').filter_map(|protocol| Some(protocol.split_once(':')?.0)).collect();
    assert_eq!(listed, expected);

    // What it made of the same two Hellos.
    let add = meeting.event("add");
    let caps: Vec<String> = config.capabilities().map(|capability| capability.to_string()).collect();
    assert_eq!((&add["name"], &add["version"]), (&json!(config.client_id()), &json!(5)));
    assert_eq!(add["caps"], json!(caps));
    let mut runs = Vec::new();
    meeting.until("both protocols", |_, it| {
        runs = it.events().iter().filter(|event| event["event"] == "run").map(run).collect();
        (runs.len() == 2).then_some(())
    });
    runs.sort_unstable();
    assert_eq!(runs, ["echo/2@16+17", "ping/1@33+8"]);

    for (protocol, name, length) in [(0, "ping/1", 8), (3, "echo/2", 17)] {
        for code in 0..length {
            meeting.us.send(Message::new(ProtocolId(protocol), code, Kind::Text, 3, 0));
            meeting.until(&format!("{name} code {code} over there"), |_, it| {
                let arrived = |event: &Value| event["protocol"] == name && event["code"] == code;
                it.find(|event| event["event"] == "message" && arrived(event))
            });
            meeting.take(ProtocolId(protocol), name, code, Kind::Random, 33);
        }
    }
}

fn run(event: &Value) -> String {
    format!("{}@{}+{}", event["protocol"].as_str().unwrap_or_default(), event["offset"], event["length"])
}

fn echo(role: Role) {
    let mut meeting = running(role);
    let mut messages = Vec::new();
    for size in [0, 1, 31, 32, 33, 1 << 10, 64 << 10, 1 << 20] {
        for kind in Kind::ALL {
            messages.push(Message::new(ECHO, 16, kind, size, 0));
            messages.push(Message::new(BULK, 1, kind, size, 1));
        }
    }
    meeting.echo(messages);
    let one = |i: u32| {
        let protocol = [ECHO, BULK][i as usize % 2];
        Message::new(protocol, u64::from(i % 4), Kind::ALL[i as usize % 3], i as usize % 300, i)
    };
    meeting.echo((0..200).map(one).collect());
}

fn its_messages_come_back_from_us(role: Role) {
    let it = Process::ethereumjs(&["--sink", "all", "--verbose"]);
    let mut meeting = Meeting::running(role, &node(PROTOCOLS), it);
    meeting.us.echo = true;
    let sizes = [0, 1, 31, 32, 33, 1 << 10, 64 << 10, 1 << 20];
    for (size, code) in sizes.into_iter().zip((0..4).cycle()) {
        for kind in Kind::ALL {
            meeting.take(BULK, "bulk/1", code, kind, size);
        }
    }
    let back = |it: &mut Process| -> Vec<u64> {
        it.events().iter().filter(|e| e["event"] == "message").filter_map(|e| e["size"].as_u64()).collect()
    };
    let sent: Vec<u64> = meeting.us.delivered().map(|message| message.payload.len() as u64).collect();
    meeting.until("all echoes", |_, it| (back(it).len() == sent.len()).then_some(()));
    assert_eq!(back(&mut meeting.it), sent);
}

/// It pings after 15 s and then waits 10 s for a Pong
fn an_idle_link_lives(role: Role) {
    let counted = idle(role, Timeouts::default(), Process::ethereumjs(&[]));
    assert!(counted.on_timeout >= 2 && counted.on_receive >= 2, "Pings from both: {counted:?}");
}

/// Its account of an ending: the reason, and whether it says that it was its own doing
fn check_drop(meeting: &mut Meeting, reason: Option<u64>, by_it: Option<bool>) {
    let drop = meeting.event("drop");
    assert_eq!((drop["reason"].as_u64(), drop["we"].as_bool()), (reason, by_it), "{drop}");
}

fn its_disconnect_with_each_reason(role: Role) {
    // Numbers from 0x80 on are no single byte of RLP, which is how this client writes them.
    let codes = (0..=0x10).chain([0x7f]);
    each(codes.map(|code| (format!("{code:#x}"), code)), |code| {
        let mut meeting = running(role);
        meeting.it.command(json!({"cmd": "disconnect", "reason": code}));
        assert_eq!(meeting.cause(), Cause::Remote(DisconnectReason::from_code(code)));
        check_drop(&mut meeting, Some(code), Some(true));
    });
}

fn its_returning_and_stopping(role: Role) {
    each([("return", "return"), ("stop", "stop")], |command| {
        let mut meeting = running(role);
        meeting.it.command(json!({"cmd": command}));
        assert_eq!(meeting.cause(), Cause::Remote(DisconnectReason::CLIENT_QUITTING));
        check_drop(&mut meeting, Some(8), Some(true));
    });
}

fn its_process_dies(role: Role) {
    let mut meeting = running(role);
    meeting.it.kill();
    assert_eq!(meeting.cause(), Cause::ReceiveClosed);
}

fn its_message_id_is_in_no_range(role: Role) {
    let mut meeting = running(role);
    meeting.it.command(json!({"cmd": "send-id", "id": 0x70}));
    assert_eq!(meeting.cause(), Cause::Violation(Violation::UnknownMessageId(0x70)));
    check_drop(&mut meeting, Some(2), Some(false));
}

/// How we part
struct Parting {
    what: &'static str,
    act: fn(&mut Meeting),
    ours: Cause,
    /// The reason that it reads
    its: u64,
}

fn partings() -> Vec<Parting> {
    vec![
        Parting {
            what: "our protocol returns",
            act: |meeting| meeting.us.link.protocol_returned(meeting.us.now(), ECHO, Ok(())).expect("it runs"),
            ours: returned(),
            its: 8,
        },
        Parting {
            what: "our protocol fails",
            act: |meeting| {
                let failed = Err(ProtocolError::Other);
                meeting.us.link.protocol_returned(meeting.us.now(), ECHO, failed).expect("it runs");
            },
            ours: failed(ProtocolError::Other),
            its: 0x10,
        },
        Parting {
            what: "our protocol fails on a bad message",
            act: |meeting| {
                let failed = Err(ProtocolError::BadMessage);
                meeting.us.link.protocol_returned(meeting.us.now(), ECHO, failed).expect("it runs");
            },
            ours: failed(ProtocolError::BadMessage),
            its: 2,
        },
    ]
}

fn our_partings(role: Role) {
    each(partings().iter().map(|row| (row.what, row)), |row| {
        let mut meeting = running(role);
        (row.act)(&mut meeting);
        assert_eq!(meeting.cause(), row.ours);
        check_drop(&mut meeting, Some(row.its), Some(false));
    });
}

fn our_disconnect_with_each_reason(role: Role) {
    let codes = (0..=0x10).chain([0x7f, 0x80, 0xff]);
    each(codes.map(|code| (format!("{code:#x}"), code)), |code| {
        let reason = DisconnectReason::from_code(code);
        let mut meeting = running(role);
        meeting.us.link.disconnect(meeting.us.now(), reason);
        assert_eq!(meeting.cause(), Cause::Local(reason));
        check_drop(&mut meeting, Some(code), Some(false));
    });
}

fn our_process_dies(role: Role) {
    let mut meeting = running(role);
    meeting.us.die();
    let drop = meeting.it.wait("drop", |event| event["event"] == "drop");
    assert_eq!((&drop["reason"], &drop["we"]), (&Value::Null, &Value::Null), "{drop}");
}

/// It sends its Hello first, and then that there is no room; it dials nobody then
#[test]
#[ignore = "needs the real clients: tests/programs/interop/run"]
fn no_room() {
    let it = Process::ethereumjs(&["--max-peers", "0"]);
    let mut meeting = Meeting::begin(Role::Initiator, &node(PROTOCOLS), it);
    assert_eq!(meeting.cause(), Cause::Remote(DisconnectReason::TOO_MANY_PEERS));
    assert!(meeting.us.is_ready());
    let refused = meeting.event("refused");
    assert_eq!((&refused["reason"], &refused["we"]), (&json!(4), &json!(true)), "{refused}");
}

fn nothing_shared(role: Role) {
    let ours = [Protocol::new("echo", 3, 17), Protocol::new("Ping", 1, 8)];
    let mut meeting = Meeting::begin(role, &node(&ours), Process::ethereumjs(&[]));
    let cause = meeting.cause();
    match role {
        Role::Initiator => assert_eq!(cause, Cause::NothingShared),
        // A dialler of this kind may have our Hello before it has sent its own, and then sends
        // its Disconnect in place of it.
        Role::Recipient => {
            let its_word = Cause::Remote(DisconnectReason::USELESS_PEER);
            assert!(cause == Cause::NothingShared || cause == its_word, "{cause:?}");
        }
    }
    let refused = meeting.event("refused");
    assert_eq!(refused["reason"], 3, "{refused}");
}

fn a_disconnect_in_place_of_hello(role: Role) {
    let mut meeting = Meeting::begin(role, &node(PROTOCOLS), Process::ethereumjs(&[]));
    meeting.us.leave = Leave::AtIdentityClaimed(DisconnectReason::TOO_MANY_PEERS);
    assert_eq!(meeting.cause(), Cause::Local(DisconnectReason::TOO_MANY_PEERS));
    let refused = meeting.event("refused");
    assert_eq!((&refused["reason"], &refused["we"]), (&json!(4), &json!(false)), "{refused}");
}
