//! A recorded link that runs again, compared with its journal

use std::fmt;
use std::io::BufRead;

use devp2p_drivers::journal::{Damage, Entry, Outcome, Player, Polled, Setup};
use devp2p_drivers::say::say;
use devp2p_proto::{Instant, PeerState};

use crate::happening::Views;
use crate::timeline::{Figures, Timeline};

pub struct Rerun<'a> {
    pub setup: &'a Setup,
    pub link: PeerState<'a>,
    pub tally: Tally,
    pub figures: Figures,
    pub verdict: Result<Verdict, Damage>,
}

/// Whether a link did again what it had done
pub enum Verdict {
    Same,
    Different(Difference),
}

impl<'a> Rerun<'a> {
    /// Runs the link until the end of its journal, or to the first difference; the views see what happens
    pub fn run(
        setup: &'a Setup,
        link: PeerState<'a>,
        player: Player<impl BufRead>,
        views: Views,
        trace: bool,
    ) -> (Self, Views) {
        let timeline = Timeline::new(setup, &link, views);
        let mut replay = Replay { link, now: setup.now, trace, tally: Tally::default(), timeline };
        let verdict = replay.run(player);
        let Replay { link, tally, timeline, .. } = replay;
        let (views, figures) = timeline.into_parts();
        (Self { setup, link, tally, figures, verdict }, views)
    }
}

struct Replay<'a> {
    link: PeerState<'a>,
    now: Instant,
    trace: bool,
    tally: Tally,
    timeline: Timeline,
}

impl Replay<'_> {
    fn run(&mut self, mut player: Player<impl BufRead>) -> Result<Verdict, Damage> {
        loop {
            let difference = match player.next_entry()? {
                Entry::End => return Ok(Verdict::Same),
                Entry::Event { now, event, outcome } => {
                    self.now = now;
                    let result = self.link.handle(now, event);
                    self.timeline.event(now, event, &result, &self.link);
                    self.tally.events += 1;
                    self.compare(format_args!("{event:?}"), &outcome, &Outcome::new(&result))
                }
                Entry::Polled(polled) => {
                    let action = self.link.poll();
                    self.timeline.action(action.as_ref());
                    let replayed = Polled::new(action.as_ref());
                    self.timeline.polled(&self.link);
                    self.tally.count(&replayed);
                    self.compare(format_args!("poll"), &polled, &replayed)
                }
            };
            if let Some(difference) = difference {
                return Ok(Verdict::Different(difference));
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

/// Where a replay first departs from its journal
pub struct Difference {
    entry: u64,
    at: Instant,
    what: String,
    recorded: String,
    replayed: String,
}

impl Difference {
    pub fn lines(&self) -> [String; 4] {
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
pub struct Tally {
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
