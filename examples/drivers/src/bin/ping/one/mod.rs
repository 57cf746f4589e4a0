//! One node: its Hello, and a Ping in each interval until the program is told to stop

mod report;

use std::time::{Duration, Instant as Clock};

use devp2p_drivers::journal::Setup;
use devp2p_drivers::session::{DialError, Happening, Session};
use devp2p_proto::{Cause, DisconnectReason, ProtocolId};

use crate::courtesy::{self, PAUSE};
use crate::options::One;
use report::{Report, Verdict};

/// Returns the exit status; what is wrong with the arguments is an error
pub fn run(options: &One) -> Result<u8, String> {
    let mut report = Report::new(options.node, !options.json);
    report.begin();
    let begun = Clock::now();
    let setup = setup(options).map_err(|error| format!("the system gives no random bytes: {error}"))?;
    let (verdict, why) = match Session::dial(options.node, &setup, options.record.as_deref()) {
        Err(DialError::Unreachable(error)) => (Verdict::Unreachable, error.to_string()),
        Err(error) => return Err(error.to_string()),
        Ok(session) => {
            let mut visit = Visit { session, options, report: &mut report, ready: false, awaited: false };
            let outcome = visit.run();
            visit.session.finish().map_err(|error| format!("the journal is incomplete: {error}"))?;
            outcome
        }
    };
    report.end(verdict, &why, begun.elapsed());
    Ok(verdict.exit_status())
}

fn setup(options: &One) -> Result<Setup, getrandom::Error> {
    let mut setup = Setup::dialled(options.node.node_id, courtesy::NAME, options.offers.clone())?;
    setup.timeouts = options.timeouts;
    // The program decides when a Ping is sent, so the link sends none by itself. The peer may be silent apart from
    // its Pongs, so there is no read timeout.
    setup.timeouts.ping = Duration::MAX;
    setup.timeouts.read = Duration::MAX;
    setup.timeouts.pong = options.timeout;
    Ok(setup)
}

/// One link, from dialling to its end
struct Visit<'a> {
    session: Session,
    options: &'a One,
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
                    due = self.session.now().checked_add(PAUSE);
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
                // The answers are small and few; one for which there is no capacity is left out.
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
