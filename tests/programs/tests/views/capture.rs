//! The capture, as tshark reads it

use std::process::Command;

use devp2p_proto::DisconnectReason;

use crate::recording::{CHAT, ETH, Recording, SNAP, capture, refuse};

/// The fields of each packet, as tshark shows them with the dissector
fn fields(capture: &str, dissector: &str, fields: &[&str]) -> Vec<Vec<String>> {
    let mut command = Command::new("tshark");
    command.args(["-X", &format!("lua_script:{dissector}"), "-r", capture, "-T", "fields", "-E", "separator=|"]);
    command.args(fields.iter().flat_map(|field| ["-e", field]));
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !err.contains("Lua") && !err.contains("appears"), "{err}");
    let out = String::from_utf8(output.stdout).expect("text");
    out.lines().map(|line| line.split('|').map(str::to_string).collect()).collect()
}

/// The packets that were sent or received: who, protocol, and what tshark says of them
fn messages(capture: &str, dissector: &str) -> Vec<String> {
    let fields = fields(capture, dissector, &["devp2p.side", "_ws.col.Source", "_ws.col.Protocol", "_ws.col.Info"]);
    fields.into_iter().filter(|field| field[0] != "2").map(|field| field[1..].join(" ")).collect()
}

#[test]
#[ignore = "needs tshark"]
fn every_message_has_its_name() {
    let mut link = Recording::running("names");
    link.send(ETH, 3, b"ask");
    link.hear(ETH, 0x11, b"range");
    link.send(SNAP, 6, b"nodes");
    link.hear(CHAT, 0x21, b"hello");
    link.ping();
    link.theirs.ping(link.now).expect("running");
    link.settle();
    link.theirs.disconnect(link.now, DisconnectReason::TOO_MANY_PEERS);
    let recording = link.finish();
    for arguments in [&[][..], &["--yes-secrets"]] {
        let (capture, dissector) = capture(&recording, arguments);
        assert_eq!(
            messages(&capture, &dissector),
            [
                "this node rlpx auth",
                "peer rlpx ack",
                "this node p2p Hello, ours/1.0, offering eth/69 snap/1 chat/1",
                "peer p2p Hello, peer/1.0, offering eth/69 snap/1 chat/1",
                "this node eth/69 GetBlockHeaders",
                "peer eth/69 BlockRangeUpdate",
                "this node snap/1 GetTrieNodes",
                "peer chat/1 code 0x21",
                "this node p2p Ping",
                "peer p2p Pong, round trip 2ms",
                "peer p2p Ping",
                "this node p2p Pong",
                "peer p2p Disconnect, too many peers",
            ]
        );
    }
}

/// A payload is decrypted and decompressed, or not there; both are told
#[test]
#[ignore = "needs tshark"]
fn payloads_and_sizes() {
    let mut link = Recording::running("payloads");
    link.send(ETH, 2, &[0xab; 500]);
    let wire = link.ours.traffic(ETH).expect("shared").egress.wire_bytes;
    let recording = link.quit(DisconnectReason::REQUESTED);
    let wanted = ["devp2p.name", "devp2p.wire", "devp2p.size", "devp2p.payload", "devp2p.absent", "frame.p2p_dir"];
    let find = |arguments: &[&str]| {
        let (capture, dissector) = capture(&recording, arguments);
        let rows = fields(&capture, &dissector, &wanted);
        rows.into_iter().find(|row| row[0] == "Transactions").expect("the message")
    };
    let (size, payload) = ("500".to_string(), "ab".repeat(500));
    let row = find(&["--yes-secrets"]);
    assert_eq!(row[1..5], [wire.to_string(), size.clone(), payload, String::new()]);
    let row = find(&[]);
    assert_eq!(row[1..4], [wire.to_string(), size, String::new()]);
    assert!(!row[4].is_empty(), "not told that the payload is absent: {row:?}");
}

/// Wireshark refuses a whole file for one packet that is larger than its limit
#[test]
#[ignore = "needs tshark"]
fn a_message_larger_than_a_packet() {
    let mut link = Recording::running("huge");
    link.hear(ETH, 0x10, &vec![0x5a; 3_000_000]);
    link.hear(ETH, 4, b"after it");
    let (capture, dissector) = capture(&link.quit(DisconnectReason::REQUESTED), &["--yes-secrets"]);
    let rows = fields(&capture, &dissector, &["devp2p.name", "devp2p.size", "frame.cap_len", "devp2p.absent"]);
    let row = rows.iter().find(|row| row[0] == "Receipts").expect("the message");
    assert_eq!(row[1..3], ["3000000", "262144"]);
    assert!(!row[3].is_empty() && rows.iter().any(|row| row[0] == "BlockHeaders"), "{rows:?}");
}

/// What happens on this side is there too: refusals, stages, the end
#[test]
#[ignore = "needs tshark"]
fn what_is_no_message() {
    let mut link = Recording::running("notes");
    refuse(&mut link);
    let (capture, dissector) = capture(&link.quit(DisconnectReason::REQUESTED), &[]);
    let infos: Vec<_> = fields(&capture, &dissector, &["_ws.col.Info"]).into_iter().map(|row| row[0].clone()).collect();
    for info in ["state: stage Running", "driver: can write again", "state: ended, disconnected: disconnect requested"]
    {
        assert!(infos.iter().any(|is| is == info), "{info}: {infos:#?}");
    }
    assert_eq!(infos.iter().filter(|info| info.starts_with("refused: code 0x0")).count(), 2, "{infos:#?}");
}

/// Names of a hostile peer are text for Lua and for tshark
#[test]
#[ignore = "needs tshark"]
fn a_name_from_a_hostile_peer() {
    let mut link = Recording::dialled("hostile-capture", "ours\x1b[2J%s%n\0", "peer\x1b[2J%s%n\0]]--");
    link.settle();
    let (capture, dissector) = capture(&link.quit(DisconnectReason::REQUESTED), &[]);
    let messages = messages(&capture, &dissector);
    for name in [r"ours\u001b[2J%s%n\u0000, offering", "peer?[2J%s%n?]]--, offering"] {
        assert!(messages.iter().any(|text| text.contains(name)), "{name}: {messages:#?}");
    }
    assert!(messages.iter().all(|text| !text.contains('\x1b')), "{messages:#?}");
}
