//! Every node of a list, many at a time, in one thread
//!
//! - `list.rs`: the file
//! - `sweep.rs`: the loop over all nodes; `visit.rs`: what is done with one of them; `slots.rs`: how many at a time
//! - `outcome.rs`, `row.rs`: what comes of a visit
//! - `report.rs`, `table.rs`, `summary.rs`, `progress.rs`: what people and programs are shown

mod interrupt;
mod list;
mod outcome;
mod progress;
mod report;
mod row;
mod slots;
mod summary;
mod sweep;
mod table;
mod visit;

use devp2p_drivers::say::complain;

use crate::options::Many;
use list::List;
use progress::Progress;
use report::Report;
use sweep::Sweep;

const NONE_REACHED: u8 = 4;

/// Returns the exit status; what is wrong with the arguments or the file is an error
pub fn run(options: Many) -> Result<u8, String> {
    let List { nodes, nonsense } = List::read(&options.nodes)?;
    for (line, problem) in nonsense {
        complain(format_args!("ping: {} line {line}: {problem}", options.nodes));
    }
    if nodes.is_empty() {
        return Err(format!("{}: no nodes in it", options.nodes));
    }
    let mut report = Report::new(options.format, options.eth, Progress::new(nodes.len()));
    let unvisited = Sweep::new(nodes, &options)?.run(&mut report).map_err(|error| error.to_string())?;
    let reached = report.end(unvisited);
    Ok(if reached { 0 } else { NONE_REACHED })
}
