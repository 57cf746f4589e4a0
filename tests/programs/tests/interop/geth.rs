//! geth v1.17.10, `p2p.Server`

use std::time::Duration;

use devp2p_program_tests::NEVER;
use devp2p_program_tests::driver::{Driver, Kind, Message, Seen, node};
use devp2p_program_tests::process::Process;
use devp2p_proto::{DisconnectReason, Protocol, ProtocolId, Role, Timeouts, WriteError};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::meeting::{BULK, ECHO, Meeting, PING, PROTOCOLS, each, idle};

both_roles!(
    agreement,
    one_protocol_in_several_versions,
    echo_of_every_size,
    echo_of_the_largest,
    echo_of_a_thousand_interleaved,
    its_messages_come_back_from_us,
    an_idle_link_lives,
);

/// geth's message size is 24 bits, compressed and not
const LARGEST: usize = 0x00ff_ffff;
/// The largest that does not compress and still is a frame of geth's
const LARGEST_RANDOM: usize = 16_776_442;

pub fn geth() -> Process {
    Process::geth(&[])
}

/// A link up and running with the default lists of both sides
pub fn running(role: Role) -> Meeting {
    Meeting::running(role, &node(PROTOCOLS), geth())
}

fn agreement(role: Role) {
    let ours = [
        Protocol::new("ping", 1, 8),
        Protocol::new("les", 3, 20),
        Protocol::new("echo", 1, 16),
        Protocol::new("echo", 2, 17),
        Protocol::new("echo", 3, 40),
        Protocol::new("idle", 1, 0),
        Protocol::new("Zed", 7, 3),
        Protocol::new("bulk", 2, 4),
    ];
    let its = "snap/1:8,echo/4:9,echo/2:17,echo/1:16,ping/1:8,bulk/1:4,idle/1:0,Zed/7:3,Echo/3:5";
    let config = node(&ours);
    let it = Process::geth(&["-protocols", its, "-sink", "all", "-verbose", "-name", "geth/its name"]);
    let mut meeting = Meeting::running(role, &config, it);

    let its_id = meeting.it.id;
    let agreed = ["ping/1@36+8", "echo/2@19+17", "idle/1@36+0", "Zed/7@16+3"].map(String::from);
    assert_eq!(meeting.us.seen, [Seen::IdentityClaimed(its_id), Seen::Ready(agreed.to_vec())]);
    let hello = meeting.us.link.remote_hello().expect("Hello came");
    assert_eq!((hello.version(), hello.client_id()), (5, "geth/its name"));
    let listed: Vec<String> = hello.capabilities().iter().map(ToString::to_string).collect();
    let mut expected: Vec<&str> = its.split(',').filter_map(|protocol| Some(protocol.split_once(':')?.0)).collect();
    expected.sort_unstable();
    assert_eq!(listed, expected);

    // Every range from its first to its last code, in both directions.
    for (protocol, name, length) in [(0, "ping/1", 8), (3, "echo/2", 17), (6, "Zed/7", 3)] {
        for code in 0..length {
            let payload = Kind::Text.payload(3, 0);
            meeting.us.send(Message { protocol: ProtocolId(protocol), code, payload });
            meeting.until(&format!("{name} code {code} at geth"), |_, it| {
                let arrived = |event: &Value| event["protocol"] == name && event["code"] == code;
                it.find(|event| event["event"] == "message" && arrived(event))
            });
            meeting.take(ProtocolId(protocol), name, code, Kind::Random, 33);
        }
    }
    assert_eq!(meeting.us.refused, []);
    let text = |address: std::io::Result<std::net::SocketAddr>| address.expect("the link is up").to_string();
    let addresses = [text(meeting.us.socket().local_addr()), text(meeting.us.socket().peer_addr())];
    meeting.it.command(json!({"cmd": "info"}));
    let info = meeting.event("info");
    assert_eq!(info["peers"].as_array().map(Vec::len), Some(1), "{info}");
    let of_us = &info["peers"][0];
    let mut caps: Vec<String> = config.capabilities().map(|capability| capability.to_string()).collect();
    caps.sort_unstable();
    assert_eq!(of_us["name"], config.client_id());
    assert_eq!(of_us["id"], config.node_id().hash().to_string());
    assert_eq!(of_us["caps"], json!(caps), "{info}");
    assert_eq!(of_us["network"]["inbound"], role == Role::Initiator);
    assert_eq!(of_us["network"]["remoteAddress"], addresses[0]);
    check_info(&meeting.us, &config, &info, &addresses);
}

/// What we say of it and of ourselves has the form of what it says
fn check_info(us: &Driver, config: &devp2p_proto::Config, info: &Value, [local, remote]: &[String; 2]) {
    use devp2p_proto::{Network, SharedProtocol};

    let network = Network { local_address: local, remote_address: remote, trusted: false, is_static: false };
    let part = |shared: SharedProtocol| {
        let received = us.link.traffic(shared.protocol)?.ingress.messages;
        (received > 0).then(|| json!({"version": shared.capability.version, "received": received}))
    };
    let of_it = serde_json::to_value(us.link.peer_info(network, part)).expect("JSON");
    let (of_us, its) = (&info["peers"][0], &info["node"]);
    assert_eq!(shape(&of_it), shape(of_us), "{of_it:#} and {of_us:#}");
    // Both have received the same number of messages.
    assert_eq!(of_it["protocols"], of_us["protocols"]);
    assert_eq!((&of_it["id"], &of_it["name"]), (&its["id"], &its["name"]));
    assert_eq!(of_it["network"]["localAddress"], of_us["network"]["remoteAddress"]);
    assert_eq!(of_it["network"]["remoteAddress"], of_us["network"]["localAddress"]);

    let length = |id: devp2p_proto::ProtocolId| [8, 20, 16, 17, 40, 0, 3, 4][id.0];
    let part =
        |id, capability: devp2p_proto::Capability| Some(json!({"version": capability.version, "length": length(id)}));
    let node = serde_json::to_value(config.node_info("127.0.0.1", local, part)).expect("JSON");
    let mut expected = shape(its);
    // A signed record is a matter of discovery. The protocols are not the same.
    expected.retain(|path| path != "/enr" && !path.starts_with("/protocols/"));
    let mut ours = shape(&node);
    ours.retain(|path| !path.starts_with("/protocols/"));
    assert_eq!(ours, expected, "{node:#} and {its:#}");
    assert_eq!(shape(&node["protocols"]["echo"]), shape(&its["protocols"]["echo"]));
}

/// The paths of all values, each with its type
fn shape(value: &Value) -> Vec<String> {
    let kind = match value {
        Value::Object(fields) => {
            let paths = fields
                .iter()
                .flat_map(|(key, value)| shape(value).into_iter().map(move |path| format!("/{key}{path}")));
            return paths.collect();
        }
        Value::Array(_) => "array",
        Value::String(_) => "",
        Value::Number(_) => " number",
        Value::Bool(_) => " bool",
        Value::Null => " null",
    };
    vec![kind.to_string()]
}

/// The highest shared version decides about the length, wherever it is in either list
fn one_protocol_in_several_versions(role: Role) {
    struct Row {
        ours: &'static [(&'static str, u64, u64)],
        its: &'static str,
        agreed: &'static [&'static str],
    }
    let rows = [
        Row { ours: &[("eth", 1, 4), ("eth", 2, 9)], its: "eth/1:4", agreed: &["eth/1@16+4"] },
        Row { ours: &[("eth", 1, 4)], its: "eth/2:9,eth/1:4", agreed: &["eth/1@16+4"] },
        Row {
            ours: &[("eth", 2, 9), ("eth", 1, 4), ("f", 1, 1)],
            its: "f/1:1,eth/1:4,eth/2:9",
            agreed: &["eth/2@16+9", "f/1@25+1"],
        },
        Row {
            ours: &[("b", 1, 2), ("a", 1, 0), ("B", 1, 3)],
            its: "a/1:0,b/1:2,B/1:3",
            agreed: &["b/1@19+2", "a/1@19+0", "B/1@16+3"],
        },
    ];
    each(rows.iter().map(|row| (format!("{:?} with {}", row.ours, row.its), row)), |row| {
        let ours: Vec<_> =
            row.ours.iter().map(|&(name, version, length)| Protocol::new(name, version, length)).collect();
        let mut meeting = Meeting::running(role, &node(&ours), Process::geth(&["-protocols", row.its]));
        let agreed = row.agreed.iter().map(ToString::to_string).collect();
        assert_eq!(meeting.us.seen.last(), Some(&Seen::Ready(agreed)));
        let with_messages = meeting.us.link.shared().filter(|shared| shared.length > 0);
        let last = with_messages.map(|shared| Message::new(shared.protocol, shared.length - 1, Kind::Text, 9, 0));
        let last = last.collect();
        meeting.echo(last);
    });
}

fn echo_of_every_size(role: Role) {
    let mut meeting = running(role);
    let mut messages = Vec::new();
    for size in [0, 1, 31, 32, 33, 1 << 10, 64 << 10, 1 << 20] {
        for kind in Kind::ALL {
            for (protocol, last) in [(ECHO, 16), (BULK, 3)] {
                messages.extend([0, 1, last].map(|code| Message::new(protocol, code, kind, size, size as u32)));
            }
        }
    }
    let expected: Vec<(u64, u64)> = [ECHO, BULK].iter().map(|protocol| totals(&messages, *protocol)).collect();
    meeting.echo(messages);
    // Both sides have counted the same.
    meeting.us.link.disconnect(meeting.us.now(), DisconnectReason::REQUESTED);
    for ((protocol, name), expected) in [(ECHO, "echo/2"), (BULK, "bulk/1")].into_iter().zip(expected) {
        let ended = meeting.until(name, |_, it| it.find(|e| e["event"] == "run-end" && e["protocol"] == name));
        let traffic = meeting.us.link.traffic(protocol).expect("ours");
        assert_eq!((traffic.egress.messages, traffic.egress.payload_bytes), expected);
        assert_eq!((traffic.ingress.messages, traffic.ingress.payload_bytes), expected);
        for (messages, bytes) in [("received", "received_bytes"), ("sent", "sent_bytes")] {
            assert_eq!(
                (ended[messages].as_u64(), ended[bytes].as_u64()),
                (Some(expected.0), Some(expected.1)),
                "{ended}"
            );
        }
    }
}

fn totals(messages: &[Message], protocol: ProtocolId) -> (u64, u64) {
    let of = messages.iter().filter(|message| message.protocol == protocol);
    of.fold((0, 0), |(count, bytes), message| (count + 1, bytes + message.payload.len() as u64))
}

fn echo_of_the_largest(role: Role) {
    let mut meeting = running(role);
    let largest = [(Kind::Zero, LARGEST), (Kind::Text, LARGEST), (Kind::Random, LARGEST_RANDOM)];
    meeting.echo(
        largest
            .iter()
            .flat_map(|&(kind, size)| [Message::new(BULK, 3, kind, size, 1), Message::new(ECHO, 0, kind, size, 2)])
            .collect(),
    );
    // One byte more is refused here, as geth itself would refuse it, and harms nobody.
    meeting.us.send(Message::new(BULK, 3, Kind::Zero, LARGEST + 1, 0));
    meeting.us.send(Message::new(BULK, 3, Kind::Random, LARGEST_RANDOM + 1, 0));
    meeting.until("refusals", |us, _| (us.refused.len() == 2).then_some(()));
    assert!(meeting.us.refused.iter().all(|(_, error)| *error == WriteError::TooLarge));
    meeting.us.refused.clear();
    meeting.echo(vec![Message::new(BULK, 3, Kind::Text, 1, 0)]);
}

fn echo_of_a_thousand_interleaved(role: Role) {
    let mut meeting = running(role);
    let sizes = [0, 1, 31, 32, 33, 200, 1 << 10, 5000, 64 << 10];
    let one = |i: u32| {
        let (protocol, length) = [(ECHO, 17), (BULK, 4), (PING, 8)][i as usize % 3];
        let size = sizes[i as usize * 7 % sizes.len()];
        Message::new(protocol, u64::from(i) * 5 % length, Kind::ALL[i as usize / 3 % 3], size, i)
    };
    meeting.echo((0..1000).map(one).collect());
}

/// The other way round: what geth compresses is what we read, and it counts what we echo
fn its_messages_come_back_from_us(role: Role) {
    let it = Process::geth(&["-sink", "all", "-verbose"]);
    let mut meeting = Meeting::running(role, &node(PROTOCOLS), it);
    meeting.us.echo = true;
    let sizes = [0, 1, 31, 32, 33, 1 << 10, 64 << 10, 1 << 20];
    for (protocol, name, last) in [(ECHO, "echo/2", 16), (BULK, "bulk/1", 3)] {
        for (size, code) in sizes.into_iter().zip([0, 1, last].into_iter().cycle()) {
            for kind in Kind::ALL {
                meeting.take(protocol, name, code, kind, size);
            }
        }
    }
    let largest = [(Kind::Zero, LARGEST), (Kind::Text, LARGEST), (Kind::Random, LARGEST_RANDOM)];
    for (kind, size) in largest {
        meeting.take(BULK, "bulk/1", 2, kind, size);
    }
    let expected = 2 * sizes.len() * Kind::ALL.len() + largest.len();
    let returned = |it: &mut Process| it.events().iter().filter(|event| event["event"] == "message").count();
    meeting.until("all echoes", |_, it| (returned(it) == expected).then_some(()));
    assert_eq!(meeting.us.refused, []);
    // Its protocols run side by side, so only within one the order is known.
    for (protocol, name) in [(ECHO, "echo/2"), (BULK, "bulk/1")] {
        let sent = meeting.us.delivered().filter(|message| message.protocol == protocol);
        let sent: Vec<_> = sent.map(|message| arrival(message.code, &message.payload)).collect();
        let of = |event: &&Value| event["event"] == "message" && event["protocol"] == name;
        let arrived = meeting.it.events().iter().filter(of);
        let arrived: Vec<_> = arrived.map(|e| json!([e["code"], e["size"], e["sha256"]])).collect();
        assert_eq!(arrived, sent, "{name}: code, size and hash");
    }
}

/// What geth prints of a message
fn arrival(code: u64, payload: &[u8]) -> Value {
    let hash: String = Sha256::digest(payload).iter().map(|byte| format!("{byte:02x}")).collect();
    json!([code, payload.len(), hash])
}

/// 40 s of nothing but Pings and Pongs, with a geth that ends links after 30 s of silence
fn an_idle_link_lives(role: Role) {
    let mut patient = Timeouts::default();
    patient.handshake = NEVER;
    patient.pong = Duration::from_secs(14);
    let mut silent = Timeouts::default();
    silent.handshake = NEVER;
    silent.ping = Duration::MAX;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // A Pong that does not come within 14 s would end this one.
            let counted = idle(role, patient, geth());
            assert!(counted.on_timeout >= 2 && counted.on_receive >= 2, "Pings from both: {counted:?}");
        });
        scope.spawn(|| {
            // This one lives by geth's Pings and our Pongs alone.
            let counted = idle(role, silent, geth());
            assert!(counted.on_timeout == 0 && counted.on_receive >= 2, "Pings from geth only: {counted:?}");
        });
    });
}
