//! A thousand nodes on this machine, for `ping --nodes` to visit
//!
//! ```text
//! cargo run --release -p devp2p-program-tests --example fleet -- FILE
//! ```
//!
//! Writes the list of the nodes to FILE, and runs until its standard input ends.

use std::io::Read;

use devp2p_program_tests::fleet::{Fleet, Kind, Then};

const KINDS: [(Kind, usize); 15] = [
    (Kind::Honest("Geth/v1.17.10-stable/linux-amd64/go1.26.8"), 400),
    (Kind::Honest("Nethermind/v1.40.0/linux-x64/dotnet10.0.0"), 200),
    (Kind::Honest("reth/v2.5.1/x86_64-unknown-linux-gnu"), 120),
    (Kind::Honest("besu/v26.10.0/linux-x86_64/openjdk-java-25"), 60),
    (Kind::Full, 60),
    (Kind::Absent, 40),
    (Kind::Fickle, 20),
    (Kind::Stranger, 20),
    (Kind::WrongKey, 20),
    (Kind::Web, 10),
    (Kind::WrongMac, 10),
    (Kind::Oversized, 10),
    (Kind::Vanishes(Then::HelloSaid), 10),
    (Kind::Hangs(Then::Accepted), 10),
    (Kind::Hangs(Then::StatusSent), 10),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("usage: fleet FILE")?;
    let fleet = Fleet::start(&KINDS)?;
    let lines: String = fleet.nodes.iter().map(|(_, node)| format!("{node}\n")).collect();
    std::fs::write(&file, lines)?;
    println!("{} nodes are there, and listed in {file}", fleet.nodes.len());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
