//! What happened, in order: the rows that are in a page

use std::fs;
use std::time::Duration;

use devp2p_proto::{DisconnectReason, Event, Link, ProtocolId};
use devp2p_testing::remote::{HELLO, PING, PONG, body};
use serde_json::Value;

use crate::recording::{ETH, LATENCY, Recording, SNAP, page, refuse};

/// The JSON of an element of a page
pub fn json(html: &str, id: &str) -> Value {
    let page = fs::read_to_string(html).expect("a page");
    let start = format!("<script type=\"application/json\" id=\"{id}\">");
    let (_, rest) = page.split_once(&start).expect("the element");
    let (text, _) = rest.split_once("</script>").expect("its end");
    serde_json::from_str(text).expect("JSON")
}

/// A row in words: side, kind, protocol, name
fn words(html: &str) -> Vec<String> {
    let summary = json(html, "summary");
    let rows = json(html, "rows");
    rows.as_array().expect("an array").iter().map(|row| in_words(&summary, row)).collect()
}

fn in_words(summary: &Value, row: &Value) -> String {
    let index = |column: usize| row[column].as_u64().expect("an index") as usize;
    let side = ["sent", "received", "here"][index(1)];
    let (kind, layer) = (&summary["kinds"][index(2)], &summary["layers"][index(3)]);
    let text = |value: &Value| value.as_str().expect("text").to_string();
    format!("{side} {} {} {}", text(kind), text(layer), text(&row[4]))
}

/// The rows of messages with this name
fn named(html: &str, name: &str) -> Vec<Value> {
    json(html, "rows").as_array().expect("an array").iter().filter(|row| row[4] == name).cloned().collect()
}

#[test]
fn a_dialled_link_from_auth_to_its_end() {
    let mut link = Recording::running("dialled");
    link.send(ETH, 3, b"ask");
    link.hear(ETH, 4, b"answer");
    link.ping();
    let html = page(&link.quit(DisconnectReason::CLIENT_QUITTING));
    assert_eq!(
        words(&html),
        [
            "sent handshake rlpx auth",
            "received handshake rlpx ack",
            "here state link stage Admission",
            "here state link peer claims id",
            "sent message p2p Hello",
            "here state link stage Hello",
            "received message p2p Hello",
            "here state link stage Running",
            "here state link ready",
            "sent message eth/69 GetBlockHeaders",
            "received message eth/69 BlockHeaders",
            "sent message p2p Ping",
            "received message p2p Pong",
            "here driver link disconnect",
            "sent message p2p Disconnect",
            "here state link stage Closing",
            "here driver link end of the stream",
            "here state link stage Closed",
            "here state link ended",
        ]
    );
    assert_eq!(json(&html, "summary")["cause"]["text"], "disconnected: client quitting");
}

#[test]
fn an_accepted_link_begins_the_other_way() {
    let mut link = Recording::accepted("accepted");
    link.settle();
    let html = page(&link.quit(DisconnectReason::REQUESTED));
    let words = words(&html);
    assert_eq!(words[..2], ["received handshake rlpx auth", "sent handshake rlpx ack"]);
    assert_eq!(json(&html, "summary")["dialled"], false);
}

/// Sizes and times of each message are those of the link and of the clock
#[test]
fn sizes_and_times() {
    let mut link = Recording::running("sizes");
    let before = link.now;
    let payload = [9; 1000];
    link.send(ETH, 5, &payload);
    link.hear(SNAP, 6, &payload);
    link.ping();
    let [sent, received] = [ETH, SNAP].map(|protocol| link.ours.traffic(protocol).expect("shared"));
    let round_trip = link.ours.liveness().round_trip.expect("answered");
    let html = page(&link.quit(DisconnectReason::REQUESTED));

    let row = &named(&html, "GetBlockBodies")[0];
    let wire = (sent.egress.wire_bytes, received.ingress.wire_bytes);
    assert_eq!((row[5].as_u64(), row[6].as_u64(), row[7].as_u64()), (Some(5), Some(wire.0), Some(1000)));
    assert_eq!(row[0].as_u64(), Some(before.as_nanos()));
    assert_eq!(row[8], row[0], "the socket took it at once");
    let row = &named(&html, "GetTrieNodes")[0];
    assert_eq!((row[6].as_u64(), row[7].as_u64()), (Some(wire.1), Some(1000)));
    let pong = &named(&html, "Pong")[0];
    assert_eq!(pong[9], format!("round trip {round_trip:?}"));
    assert_eq!(pong[6].as_u64(), Some(64));
    // Both Hellos: what the link has read of them has the length of their frames.
    for hello in named(&html, "Hello") {
        assert!(hello[7].as_u64().is_some_and(|size| size > 64), "{hello}");
    }
}

/// The position of a frame among the sent bytes tells when it has left
#[test]
fn a_message_that_waits_in_the_buffer() {
    let mut link = Recording::running("waits");
    link.ours.write(link.now, ETH, 3, b"late").expect("room");
    link.now = link.now.checked_add(LATENCY * 5).expect("early");
    link.settle();
    let html = page(&link.quit(DisconnectReason::REQUESTED));
    let row = &named(&html, "GetBlockHeaders")[0];
    let waited = row[8].as_u64().expect("left") - row[0].as_u64().expect("sealed");
    assert_eq!(u128::from(waited), (LATENCY * 5).as_nanos());
}

#[test]
fn what_was_refused_and_when_it_was_taken() {
    let mut link = Recording::running("refused");
    let written = refuse(&mut link);
    let html = page(&link.quit(DisconnectReason::REQUESTED));
    let summary = json(&html, "summary");
    // The first message that did not fit, which was dropped, and another one, which was tried three times.
    assert_eq!(summary["refusals"], 3);
    let rows = json(&html, "rows");
    let rows = rows.as_array().expect("an array");
    let refused: Vec<_> =
        rows.iter().filter(|row| in_words(&summary, row).starts_with("here refused chat/1")).collect();
    assert_eq!(refused.len(), 2);
    assert!(refused[0][8].is_null() && refused[0][4] == "code 0x01", "{}", refused[0]);
    let taken = rows.iter().find(|row| row[4] == "code 0x02" && row[1] == 0).expect("it was sent later");
    assert_eq!((&refused[1][8], &refused[1][7]), (&taken[0], &taken[7]));
    assert!(refused[1][8].as_u64() > refused[1][0].as_u64());
    assert!(words(&html).contains(&"here driver chat/1 can write again".to_string()));
    assert_eq!(summary["traffic"][2][1][0], written + 1);
}

#[test]
fn a_held_message_is_told_when_it_came() {
    let mut link = Recording::running("held");
    link.ours.tell(link.now, Event::HoldInput(true));
    link.hear(ETH, 2, b"held");
    link.now = link.now.checked_add(LATENCY * 9).expect("early");
    link.ours.tell(link.now, Event::HoldInput(false));
    let html = page(&link.quit(DisconnectReason::REQUESTED));
    let row = &named(&html, "Transactions")[0];
    let waited = row[8].as_u64().expect("handed out") - row[0].as_u64().expect("came");
    assert!(u128::from(waited) >= (LATENCY * 9).as_nanos(), "{row}");
    let words = words(&html);
    let position = |text: &str| words.iter().position(|word| word.ends_with(text)).expect(text);
    assert!(position("input is held") < position("Transactions"));
    assert!(position("Transactions") < position("input is not held"), "{words:#?}");
}

#[test]
fn timers_and_the_ending_by_one() {
    let mut link = Recording::running("timers");
    link.wait(Duration::from_secs(16));
    // The peer is silent from now on.
    while link.ours.cause().is_none() {
        link.now = link.ours.next_timeout().expect("a timer");
        link.ours.tell(link.now, Event::Timeout);
        link.act();
    }
    let html = page(&link.finish());
    let timers: Vec<_> = words(&html).into_iter().filter(|word| word.contains(" timer ")).collect();
    let (last, others) = timers.split_last().expect("timers");
    assert_eq!(last, "here timer link Read timer");
    assert!(!others.is_empty() && others.iter().all(|timer| timer == "here timer link Ping timer"), "{others:#?}");
    assert_eq!(json(&html, "summary")["cause"]["text"], "read timeout");
}

#[test]
fn a_violation_of_the_peer() {
    let mut link = Recording::running("violation");
    assert_eq!(link.ours.receive(link.now, &[0xaa; 32]), 32);
    let html = page(&link.finish());
    let summary = json(&html, "summary");
    let rows = json(&html, "rows");
    let row = rows.as_array().expect("an array").iter().find(|row| row[4] == "violation").expect("a row").clone();
    assert_eq!((row[6].as_u64(), row[1].as_u64()), (Some(32), Some(1)));
    assert_eq!(summary["cause"]["by"], "the peer");
    assert!(summary["cause"]["text"].as_str().is_some_and(|text| text.contains("violation by the peer")));
}

#[test]
fn what_was_never_sent() {
    let mut link = Recording::running("lost");
    link.ours.write(link.now, ETH, 3, b"lost").expect("room");
    link.ours.tell(link.now, Event::SendFailed);
    link.ours.tell(link.now, Event::ReceiveClosed);
    let html = page(&link.finish());
    assert_eq!(named(&html, "stage Closing")[0][9], "64 bytes were not sent");
    assert!(named(&html, "GetBlockHeaders")[0][8].is_null());
    assert_eq!(json(&html, "summary")["cause"]["text"], "sending failed");
}

#[test]
fn calls_that_make_no_message() {
    let mut link = Recording::running("misuse");
    link.ours.write(link.now, ETH, 99, b"").expect_err("no such code");
    link.ours.handle(link.now, Event::Sent(1_000_000)).expect_err("nothing is unsent");
    link.ours.handle(link.now, Event::ProtocolReturned(ProtocolId(9), Ok(()))).expect_err("not shared");
    let html = page(&link.quit(DisconnectReason::REQUESTED));
    let refused: Vec<_> = words(&html).into_iter().filter(|word| word.contains("refused")).collect();
    assert_eq!(
        refused,
        [
            "here refused eth/69 code 0x63",
            "here refused link Sent(1000000)",
            "here refused link ProtocolReturned(protocol 9, Ok(()))",
        ]
    );
    assert_eq!(json(&html, "summary")["refusals"], 3);
}

/// A scripted remote sends what no link of ours sends: a Pong that answers nothing, a second Hello, and then a Ping
#[test]
fn frames_that_change_nothing() {
    let (mut link, mut session) = Recording::with_scripted_remote("ignored");
    let frames: Vec<_> = [PONG, HELLO, PING].map(|id| session.seal(&body(id, &[1, 0, 0xc0]))).concat();
    let mut rest = &frames[..];
    while !rest.is_empty() {
        rest = &rest[link.ours.receive(link.now, rest)..];
        link.act();
    }
    link.ours.tell(link.now, Event::Disconnect(DisconnectReason::REQUESTED));
    link.act();
    link.ours.finish().expect("a disk");
    let html = page(&link.path);
    let words = words(&html);
    let ping = words.iter().position(|word| word == "received message p2p Ping").expect("a Ping");
    let ignored = "received ignored link ignored";
    assert_eq!(words[ping - 2..ping + 2], [ignored, ignored, "received message p2p Ping", "sent message p2p Pong"]);
    let rows = json(&html, "rows");
    assert!((ping - 2..ping + 1).all(|row| rows[row][6] == 64), "{rows}");
}
