//! Runs a recorded link again, from its journal, and compares every byte and action
//!
//! ```text
//! cargo run -p devp2p-drivers --bin ping -- enode://… --count 3 --record FILE --yes-secrets
//! cargo run -p devp2p-tokio -- dial enode://… --send 10 --record FILE --yes-secrets
//! cargo run -p devp2p-drivers --bin replay -- FILE [--trace]
//! ```
//!
//! A link has no input but its constructor's arguments and its events, so what comes out must be the same.
//! If it is not, the first difference is shown: another version of the crate does something else, or
//! something is not deterministic. The exit status is 0 if all is the same, 1 if not, and 2 if the file
//! cannot be replayed.

use std::fmt;
use std::process::ExitCode;

use devp2p_drivers::arguments::{Arguments, asks_for_help};
use devp2p_drivers::journal::{Damage, Entry, Memory, Outcome, Player, Polled, Setup};
use devp2p_drivers::say::{complain, say, say_lines};
use devp2p_proto::{Buffers, Instant, MAX_PROTOCOLS, PeerState, ProtocolSlot};

const USAGE: &str = "\
usage: replay [--trace] FILE

  --trace    show every event and every action

exit status: 0 no difference, 1 a difference, 2 the file cannot be replayed";

const DIFFERENT: u8 = 1;
const BAD_ARGUMENTS: u8 = 2;

fn main() -> ExitCode {
    match run() {
        Ok(Ending::Same(tally)) => {
            say(format_args!("{tally}: no difference"));
            ExitCode::SUCCESS
        }
        Ok(Ending::Different(difference)) => {
            difference.lines().iter().for_each(complain);
            ExitCode::from(DIFFERENT)
        }
        Err(message) => {
            complain(format_args!("replay: {message}"));
            ExitCode::from(BAD_ARGUMENTS)
        }
    }
}

fn run() -> Result<Ending, String> {
    if asks_for_help() {
        say_lines(USAGE);
        std::process::exit(0);
    }
    let (path, trace) = parse(Arguments::of_process())?;
    let file = std::fs::read(&path).map_err(|error| format!("{path}: {error}"))?;
    let in_file = |damage: Damage| format!("{path}: {damage}");
    let (setup, player) = Player::open(&file).map_err(in_file)?;
    let mut memory = Arena::new(setup.memory)
        .ok_or_else(|| format!("{path}: its buffers have more than {} bytes, which no link needs", Memory::LARGEST))?;
    let link = setup.link(memory.buffers()).map_err(|error| format!("{path}: {error}"))?;
    describe(&path, &setup);
    Replay { link, now: setup.now, trace, tally: Tally::default() }.run(player).map_err(in_file)
}

fn parse(arguments: Arguments) -> Result<(String, bool), String> {
    let (mut path, mut trace) = (None, false);
    for argument in arguments {
        match argument.as_str() {
            "--trace" => trace = true,
            option if option.starts_with('-') => return Err(format!("unknown option {option}")),
            _ if path.is_none() => path = Some(argument),
            other => return Err(format!("unexpected argument {other}: give one file only")),
        }
    }
    Ok((path.ok_or("the journal file is missing")?, trace))
}

fn describe(path: &str, setup: &Setup) {
    let protocols: Vec<_> = setup.protocols.iter().map(|offer| format!("{}/{}", offer.name, offer.version)).collect();
    let who = match setup.remote {
        Some(remote) => format!("dialling {:.16}…", remote.to_string()),
        None => "accepting".to_string(),
    };
    say(format_args!("{path}: {}, {who}, offering {}", setup.client_id, protocols.join(" ")));
}

/// Memory of the kind and size that the recorded link had
struct Arena {
    memory: Memory,
    receive: Vec<u8>,
    transmit: Vec<u8>,
    table: Vec<u16>,
    slots: Vec<ProtocolSlot>,
}

impl Arena {
    /// `None` if the buffers are larger than any link needs: the lengths come from a file, which may be wrong
    fn new(memory: Memory) -> Option<Self> {
        memory.size().filter(|size| *size <= Memory::LARGEST)?;
        let (receive, transmit, table) = match memory {
            Memory::Growable => (0, 0, 0),
            Memory::Fixed { receive, transmit, table } => (receive, transmit, table),
        };
        Some(Self {
            memory,
            receive: vec![0; receive],
            transmit: vec![0; transmit],
            table: vec![0; table],
            slots: vec![ProtocolSlot::EMPTY; MAX_PROTOCOLS],
        })
    }

    fn buffers(&mut self) -> Buffers<'_> {
        match self.memory {
            Memory::Growable => Buffers::growable(),
            Memory::Fixed { .. } => {
                Buffers::fixed(&mut self.receive, &mut self.transmit, &mut self.table, &mut self.slots)
            }
        }
    }
}

struct Replay<'a> {
    link: PeerState<'a>,
    now: Instant,
    trace: bool,
    tally: Tally,
}

impl Replay<'_> {
    fn run(mut self, mut player: Player<'_>) -> Result<Ending, Damage> {
        loop {
            let difference = match player.next_entry()? {
                Entry::End => return Ok(Ending::Same(self.tally)),
                Entry::Event { now, event, outcome } => {
                    self.now = now;
                    let replayed = Outcome::new(&self.link.handle(now, event));
                    self.tally.events += 1;
                    self.compare(format_args!("{event:?}"), &outcome, &replayed)
                }
                Entry::Polled(polled) => {
                    let replayed = Polled::new(self.link.poll().as_ref());
                    self.tally.count(&replayed);
                    self.compare(format_args!("poll"), &polled, &replayed)
                }
            };
            if let Some(difference) = difference {
                return Ok(Ending::Different(difference));
            }
        }
    }

    fn compare<T: fmt::Display + PartialEq>(
        &self,
        what: impl fmt::Display,
        recorded: &T,
        replayed: &T,
    ) -> Option<Difference> {
        if self.trace {
            say(format_args!("{:>9}  {what}: {replayed}", self.now.to_string()));
        }
        (recorded != replayed).then(|| Difference {
            entry: self.tally.entries(),
            at: self.now,
            what: what.to_string(),
            recorded: recorded.to_string(),
            replayed: replayed.to_string(),
        })
    }
}

enum Ending {
    Same(Tally),
    Different(Difference),
}

/// Where a replay first departs from its journal
struct Difference {
    entry: u64,
    at: Instant,
    what: String,
    recorded: String,
    replayed: String,
}

impl Difference {
    fn lines(&self) -> [String; 4] {
        let Self { entry, at, what, recorded, replayed } = self;
        [
            format!("replay: entry {entry} at {at} differs"),
            format!("  {what}"),
            format!("  recorded: {recorded}"),
            format!("  replayed: {replayed}"),
        ]
    }
}

#[derive(Default)]
struct Tally {
    events: u64,
    polls: u64,
    actions: u64,
    delivered: u64,
    offered: u64,
}

impl Tally {
    fn count(&mut self, polled: &Polled) {
        self.polls += 1;
        self.actions += u64::from(!polled.is_nothing());
        if polled.is_delivery() {
            self.delivered += polled.size();
        } else {
            self.offered += polled.size();
        }
    }

    const fn entries(&self) -> u64 {
        self.events + self.polls
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, actions, delivered, offered, .. } = self;
        write!(f, "{events} events, {actions} actions, {offered} bytes to send, {delivered} bytes delivered")
    }
}
