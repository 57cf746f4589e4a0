//! What the page says in words and numbers

use std::time::Duration;

use super::charts::SERIES;
use super::escaped;
use super::tree::{COLOURS, Tree};
use crate::outcome::{Outcome, Spread};
use crate::report::{self, PERCENTS, millis};

/// The command, each option with its value in one line
pub fn command(outcome: &Outcome) -> String {
    format!("<span>{}</span>", escaped(&outcome.options.command()).replace(" --", "</span> <span>--"))
}

/// The most important figures
pub fn figures(outcome: &Outcome) -> String {
    let spread = &outcome.spreads[0];
    let percentile =
        |percent| spread.percentile(percent).map_or("never".to_string(), |time| format!("{} ms", millis(time)));
    let arrived = format!("{} of {}", grouped(spread.times.len() as u64), grouped(spread.complete as u64));
    let figures = [
        ("simulated", outcome.ended.to_string()),
        ("links at the end", format!("{} of {}", grouped(outcome.links_ready as u64), grouped(outcome.links as u64))),
        ("nodes with block 1", arrived),
        ("half of the nodes after", percentile(50)),
        ("95 % of the nodes after", percentile(95)),
        ("bytes sent by all nodes", grouped(outcome.traffic.bytes)),
    ];
    figures.map(|(name, value)| format!("<div class=\"figure\"><b>{value}</b><span>{name}</span></div>\n")).concat()
}

pub fn curve_legend(outcome: &Outcome) -> String {
    let entry = |(number, spread): (usize, &Spread)| swatch(&format!("series{}", number % SERIES), &spread.name);
    outcome.spreads.iter().enumerate().map(entry).collect()
}

/// The colours of the tree, and the times for which they stand
pub fn tree_legend(outcome: &Outcome) -> String {
    let part = Tree::span(outcome) / COLOURS as u32;
    let whole = |time: Duration| format!("{:.0}", time.as_secs_f64() * 1000.0);
    let within = (0..COLOURS as u32).map(|number| {
        let text = format!("{}–{} ms", whole(part * number), whole(part * (number + 1)));
        swatch(&format!("shade{number}"), &text)
    });
    within.chain([swatch("later", "later"), swatch("never", "never")]).collect()
}

fn swatch(class: &str, text: &str) -> String {
    format!("<span class=\"entry\"><i class=\"{class}\"></i>{}</span>\n", escaped(text))
}

pub fn percentiles(outcome: &Outcome) -> String {
    let rows = outcome.spreads.iter().map(|spread| {
        let time = |percent| spread.percentile(percent).map_or("never".to_string(), millis);
        row(&spread.name, &PERCENTS.map(time))
    });
    row("", &PERCENTS.map(|percent| format!("{percent} %"))) + &rows.collect::<String>()
}

pub fn groups(outcome: &Outcome) -> String {
    let rows = outcome.groups.iter();
    rows.map(|group| row(group.name, &[grouped(group.nodes as u64), grouped(group.have_all as u64)])).collect()
}

pub fn traffic(outcome: &Outcome) -> String {
    let all = outcome.traffic.bytes.max(1) as f64;
    let rows = report::traffic(outcome).into_iter().map(|(name, messages, bytes)| {
        let share = format!("{:.1} %", 100.0 * bytes as f64 / all);
        row(&name, &[messages.map(grouped).unwrap_or_default(), grouped(bytes), share])
    });
    rows.collect()
}

pub fn endings(outcome: &Outcome) -> String {
    if outcome.endings.is_empty() {
        return row("none", &[]);
    }
    outcome.endings.iter().map(|(cause, count)| row(cause, &[grouped(*count)])).collect()
}

fn row(name: &str, cells: &[String]) -> String {
    let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
    format!("<tr><th>{}</th>{cells}</tr>\n", escaped(name))
}

/// A number whose digits are in groups of three
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let grouped = digits.char_indices().map(|(index, digit)| match (digits.len() - index) % 3 {
        0 if index > 0 => format!(",{digit}"),
        _ => digit.to_string(),
    });
    grouped.collect()
}
