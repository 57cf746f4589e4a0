//! The figures as text

use std::time::Duration;

use devp2p_drivers::say::say;

use crate::message::Message;
use crate::outcome::{Outcome, Spread};

/// The shares of nodes for which the report says when they had an item
pub const PERCENTS: [usize; 7] = [10, 25, 50, 75, 90, 95, 99];
/// How many points the curve has
const POINTS: u32 = 20;
/// How long the bar of all nodes is
const BAR: usize = 50;

/// The whole report, the same for the same seed
pub fn print(outcome: &Outcome) {
    let Outcome { options, ended, links, links_ready, .. } = outcome;
    say(format_args!("{} nodes, {} links each, seed {}", options.nodes, options.links, options.seed));
    say(format_args!("{ended} simulated; {links_ready} of {links} links at the end"));
    outcome.spreads.iter().for_each(print_spread);
    print_groups(outcome);
    print_traffic(outcome);
    print_endings(outcome);
}

fn print_spread(spread: &Spread) {
    let Spread { name, made, times, complete } = spread;
    say("");
    let Some(last) = times.last() else {
        say(format_args!("--- {name}: not made ---"));
        return;
    };
    match made {
        Some((at, node)) => say(format_args!("--- {name}: made at {at} by node {node} ---")),
        None => say(format_args!("--- {name} ---")),
    };
    let step = spread.span() / POINTS;
    for time in (1..=POINTS).map(|point| step * point).chain([*last]) {
        let count = spread.after(time);
        say(format_args!("{:>9} ms  {count:>7} of {complete}  {}", millis(time), "#".repeat(BAR * count / complete)));
    }
    let percentiles = PERCENTS.map(|percent| {
        let time = spread.percentile(percent).map_or("never".to_string(), |time| format!("{} ms", millis(time)));
        format!("{percent} %: {time}")
    });
    say(percentiles.join(", "));
}

fn print_groups(outcome: &Outcome) {
    say("");
    say("--- nodes, and how many have every block so far ---");
    for group in &outcome.groups {
        say(format_args!("{:>9}  {} of {}", group.name, group.have_all, group.nodes));
    }
}

fn print_traffic(outcome: &Outcome) {
    say("");
    say("--- sent, by kind of message ---");
    say(format_args!("{:<24} {:>10} {:>14}", "", "messages", "bytes"));
    for (name, messages, bytes) in traffic(outcome) {
        let messages = messages.map(|messages| messages.to_string()).unwrap_or_default();
        say(format_args!("{name:<24} {messages:>10} {bytes:>14}"));
    }
    let mut sent = outcome.sent.clone();
    sent.sort_unstable();
    let of = |percent: usize| sent[(sent.len() - 1) * percent / 100];
    say(format_args!("bytes by node: least {}, half below {}, 90 % below {}, most {}", of(0), of(50), of(90), of(100)));
}

/// What was sent: the kind, how many messages, how many bytes on the wire
pub fn traffic(outcome: &Outcome) -> Vec<(String, Option<u64>, u64)> {
    let traffic = &outcome.traffic;
    let named =
        |(code, count): (usize, &crate::traffic::Count)| (Message::name_of(code), Some(count.messages), count.bytes);
    let by_code = traffic.by_code.iter().enumerate().map(named);
    let rest = [
        ("handshakes, Hello, Pings".to_string(), None, traffic.other_bytes()),
        ("all".to_string(), None, traffic.bytes),
    ];
    by_code.chain(rest).collect()
}

fn print_endings(outcome: &Outcome) {
    say("");
    say("--- ends of links that have ended, by cause ---");
    for (cause, count) in &outcome.endings {
        say(format_args!("{count:>6}  {cause}"));
    }
}

pub fn millis(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}
