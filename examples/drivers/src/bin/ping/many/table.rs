//! A table whose columns are as wide as their widest cells

use super::row::Row;

const HEADINGS: [&str; 10] =
    ["line", "address", "rtt ms", "client", "p2p", "capabilities", "network", "genesis", "fork id", "outcome"];
/// The columns that only `--eth` fills
const CHAIN: std::ops::Range<usize> = 6..9;
/// Columns of numbers, which are aligned on the right
const NUMBERS: [usize; 3] = [0, 2, 4];
/// The most characters that are shown of a text that a node has sent: it may be long
const MAX_WIDTH: usize = 40;

pub struct Table {
    eth: bool,
    /// Each with the number of its line in the list
    rows: Vec<(usize, [String; 10])>,
}

impl Table {
    pub const fn new(eth: bool) -> Self {
        Self { eth, rows: Vec::new() }
    }

    pub fn add(&mut self, row: &Row) {
        let Row { listed, outcome, facts } = row;
        let chain = facts.chain.as_ref();
        let cells = [
            listed.line.to_string(),
            listed.node.address.to_string(),
            facts.millis().map(|millis| format!("{millis:.3}")).unwrap_or_default(),
            shortened(facts.client().unwrap_or_default()),
            facts.version(),
            shortened(&facts.capabilities()),
            chain.map(|chain| chain.network.to_string()).unwrap_or_default(),
            chain.map(|chain| format!("{:.8}", chain.genesis)).unwrap_or_default(),
            chain.map(|chain| chain.fork_id.to_string()).unwrap_or_default(),
            outcome.to_string(),
        ];
        self.rows.push((listed.line, cells));
    }

    /// In the order of the list
    pub fn lines(mut self) -> impl Iterator<Item = String> {
        self.rows.sort_by_key(|(line, _)| *line);
        let mut widths = HEADINGS.map(str::len);
        for (_, cells) in &self.rows {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = cell.chars().count().max(*width);
            }
        }
        let eth = self.eth;
        let headings = std::iter::once(HEADINGS.map(String::from));
        headings.chain(self.rows.into_iter().map(|(_, cells)| cells)).map(move |cells| line(&cells, &widths, eth))
    }
}

fn line(cells: &[String; 10], widths: &[usize; 10], eth: bool) -> String {
    let shown = (0..cells.len()).filter(|column| eth || !CHAIN.contains(column));
    let padded = shown.map(|column| {
        let (cell, width) = (&cells[column], widths[column]);
        match column {
            // The last column needs no padding.
            9 => cell.clone(),
            _ if NUMBERS.contains(&column) => format!("{cell:>width$}"),
            _ => format!("{cell:<width$}"),
        }
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_string()
}

fn shortened(cell: &str) -> String {
    if cell.chars().count() <= MAX_WIDTH {
        return cell.to_string();
    }
    cell.chars().take(MAX_WIDTH - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_shortened() {
        assert_eq!(shortened("Geth/v1"), "Geth/v1");
        assert_eq!(shortened(&"x".repeat(41)), format!("{}…", "x".repeat(39)));
    }
}
