//! Runs a recorded link again, from its journal, and compares every byte and action
//!
//! ```text
//! cargo run -p devp2p-drivers --bin ping -- enode://… --count 3 --record FILE --yes-secrets
//! cargo run -p devp2p-drivers --bin tokio -- dial enode://… --send 10 --record FILE --yes-secrets
//! cargo run -p devp2p-drivers --bin replay -- FILE [--trace] [--html PAGE] [--pcapng CAPTURE]
//! ```
//!
//! A link has no input but its constructor's arguments and its events, so what comes out must be the same.
//! If it is not, the first difference is shown: another version of the crate does something else, or
//! something is not deterministic. The exit status is 0 if all is the same, 1 if not, and 2 if the file
//! cannot be replayed.
//!
//! - `rerun.rs` runs the link and compares it with its journal
//! - `timeline/` finds out what happened; `happening.rs` has the types, and `names.rs` the names of messages
//! - `page/` and `capture.rs` show it: a page for a browser, and a capture for Wireshark

mod arena;
mod capture;
mod happening;
mod names;
mod options;
mod page;
mod rerun;
mod timeline;

use std::fs::File;
use std::io::BufReader;
use std::process::ExitCode;

use devp2p_drivers::arguments::{Arguments, asks_for_help};
use devp2p_drivers::journal::{Damage, Memory, Player, Setup};
use devp2p_drivers::say::{complain, say, say_lines};

use crate::arena::Arena;
use crate::capture::Capture;
use crate::happening::Views;
use crate::names::Names;
use crate::options::Options;
use crate::page::Page;
use crate::rerun::{Rerun, Verdict};

const USAGE: &str = "\
usage: replay [--trace] [--html PAGE] [--pcapng CAPTURE [--yes-secrets]] FILE

  --trace            show every event and every action
  --html PAGE        write a page that shows the link as a sequence diagram
  --pcapng CAPTURE   write a capture of what happened for Wireshark, and beside it a dissector in Lua:
                     with --pcapng link.pcapng, run: tshark -X lua_script:link.lua -r link.pcapng
  --yes-secrets      write the payloads of messages into the capture

Neither file holds a key, and no existing file is written over. Times count from the moment when the link was made.

exit status: 0 no difference, 1 a difference, 2 the file cannot be replayed";

const DIFFERENT: u8 = 1;
const BAD_ARGUMENTS: u8 = 2;

fn main() -> ExitCode {
    run().unwrap_or_else(|message| {
        complain(format_args!("replay: {message}"));
        ExitCode::from(BAD_ARGUMENTS)
    })
}

fn run() -> Result<ExitCode, String> {
    if asks_for_help() {
        say_lines(USAGE);
        return Ok(ExitCode::SUCCESS);
    }
    let options = Options::parse(Arguments::of_process())?;
    let path = &options.journal;
    let in_file = |damage: Damage| format!("{path}: {damage}");
    let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
    let (setup, player) = Player::open(BufReader::new(file)).map_err(in_file)?;
    let mut memory = Arena::new(setup.memory)
        .ok_or_else(|| format!("{path}: its buffers have more than {} bytes, which no link needs", Memory::LARGEST))?;
    let link = setup.link(memory.buffers()).map_err(|error| format!("{path}: {error}"))?;
    let views = views(&options, &setup)?;
    describe(path, &setup);
    let (rerun, views) = Rerun::run(&setup, link, player, views, options.trace);
    for (path, view) in views {
        view.finish(&rerun).map_err(|error| format!("{path}: {error}"))?;
    }
    match rerun.verdict {
        Ok(Verdict::Same) => {
            say(format_args!("{}: no difference", rerun.tally));
            Ok(ExitCode::SUCCESS)
        }
        Ok(Verdict::Different(difference)) => {
            difference.lines().iter().for_each(complain);
            Ok(ExitCode::from(DIFFERENT))
        }
        Err(damage) => Err(in_file(damage)),
    }
}

/// The files that were asked for, with their names
fn views(options: &Options, setup: &Setup) -> Result<Views, String> {
    let mut views: Views = Vec::new();
    if let Some(path) = &options.html {
        let page = Page::create(path).map_err(|error| format!("--html {path}: {error}"))?;
        views.push((path.clone(), Box::new(page)));
    }
    if let Some(path) = &options.pcapng {
        let names = Names::new(&setup.protocols);
        let capture = Capture::create(path, &Options::dissector(path), &names, options.secrets);
        views.push((path.clone(), Box::new(capture.map_err(|error| format!("--pcapng {path}: {error}"))?)));
    }
    Ok(views)
}

fn describe(path: &str, setup: &Setup) {
    let protocols: Vec<_> = Names::new(&setup.protocols).capabilities().collect();
    let who = match setup.remote {
        Some(remote) => format!("dialling {:.16}…", remote.to_string()),
        None => "accepting".to_string(),
    };
    say(format_args!("{path}: {}, {who}, offering {}", setup.client_id, protocols.join(" ")));
}
