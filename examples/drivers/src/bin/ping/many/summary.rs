//! How many nodes run each client, and how many visits had each outcome

use std::collections::BTreeMap;

use super::outcome::Outcome;
use super::row::Row;

/// The most clients that are listed by name: every node may send a different name
const MOST: usize = 20;

#[derive(Default)]
pub struct Summary {
    nodes: usize,
    reached: usize,
    outcomes: BTreeMap<String, usize>,
    clients: BTreeMap<String, usize>,
}

impl Summary {
    pub fn add(&mut self, row: &Row) {
        self.nodes += 1;
        self.reached += usize::from(matches!(row.outcome, Outcome::Reached));
        *self.outcomes.entry(row.outcome.to_string()).or_default() += 1;
        if let Some(client) = row.facts.client() {
            // By convention `name/version/platform`
            let name = client.split('/').next().unwrap_or_default();
            *self.clients.entry(name.to_string()).or_default() += 1;
        }
    }

    pub const fn reached(&self) -> usize {
        self.reached
    }

    pub fn lines(&self, unvisited: usize) -> impl Iterator<Item = String> {
        let mut lines = vec![String::new(), format!("--- {} nodes, {} reached ---", self.nodes, self.reached)];
        if unvisited > 0 {
            lines.push(format!("{unvisited:>6}  not visited: interrupted"));
        }
        lines.extend(counted(&self.outcomes, usize::MAX));
        if !self.clients.is_empty() {
            lines.extend([String::new(), "--- clients ---".to_string()]);
            lines.extend(counted(&self.clients, MOST));
        }
        lines.into_iter()
    }
}

/// The most frequent first, and one line for what is beyond `most`
fn counted(counts: &BTreeMap<String, usize>, most: usize) -> Vec<String> {
    let mut sorted: Vec<_> = counts.iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let rest: usize = sorted.iter().skip(most).map(|(_, count)| **count).sum();
    let shown = sorted.iter().take(most).map(|(name, count)| format!("{count:>6}  {name}"));
    shown.chain((rest > 0).then(|| format!("{rest:>6}  others"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_come_first_and_the_rest_is_summed_up() {
        let counts = [("a", 1), ("b", 3), ("c", 2), ("d", 1)].map(|(name, count)| (name.to_string(), count));
        assert_eq!(counted(&counts.into(), 2), ["     3  b", "     2  c", "     2  others"]);
    }
}
