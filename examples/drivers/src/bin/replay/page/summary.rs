//! The figures of a whole link, as JSON

use std::time::Duration;

use devp2p_drivers::journal::Setup;
use devp2p_drivers::say::escaped;
use devp2p_proto::{Cause, PeerState, ProtocolId, Role};
use serde_json::{Value, json};

use super::nanos;
use crate::happening::{Kind, Layer};
use crate::names::Names;
use crate::rerun::{Rerun, Verdict};

/// How many characters of a line of the verdict are shown: it may repeat text of a forged recording
const LONGEST_LINE: usize = 400;

pub fn of(rerun: &Rerun<'_>, omitted: usize) -> Value {
    let Rerun { setup, link, tally, figures, .. } = rerun;
    let names = Names::new(&setup.protocols);
    let layers: Vec<_> = Layer::NAMES.into_iter().map(str::to_string).chain(names.capabilities()).collect();
    let (trips, liveness) = (&figures.round_trips, link.liveness());
    json!({
        "dialled": link.role() == Role::Initiator,
        "ours": { "id": link.local_id().to_string(), "client": escaped(&setup.client_id) },
        "theirs": theirs(link),
        "layers": layers,
        "kinds": Kind::NAMES,
        "traffic": traffic(link, &names),
        "pings": [liveness.pings_sent, liveness.pongs_received, liveness.pings_received, liveness.pongs_sent],
        "trips": [trips.count, nanos(trips.least), nanos(trips.mean()), nanos(trips.greatest)],
        "bytes": [figures.sent, figures.received],
        "refusals": figures.refusals,
        "duration": nanos(figures.duration),
        "stage": format!("{:?}", link.stage()),
        "cause": link.cause().map(|cause| json!({ "text": cause.to_string(), "by": by(cause) })),
        "timeouts": timeouts(setup),
        "same": matches!(rerun.verdict, Ok(Verdict::Same)),
        "verdict": verdict(rerun),
        "tally": tally.to_string(),
        "omitted": omitted,
    })
}

fn theirs(link: &PeerState<'_>) -> Value {
    let hello = link.remote_hello().map(|hello| {
        let capabilities: Vec<_> = hello.capabilities().iter().map(ToString::to_string).collect();
        json!({ "client": hello.client_id(), "version": hello.version(), "capabilities": capabilities })
    });
    json!({ "id": link.remote_id().map(|id| id.to_string()), "proven": link.is_remote_proven(), "hello": hello })
}

/// A row for each shared protocol: the counters of the link
fn traffic(link: &PeerState<'_>, names: &Names) -> Vec<Value> {
    let row = |protocol: ProtocolId| {
        let traffic = link.traffic(protocol)?;
        let [sent, received] = [traffic.egress, traffic.ingress]
            .map(|counters| [counters.messages, counters.payload_bytes, counters.wire_bytes]);
        Some(json!([names.capability(protocol), sent, received]))
    };
    link.shared().filter_map(|shared| row(shared.protocol)).collect()
}

/// Who has ended the link
const fn by(cause: Cause) -> &'static str {
    match cause {
        Cause::Remote(_) | Cause::Violation(_) | Cause::ReceiveClosed => "the peer",
        _ => "this node",
    }
}

fn timeouts(setup: &Setup) -> Vec<(&'static str, Option<u64>)> {
    let times = setup.timeouts;
    let limit = |time: Duration| Some(nanos(time)).filter(|_| time != Duration::MAX);
    vec![
        ("handshake", limit(times.handshake)),
        ("ping", limit(times.ping)),
        ("pong", limit(times.pong)),
        ("read", limit(times.read)),
        ("write", limit(times.write)),
        ("linger", limit(times.linger)),
    ]
}

fn verdict(rerun: &Rerun<'_>) -> Vec<String> {
    let lines = match &rerun.verdict {
        Ok(Verdict::Same) => vec!["no difference: the link did again what it had done".to_string()],
        Ok(Verdict::Different(difference)) => difference.lines().to_vec(),
        Err(damage) => vec![format!("the recording cannot be read to its end: {damage}")],
    };
    lines.iter().map(|line| escaped(line).chars().take(LONGEST_LINE).collect()).collect()
}
