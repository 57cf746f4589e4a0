//! `ping` for a devp2p node: shows who it is, what it speaks, and how fast it answers
//!
//! ```text
//! cargo run -p devp2p-drivers --bin ping -- enode://…@127.0.0.1:30303 [--count N] [--json]
//! ```
//!
//! Dials, shows the node's Hello and the shared protocols, then sends Pings of the base protocol and shows how
//! long the answers take, until it is told to stop. It says goodbye before it exits, also at Ctrl-C.

mod courtesy;
mod options;
mod report;

use std::process::ExitCode;
use std::time::{Duration, Instant as Clock};

use devp2p_drivers::arguments::{Arguments, asks_for_help};
use devp2p_drivers::journal::Setup;
use devp2p_drivers::say::{complain, say_lines};
use devp2p_drivers::session::{DialError, Happening, Session};
use devp2p_proto::{Cause, DisconnectReason, ProtocolId};

use options::Options;
use report::{Report, Verdict};

const BAD_ARGUMENTS: u8 = 2;

fn main() -> ExitCode {
    ExitCode::from(run().unwrap_or_else(|message| {
        complain(format_args!("ping: {message}"));
        BAD_ARGUMENTS
    }))
}

/// Returns the exit status; what is wrong with the arguments is an error
fn run() -> Result<u8, String> {
    if asks_for_help() {
        say_lines(options::USAGE);
        return Ok(0);
    }
    let options = Options::parse(Arguments::of_process())?;
    let mut report = Report::new(options.node, !options.json);
    report.begin();
    let begun = Clock::now();
    let setup = setup(&options).map_err(|error| format!("the system gives no random bytes: {error}"))?;
    let (verdict, why) = match Session::dial(options.node, &setup, options.record.as_deref()) {
        Err(DialError::Unreachable(error)) => (Verdict::Unreachable, error.to_string()),
        Err(error) => return Err(error.to_string()),
        Ok(session) => {
            let mut visit = Visit { session, options: &options, report: &mut report, ready: false, awaited: false };
            let outcome = visit.run();
            visit.session.finish().map_err(|error| format!("the journal is incomplete: {error}"))?;
            outcome
        }
    };
    report.end(verdict, &why, begun.elapsed());
    Ok(verdict.exit_status())
}

fn setup(options: &Options) -> Result<Setup, getrandom::Error> {
    let mut setup = Setup::dialled(options.node.node_id, "devp2p-proto-ping/1.0", options.offers.clone())?;
    setup.timeouts = options.timeouts;
    // All Pings are ours to time, so that the link sends none by itself. A peer that is silent otherwise has
    // every right to be.
    setup.timeouts.ping = Duration::MAX;
    setup.timeouts.read = Duration::MAX;
    setup.timeouts.pong = options.timeout;
    Ok(setup)
}

/// One link, from the call to the parting
struct Visit<'a> {
    session: Session,
    options: &'a Options,
    report: &'a mut Report,
    ready: bool,
    /// Whether a Ping is on its way
    awaited: bool,
}

impl Visit<'_> {
    fn run(&mut self) -> (Verdict, String) {
        let mut due = None;
        loop {
            match self.session.next(due.filter(|_| !self.awaited)) {
                Happening::Ready => {
                    self.ready = true;
                    self.report.meet(self.session.state());
                    due = Some(self.session.now());
                }
                Happening::Elapsed => {
                    self.session.ping();
                    self.report.note_sent();
                    self.awaited = true;
                    due = self.session.now().checked_add(self.options.interval);
                }
                Happening::Pong(time) => {
                    self.awaited = false;
                    self.report.note_pong(time);
                    if self.options.count == Some(self.report.answered()) || !self.report.is_heard() {
                        return self.leave();
                    }
                }
                Happening::Message { protocol, code, payload } => self.answer(protocol, code, &payload),
                // Courtesies are small and few; one that finds no room is left out.
                Happening::Writable(_) => {}
                Happening::Interrupted => return self.leave(),
                Happening::Ended(cause) => return self.ended(cause),
            }
        }
    }

    fn answer(&mut self, protocol: ProtocolId, code: u64, payload: &[u8]) {
        let (link, now) = self.session.link();
        let capability = link.shared().find(|shared| shared.protocol == protocol).map(|shared| shared.capability);
        if let Some((code, payload)) = capability.and_then(|it| courtesy::answer(it, code, payload)) {
            let _ = link.write(now, protocol, code, &payload);
        }
    }

    fn leave(&mut self) -> (Verdict, String) {
        let cause = self.session.leave(DisconnectReason::CLIENT_QUITTING);
        let verdict = if self.ready { Verdict::Reached } else { Verdict::Unreachable };
        (verdict, cause.to_string())
    }

    fn ended(&mut self, cause: Cause) -> (Verdict, String) {
        if !self.ready {
            self.report.meet(self.session.state());
        }
        let why = match cause {
            Cause::Remote(reason) => reason.to_string(),
            other => other.to_string(),
        };
        (Verdict::of(cause, self.ready), why)
    }
}
