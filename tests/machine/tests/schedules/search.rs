//! The search over the states of one link: where it starts, what happens, and what distinguishes states

use std::hash::{DefaultHasher, Hash, Hasher};

use devp2p_proto::{Buffers, Instant, PeerState, ProtocolId, Stage};
use devp2p_testing::remote::{LINK, REMOTE};
use devp2p_testing::{ALPHA, BETA, entropy};

use crate::explore::Machine;
use crate::remote::{Remote, Says, id_of};
use crate::solo::{Event, LARGE, MAX_SEND, SMALL, Solo, Start, limited};
use crate::view::{View, abandon, check};

impl Solo {
    /// What distinguishes the states of a protocol: which messages fit, and what was promised
    fn protocol_key(&self, protocol: ProtocolId) -> u64 {
        let index = protocol.0;
        let mut hasher = DefaultHasher::new();
        let capacity = self.link.write_capacity(protocol);
        capacity.map(|len| [SMALL, LARGE, MAX_SEND].map(|message| message <= len)).hash(&mut hasher);
        (self.ends[index] > self.position, self.refused[index], self.promised[index]).hash(&mut hasher);
        hasher.finish()
    }
}

impl Machine for Solo {
    type Start = Start;
    type Event = Event;

    fn start(start: Start) -> Self {
        let greeting = [Event::Poll, Event::Poll];
        let hello = [&greeting[..], &[Event::SentAll]].concat();
        let ready = [Event::All(Says::Greeting), Event::Poll];
        let running = [&hello[..], &ready].concat();
        let full = [(ALPHA, LARGE), (BETA, LARGE), (ALPHA, LARGE), (BETA, LARGE)].map(|(p, len)| Event::Write(p, len));
        match start {
            Start::Initiator => {
                let (now, buffers) = (Instant::ZERO, Buffers::growable());
                let link = PeerState::initiator(now, limited(LINK), id_of(REMOTE), entropy(8), buffers);
                Self::with(start, link.unwrap(), Remote::dialled())
            }
            Start::Recipient => {
                let link = PeerState::recipient(Instant::ZERO, limited(LINK), entropy(7), Buffers::growable());
                Self::with(start, link.unwrap(), Remote::dialling())
            }
            Start::Admission => Self::prepared(start, &[]),
            Start::Hello => Self::prepared(start, &greeting),
            Start::Running => Self::prepared(start, &running),
            Start::Full => Self::prepared(start, &[&running[..], &full].concat()),
            Start::Closing => Self::prepared(start, &[&running[..], &[Event::Disconnect]].concat()),
        }
    }

    fn alphabet() -> Vec<Event> {
        let said = [Says::Greeting, Says::Ping, Says::Pong, Says::Message, Says::Disconnect];
        let parts = [Says::Greeting, Says::Ping, Says::Message].map(Event::PartOf);
        let input = [Event::ReceivePart, Event::ReceiveRest, Event::ReceiveDamaged];
        let driver = [Event::Poll, Event::SentPart, Event::SentAll, Event::Timeout];
        let written =
            [(ALPHA, SMALL), (ALPHA, LARGE), (BETA, SMALL), (BETA, LARGE)].map(|(p, len)| Event::Write(p, len));
        let asked = [Event::Ping, Event::Hold(true), Event::Hold(false), Event::Disconnect, Event::Returned];
        let network = [Event::ReceiveClosed, Event::SendFailed];
        [&parts[..], &said.map(Event::All), &input, &driver, &written, &asked, &network].concat()
    }

    fn apply(&mut self, event: Event) -> bool {
        let unsent = self.link.unsent().len();
        let before = (self.link.stage(), self.link.cause());
        if !self.perform(event) {
            return false;
        }
        let leaves = matches!(event, Event::SentPart | Event::SentAll);
        self.remote.cut |= !leaves && self.link.unsent().len() < unsent;
        check(&self.link, self.now);
        let (stage, cause) = (self.link.stage(), self.link.cause());
        assert!(stage as u8 >= before.0 as u8, "no stage comes again");
        assert!(
            before.1.is_none() || cause == before.1 || cause.is_some_and(|c| c.is_remote()),
            "{before:?}, {cause:?}"
        );
        true
    }

    fn key(mut self) -> u64 {
        let mut hasher = DefaultHasher::new();
        View::of(&self.link).hash(self.now, &mut hasher);
        self.remote.wire.iter().for_each(|unit| (unit.what, unit.progress(), unit.damaged).hash(&mut hasher));
        (self.held, self.told).hash(&mut hasher);
        // The two protocols differ in their names only.
        let mut protocols = [ALPHA, BETA].map(|protocol| self.protocol_key(protocol));
        protocols.sort_unstable();
        protocols.hash(&mut hasher);
        abandon(&mut self.link, self.now, self.told).hash(&mut hasher);
        hasher.finish()
    }

    fn experiments(&self) -> usize {
        if self.link.stage() == Stage::Running { 6 } else { 1 }
    }

    fn experiment(mut self, number: usize) {
        match number {
            0 => {
                self.misuse();
                self.heal();
            }
            1 => self.use_capacity(),
            2 => self.exceed_capacity(),
            3 => self.stay_held(),
            4 => self.trickle_out(),
            _ => self.trickle_in(),
        }
    }

    fn goes_on(&self) -> bool {
        let handshake = matches!(self.start, Start::Initiator | Start::Recipient);
        !(handshake
            && matches!(self.link.stage(), Stage::Admission | Stage::Hello | Stage::Running)
            && self.link.unsent().is_empty())
    }
}
