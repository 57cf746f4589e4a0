//! The rows, as a table, CSV, or lines of JSON

use std::time::Duration;

use devp2p_drivers::say::{complain, escaped, say};

use super::progress::Progress;
use super::row::Row;
use super::summary::Summary;
use super::table::Table;
use crate::options::Format;

const HEADINGS: [&str; 12] = [
    "line",
    "enode",
    "outcome",
    "stage",
    "why",
    "client",
    "version",
    "capabilities",
    "round_trip_ms",
    "network",
    "genesis",
    "fork_id",
];

pub struct Report {
    rows: Rows,
    summary: Summary,
    progress: Progress,
    /// Whether standard output is closed
    unheard: bool,
}

enum Rows {
    /// Printed at the end, when the widths are known
    Table(Table),
    Csv,
    Json,
}

impl Report {
    pub fn new(format: Format, eth: bool, progress: Progress) -> Self {
        let rows = match format {
            Format::Table => Rows::Table(Table::new(eth)),
            Format::Csv => Rows::Csv,
            Format::Json => Rows::Json,
        };
        let unheard = matches!(rows, Rows::Csv) && !say(record(&HEADINGS.map(String::from)));
        Self { rows, summary: Summary::default(), progress, unheard }
    }

    /// A node is done
    pub fn add(&mut self, row: Row) {
        self.summary.add(&row);
        self.progress.advance();
        let line = match &mut self.rows {
            Rows::Table(table) => return table.add(&row),
            Rows::Csv => record(&cells(&row)),
            Rows::Json => row.json().to_string(),
        };
        self.unheard |= !self.progress.aside(|| say(line));
    }

    /// Whether standard output is closed, so that there is no use in going on
    pub const fn is_unheard(&self) -> bool {
        self.unheard
    }

    pub fn patience(&self) -> Option<Duration> {
        self.progress.patience()
    }

    pub fn tick(&self) {
        self.progress.tick();
    }

    /// Prints what is left, and the summary; returns whether any node was reached
    pub fn end(self, unvisited: usize) -> bool {
        self.progress.clear();
        let reached = self.summary.reached() > 0;
        match self.rows {
            Rows::Table(table) => {
                table.lines().chain(self.summary.lines(unvisited)).all(say);
            }
            Rows::Csv | Rows::Json => self.summary.lines(unvisited).for_each(complain),
        }
        reached
    }
}

fn cells(row: &Row) -> [String; 12] {
    let Row { listed, outcome, facts } = row;
    let chain = facts.chain.as_ref();
    [
        listed.line.to_string(),
        listed.node.to_string(),
        outcome.word().to_string(),
        outcome.stage().map(|stage| stage.name().to_string()).unwrap_or_default(),
        outcome.why(),
        facts.client().unwrap_or_default().to_string(),
        facts.version(),
        facts.capabilities(),
        facts.millis().map(|millis| millis.to_string()).unwrap_or_default(),
        chain.map(|chain| chain.network.to_string()).unwrap_or_default(),
        chain.map(|chain| chain.genesis.to_string()).unwrap_or_default(),
        chain.map(|chain| chain.fork_id.to_string()).unwrap_or_default(),
    ]
}

/// A line of CSV, without its line feed
///
/// Each cell is escaped first, so that a record is one line, whatever text a node has sent.
fn record(cells: &[String]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail.
    let _ = writer.write_record(cells.iter().map(|cell| harmless(&escaped(cell))));
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_string()
}

/// The text of a cell, with an apostrophe before what a spreadsheet would take for a formula
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_more_than_a_cell() {
        let cells = ["=1+1", "a,b", "say \"x\"", "\x1b[2J\nline", "-1"].map(String::from);
        assert_eq!(record(&cells), r#"'=1+1,"a,b","say ""x""",\u001b[2J\u000aline,'-1"#);
    }
}
