//! Many links in one process, two by two, with the bytes between them and a virtual time

use std::time::Duration;

use devp2p_drivers::readiness::Timers;
use devp2p_proto::{Action, Buffers, Config, Instant, PeerState};
use devp2p_testing::{ALPHA, PROTOCOLS, config, entropy};

/// The time from one regular Ping to the next
const PING: Duration = Duration::from_secs(15);
/// The time in which all links are opened
const ARRIVALS: Duration = Duration::from_secs(600);

pub struct World {
    now: Instant,
    /// Each link is beside its peer
    links: Vec<PeerState<'static>>,
    timers: Timers<usize>,
    wakes: Vec<Option<Instant>>,
    /// Messages that were delivered
    pub delivered: u64,
    random: u64,
}

impl World {
    /// So many links that have said Hello and have given back what their handshakes needed
    pub fn new(count: usize) -> Self {
        let configs = [config(1, PROTOCOLS), config(2, PROTOCOLS)];
        let mut world = Self {
            now: Instant::ZERO,
            links: Vec::with_capacity(count),
            timers: Timers::default(),
            wakes: vec![None; count],
            delivered: 0,
            random: 0x2545_f491_4f6c_dd1d,
        };
        let pairs = count / 2;
        for pair in 0..pairs {
            world.open(&configs, pair as u64);
            // Each handshake needs memory for a few seconds. So that not all need it at the same time, links come
            // one after the other for ten minutes, as they would come to a node.
            world.idle(ARRIVALS / pairs as u32);
        }
        world.idle(3 * PING);
        world
    }

    fn open(&mut self, [ours, theirs]: &[Config; 2], seed: u64) {
        let (buffers, place) = (Buffers::growable, self.links.len());
        let initiator = PeerState::initiator(self.now, ours, theirs.node_id(), entropy(2 * seed), buffers());
        let recipient = PeerState::recipient(self.now, theirs, entropy(2 * seed + 1), buffers());
        self.links.push(initiator.expect("the configuration is right"));
        self.links.push(recipient.expect("the configuration is right"));
        self.settle(place);
    }

    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Lets time pass while nothing but Pings is sent; returns how many timers went off
    pub fn idle(&mut self, time: Duration) -> u64 {
        let end = self.now.checked_add(time).expect("virtual time is short");
        let mut count = 0;
        while self.timers.next().is_some_and(|at| at <= end) {
            self.tick();
            count += 1;
        }
        self.now = end;
        count
    }

    /// Advances the time to the next timer and lets it go off, with all that follows
    pub fn tick(&mut self) {
        let at = self.timers.next().expect("each link has a timer");
        self.now = self.now.max(at);
        let place = self.timers.due(self.now).next().expect("it is due");
        self.links[place].handle_timeout(self.now);
        self.settle(place);
    }

    /// Sends a message over a random link
    pub fn send(&mut self, payload: &[u8]) {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let place = (self.random % self.links.len() as u64) as usize;
        self.links[place].write(self.now, ALPHA, 0, payload).expect("an idle link takes a message");
        self.settle(place);
    }

    /// Carries bytes between a link and its peer until neither has any, and notes when they want to be woken
    fn settle(&mut self, place: usize) {
        let first = place & !1;
        let Self { now, links, delivered, .. } = self;
        let [a, b] = links.get_disjoint_mut([first, first + 1]).expect("links are two by two");
        while carry(*now, a, b, delivered) | carry(*now, b, a, delivered) {}
        for place in [first, first + 1] {
            let wake = self.links[place].next_timeout();
            self.timers.change(place, self.wakes[place], wake);
            self.wakes[place] = wake;
        }
    }
}

/// Carries bytes in one direction, and returns whether there were any
fn carry(now: Instant, from: &mut PeerState<'_>, to: &mut PeerState<'_>, delivered: &mut u64) -> bool {
    act(from, delivered);
    let mut moved = false;
    while !from.unsent().is_empty() {
        let taken = to.receive(now, from.unsent());
        from.sent(now, taken).expect("no more than was unsent");
        act(to, delivered);
        moved = true;
    }
    moved
}

fn act(link: &mut PeerState<'_>, delivered: &mut u64) {
    loop {
        match link.poll() {
            Some(Action::Deliver { .. }) => *delivered += 1,
            Some(Action::Disconnect(cause)) => panic!("a link has ended: {cause}"),
            None | Some(Action::Send(_)) => return,
            Some(_) => {}
        }
    }
}
