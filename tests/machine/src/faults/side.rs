//! One side: a link, and its driver and application with their habits

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use devp2p_proto::internal::memory;
use devp2p_proto::{Action, Cause, Instant, PeerState, ProtocolId, WriteError};
use devp2p_testing::{BETA, noise};

use super::plan::{Deed, Habits, MAX_MEMORY};
use super::wire::{SECOND, Time, Wire};

/// A message, by its protocol, its code, and what arrives of it
pub type Message = (ProtocolId, u64, Arrives);

/// What arrives of a message
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arrives {
    /// All, with this digest
    Whole(u64),
    /// Only its length, since it is skipped
    Skipped(usize),
}

pub struct Side {
    pub link: PeerState<'static>,
    pub habits: Habits,
    /// The longest payload that BETA takes
    beta_takes: usize,
    /// By how many nanoseconds the clock has jumped
    jumped: i64,
    next_deed: usize,
    /// Messages that the link did not take yet
    outbox: VecDeque<(ProtocolId, usize)>,
    blocked: [bool; 2],
    /// Messages that the application has not worked on yet
    inbox: usize,
    free_at: Time,
    deaf: bool,
    read_at: Time,
    /// When the link wants to be woken, in true time
    wake: Option<Time>,
    told_closed: bool,
    pub told_failed: bool,
    /// Why the link has ended, and when that was told
    pub end: Option<(Cause, Time)>,
    /// What the link has taken from the application, and delivered to it
    pub written: Vec<Message>,
    pub delivered: Vec<Message>,
    /// The length of the last delivered message
    last_len: usize,
    pub ready: bool,
    /// A digest of every action and its time
    pub history: DefaultHasher,
}

impl Side {
    pub fn new(habits: Habits, beta_takes: usize, make: impl FnOnce(Instant) -> PeerState<'static>) -> Self {
        let start = Instant::from_nanos(habits.clock.0);
        Self {
            link: make(start),
            habits,
            beta_takes,
            jumped: 0,
            next_deed: 0,
            outbox: VecDeque::new(),
            blocked: [false; 2],
            inbox: 0,
            free_at: 0,
            deaf: false,
            read_at: 0,
            wake: Some(0),
            told_closed: false,
            told_failed: false,
            end: None,
            written: Vec::new(),
            delivered: Vec::new(),
            last_len: 0,
            ready: false,
            history: DefaultHasher::new(),
        }
    }

    /// What the clock of this side shows
    fn clock(&self, now: Time) -> Instant {
        let (start, fast) = self.habits.clock;
        let drift = now as i64 / 1_000_000 * fast;
        Instant::from_nanos(start.saturating_add(now).saturating_add_signed(drift + self.jumped))
    }

    /// When this side has to do something next
    pub fn next(&self, now: Time, input: &Wire) -> Option<Time> {
        if self.end.is_some() {
            return None;
        }
        let deed = self.habits.deeds.get(self.next_deed).map(|(at, _)| *at);
        let reads = self.link.wants_input();
        let read = (reads && input.has_unread()).then_some(self.read_at);
        let work = (self.inbox > 0 && !self.deaf).then_some(self.free_at);
        let arrival = input.next_arrival(now).filter(|_| reads);
        [deed, read, work, arrival, self.wake].into_iter().flatten().min().map(|at| at.max(now))
    }

    /// One turn of the driver's loop; whether anything happened
    pub fn turn(&mut self, now: Time, input: &mut Wire, output: &mut Wire) -> bool {
        if self.end.is_some() {
            return false;
        }
        let mut busy = self.act(now);
        busy |= self.work(now);
        busy |= self.drain(now, output);
        busy |= self.read(now, input);
        let clock = self.clock(now);
        let due = self.link.next_timeout().is_some_and(|at| at <= clock);
        if due || self.habits.eager {
            self.link.handle_timeout(clock);
            busy |= due;
        }
        self.rest(now);
        busy
    }

    /// Looks at when to come back
    fn rest(&mut self, now: Time) {
        assert!(self.memory() <= MAX_MEMORY, "{} bytes", self.memory());
        let clock = self.clock(now);
        let delay = self.link.next_timeout().map(|at| at.saturating_since(clock).as_nanos() as Time);
        assert!(delay != Some(0), "a wake-up without a delay: {:?} {:?}", self.link.next_timer(), self.link);
        // A clock that is too fast or too slow is late or early by a little.
        self.wake = delay.map(|delay| now + (delay - delay / 1_000_000 * self.habits.clock.1.unsigned_abs()).max(1));
    }

    fn act(&mut self, now: Time) -> bool {
        let before = self.next_deed;
        while let Some((_, deed)) = self.habits.deeds.get(self.next_deed).filter(|(at, _)| *at <= now) {
            let deed = *deed;
            self.next_deed += 1;
            self.perform(now, deed);
        }
        before != self.next_deed
    }

    fn perform(&mut self, now: Time, deed: Deed) {
        let clock = self.clock(now);
        match deed {
            Deed::Write(protocol, len) => {
                self.outbox.push_back((protocol, len));
                self.flush(now);
            }
            Deed::Ping => _ = self.link.ping(clock),
            Deed::Disconnect(reason) => self.link.disconnect(clock, reason),
            Deed::Returned(protocol) => _ = self.link.protocol_returned(clock, protocol, Ok(())),
            Deed::Jump(millis) => self.jumped += millis * 1_000_000,
            Deed::Deaf(deaf) => self.deaf = deaf,
        }
    }

    /// Writes what the link takes, in order for each protocol
    fn flush(&mut self, now: Time) {
        let clock = self.clock(now);
        if !self.ready || self.link.cause().is_some() {
            return;
        }
        for (protocol, len) in std::mem::take(&mut self.outbox) {
            let number = self.written.iter().filter(|(of, ..)| *of == protocol).count() as u64;
            let content = content(number, len);
            if self.blocked[protocol.0] {
                self.outbox.push_back((protocol, len));
                continue;
            }
            match self.link.write(clock, protocol, number % 3, &content) {
                Ok(_) => self.written.push((protocol, number % 3, self.arrives(protocol, &content))),
                Err(WriteError::Full) => {
                    self.blocked[protocol.0] = true;
                    self.outbox.push_back((protocol, len));
                }
                // Under `cfg(fuzzing)` every MAC is accepted, so that a flipped bit may have changed a name in Hello.
                Err(WriteError::NotShared) if cfg!(fuzzing) => {}
                Err(error) => panic!("{error:?} of {len} bytes"),
            }
        }
    }

    /// What the other side gets of a message with this content
    fn arrives(&self, protocol: ProtocolId, content: &[u8]) -> Arrives {
        if protocol == BETA && content.len() > self.beta_takes {
            Arrives::Skipped(content.len())
        } else {
            Arrives::Whole(digest(content))
        }
    }

    /// The application works on messages, and holds the link if it has no room
    fn work(&mut self, now: Time) -> bool {
        let before = self.inbox;
        while self.inbox > 0 && !self.deaf && self.free_at <= now {
            self.inbox -= 1;
            self.free_at = now + self.habits.work;
        }
        let held = self.inbox >= self.habits.room;
        self.link.hold_input(self.clock(now), held);
        before != self.inbox
    }

    fn drain(&mut self, now: Time, output: &mut Wire) -> bool {
        let clock = self.clock(now);
        let mut busy = false;
        loop {
            self.link.hold_input(clock, self.inbox >= self.habits.room);
            let Some(action) = self.link.poll() else { return busy };
            match action {
                Action::Send(bytes) => {
                    let len = output.write(now, &bytes[..bytes.len().min(self.habits.max_write)]);
                    if len == 0 {
                        return busy;
                    }
                    self.link.sent(clock, len).expect("no more than was offered");
                }
                Action::Deliver { protocol, code, payload } => {
                    let message = (protocol, code, Arrives::Whole(digest(&payload)));
                    (now, message).hash(&mut self.history);
                    self.last_len = payload.len();
                    self.delivered.push(message);
                    self.inbox += 1;
                }
                Action::Skipped { protocol, code, size, .. } => {
                    let message = (protocol, code, Arrives::Skipped(size));
                    (now, message).hash(&mut self.history);
                    self.delivered.push(message);
                }
                Action::Disconnect(cause) => {
                    (now, cause).hash(&mut self.history);
                    self.end = Some((cause, now));
                    output.close(now);
                    assert!(self.link.poll().is_none(), "nothing comes after Disconnect");
                    let (receiving, sending) = memory(&self.link);
                    assert_eq!(sending, 0, "the end gives memory back");
                    assert!(receiving <= self.last_len, "no more is kept than the message that came last");
                    return true;
                }
                action => {
                    if let Action::Writable(protocol) = action {
                        self.blocked[protocol.0] = false;
                    }
                    self.ready |= matches!(action, Action::Ready(_));
                    self.flush(now);
                }
            }
            busy = true;
        }
    }

    fn read(&mut self, now: Time, input: &mut Wire) -> bool {
        let clock = self.clock(now);
        let bytes = input.unread(now);
        let bytes = &bytes[..bytes.len().min(self.habits.max_read)];
        if !bytes.is_empty() && self.read_at <= now && self.link.wants_input() {
            let taken = self.link.receive(clock, bytes);
            assert!(taken > 0, "it wants input");
            input.consume(taken);
            self.read_at = now + self.habits.read_pause;
            return true;
        }
        let tell = input.is_at_end(now) && !self.told_closed && self.link.wants_input();
        if tell {
            self.told_closed = true;
            self.link.receive_closed(clock);
        }
        tell
    }

    /// The connection was reset
    pub fn reset(&mut self, now: Time) {
        if self.end.is_none() {
            let clock = self.clock(now);
            self.told_failed = true;
            self.link.send_failed(clock);
            self.wake = Some(now);
        }
    }

    /// The application and its driver are quick from now on
    pub fn heal(&mut self, now: Time) {
        (self.habits.read_pause, self.habits.work, self.habits.max_read) = (0, 0, 1 << 16);
        (self.deaf, self.read_at, self.free_at, self.wake) = (false, now, now, Some(now));
    }

    /// How much memory the link occupies
    pub fn memory(&self) -> usize {
        let (receiving, sending) = memory(&self.link);
        receiving + sending
    }

    pub fn has_written_all(&self) -> bool {
        self.outbox.is_empty()
    }
}

/// The content of a message: noise, text or zeros
fn content(number: u64, len: usize) -> Vec<u8> {
    match number % 3 {
        0 => noise(number, len),
        1 => b"again and ".iter().copied().cycle().take(len).collect(),
        _ => vec![0; len],
    }
}

fn digest(content: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}

pub const IDLE: Time = 120 * SECOND;
