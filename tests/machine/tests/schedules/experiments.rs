//! What is tried out in every state of one link

use std::time::Duration;

use devp2p_proto::{Cause, DisconnectReason, Instant, Stage, Timeout};
use devp2p_testing::remote::{DISCONNECT, PING, PONG};
use devp2p_testing::{ALPHA, BETA};

use crate::remote::Says;
use crate::solo::{Refusal, Solo, payload};
use crate::view::check;

impl Solo {
    /// A message of `write_capacity` bytes is taken, of both protocols
    pub fn use_capacity(mut self) {
        let capacities = [ALPHA, BETA].map(|protocol| self.link.write_capacity(protocol));
        for (protocol, code) in [(ALPHA, 3), (BETA, 2)] {
            if let Some(len) = capacities[protocol.0] {
                self.link.write(self.now, protocol, code, payload(len)).expect("the capacity can be used");
            }
        }
    }

    /// A message of one byte more is not, and none at all without capacity
    pub fn exceed_capacity(mut self) {
        for (protocol, code) in [(ALPHA, 3), (BETA, 2)] {
            let capacity = self.link.write_capacity(protocol);
            let len = capacity.map_or(0, |len| len + 1);
            let outcome = self.link.write(self.now, protocol, code, payload(len));
            assert!(outcome.is_err(), "{outcome:?} of {capacity:?}");
        }
    }

    /// The network and the remote do all that they can, for three minutes: a link that has not ended lives
    pub fn heal(mut self) {
        self.link.hold_input(self.now, false);
        self.held = false;
        let damaged = self.remote.wire.iter().any(|unit| unit.damaged);
        let mut answered = 0;
        self.settle(&mut answered);
        if self.link.stage() == Stage::Running {
            assert!(!damaged, "a damaged frame is not taken");
            assert_eq!(self.refused, [Refusal::None; 2], "a protocol that was refused is told that it can write");
            let pongs = self.remote.opened.iter().filter(|id| **id == PONG).count() as u64;
            assert_eq!(pongs, self.link.liveness().pings_received, "each Ping is answered");
            self.wait(Duration::from_secs(180), &mut answered);
            assert_eq!(self.link.stage(), Stage::Running, "{:?}", self.link.cause());
        }
        let severed = self.remote.cut;
        self.link.disconnect(self.now, DisconnectReason::REQUESTED);
        self.wait(Duration::from_secs(60), &mut answered);
        assert_eq!((self.link.stage(), self.told), (Stage::Closed, true), "{:?}", self.link);
        assert_eq!(self.delivered, self.taken, "a message that came before the end is delivered");
        let cause = self.link.cause().expect("it has ended");
        let heard = self.remote.opened.last() == Some(&DISCONNECT);
        if cause.sent_reason().is_none() {
            assert!(!heard, "{cause} is not told");
        } else if !severed && self.link.remote_id().is_some() && self.remote.is_up_to_date() {
            assert!(heard, "{cause} is told");
        }
    }

    /// The driver has no room for a message for three minutes: the link lives, and goes on afterwards
    pub fn stay_held(mut self) {
        self.link.hold_input(self.now, true);
        self.held = true;
        self.remote.say(Says::Message);
        let damaged = self.remote.wire.iter().any(|unit| unit.damaged);
        self.wait(Duration::from_secs(180), &mut 0);
        let ended = self.remote.wire.iter().any(|unit| unit.what == Says::Disconnect) || self.link.cause().is_some();
        assert!(damaged || ended || self.link.stage() == Stage::Running);
        let cause = self.link.cause();
        assert!(!matches!(cause, Some(Cause::Timeout(_))), "it is not timed out for what is held: {cause:?}");
        self.heal();
    }

    /// The remote pings on, and of what is to leave only a byte does now and then: the link ends
    pub fn trickle_out(mut self) {
        for _ in 0..15 {
            self.poll_all();
            self.sent(self.link.unsent().len().min(1));
            self.remote.say(Says::Ping);
            self.offer_wire();
            self.poll_all();
            self.pass(10);
        }
        assert!(self.link.cause().is_some(), "it lives on with {} bytes unsent", self.link.unsent().len());
    }

    /// All bytes leave, and of a frame only a byte comes now and then: the link ends when the frame's time is over
    pub fn trickle_in(mut self) {
        self.settle(&mut 0);
        if self.link.cause().is_some() || self.held {
            return;
        }
        self.remote.say(Says::Message);
        for _ in 0..4 {
            assert_eq!(self.link.cause(), None);
            let byte = self.remote.wire[0].bytes[..1].to_vec();
            self.feed(&byte);
            self.turn();
            self.pass(8);
        }
        assert_eq!(self.link.cause(), Some(Cause::Timeout(Timeout::Frame)));
    }

    /// So many seconds go by
    fn pass(&mut self, seconds: u64) {
        let end = self.now.checked_add(Duration::from_secs(seconds)).expect("it is early");
        while let Some(at) = self.link.next_timeout().filter(|at| *at <= end) {
            self.now = at;
            self.link.handle_timeout(at);
            check(&self.link, at);
        }
        self.now = end;
    }

    /// Every action, without anything leaving
    fn poll_all(&mut self) {
        while !self.told && self.link.unsent().is_empty() && self.poll() {}
        // Bytes are offered again and again, and behind them comes nothing.
        (0..4).for_each(|_| _ = !self.told && self.poll());
    }

    fn offer_wire(&mut self) {
        let bytes: Vec<u8> = self.remote.wire.iter().flat_map(|unit| unit.bytes.clone()).collect();
        if !bytes.is_empty() {
            self.feed(&bytes);
        }
    }

    fn pings(&self) -> usize {
        self.remote.opened.iter().filter(|id| **id == PING).count()
    }

    /// Everything that can happen now does
    fn settle(&mut self, answered: &mut usize) {
        loop {
            while !self.link.wants_input() || !self.link.unsent().is_empty() {
                if !self.turn() {
                    break;
                }
            }
            self.answer(answered);
            let bytes: Vec<u8> = self.remote.wire.iter().flat_map(|unit| unit.bytes.clone()).collect();
            let taken = !bytes.is_empty() && self.feed(&bytes) > 0;
            if !taken && !self.turn() {
                return;
            }
        }
    }

    /// An action, and all bytes leave
    fn turn(&mut self) -> bool {
        let unsent = self.link.unsent().len();
        let sent = self.sent(unsent);
        check(&self.link, self.now);
        self.poll() | sent
    }

    /// The remote greets, and answers each Ping
    fn answer(&mut self, answered: &mut usize) {
        if matches!(self.link.stage(), Stage::Handshake | Stage::Hello) && self.remote.wire.is_empty() {
            self.remote.say(Says::Greeting);
        }
        if self.pings() > *answered && self.remote.say(Says::Pong) {
            *answered += 1;
        }
    }

    fn wait(&mut self, time: Duration, answered: &mut usize) {
        let end: Instant = self.now.checked_add(time).unwrap();
        self.settle(answered);
        while let Some(at) = self.link.next_timeout().filter(|at| *at <= end) {
            self.now = at;
            self.link.handle_timeout(at);
            check(&self.link, at);
            self.settle(answered);
        }
        self.now = end;
        assert!(self.remote.opened.iter().filter(|id| **id == PONG).count() as u64 <= self.link.liveness().pongs_sent);
    }
}
