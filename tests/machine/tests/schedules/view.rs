//! What can be seen of a link, and what becomes of it if nothing more comes or leaves

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use devp2p_proto::{Action, Cause, Instant, Liveness, PeerState, Stage, Timer};
use devp2p_testing::{ALPHA, BETA};

/// Everything that can be asked of a link without changing it
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    pub stage: Stage,
    pub cause: Option<Cause>,
    pub wants_input: bool,
    pub timer: Option<(Instant, Timer)>,
    pub unsent: Vec<u8>,
    pub capacity: [Option<usize>; 2],
    pub liveness: Liveness,
    pub proven: bool,
    pub egress: [u64; 2],
}

impl View {
    pub fn of(link: &PeerState<'_>) -> Self {
        assert_eq!(link.next_timeout().is_some(), link.next_timer().is_some());
        Self {
            stage: link.stage(),
            cause: link.cause(),
            wants_input: link.wants_input(),
            timer: link.next_timeout().zip(link.next_timer()),
            unsent: link.unsent().to_vec(),
            capacity: [ALPHA, BETA].map(|protocol| link.write_capacity(protocol)),
            liveness: link.liveness(),
            proven: link.is_remote_proven(),
            egress: [ALPHA, BETA].map(|protocol| link.traffic(protocol).map_or(0, |traffic| traffic.egress.messages)),
        }
    }

    /// What distinguishes states: times relative to now, counters by what is outstanding
    pub fn hash(&self, now: Instant, hasher: &mut impl Hasher) {
        let Liveness { pings_sent, pongs_received, pings_received, pongs_sent, .. } = self.liveness;
        let timer = self.timer.map(|(at, timer)| (at.saturating_since(now), timer));
        let outstanding = (pings_sent.wrapping_sub(pongs_received).min(2), pings_received - pongs_sent);
        (self.stage, self.cause, self.wants_input, timer, self.unsent.is_empty()).hash(hasher);
        (outstanding, self.proven).hash(hasher);
    }
}

/// What must be true of a link at any moment
pub fn check(link: &PeerState<'_>, now: Instant) {
    let closed = link.stage() == Stage::Closed;
    assert_eq!(link.next_timeout().is_none(), closed, "a link that has not ended waits for something");
    assert!(link.next_timeout().is_none_or(|at| at > now), "a wake-up without a delay: {:?}", link.next_timer());
    assert_eq!(link.cause().is_some(), matches!(link.stage(), Stage::Closing | Stage::Closed));
    assert!(!closed || link.unsent().is_empty(), "nothing leaves after the end");
}

/// The longest that a link lives when nothing comes and nothing leaves: a Ping falls due, and is not taken
const LONGEST: Duration = Duration::from_secs(15 + 20 + 20);

/// Lets time pass, and nothing else: the link ends, and says so once
///
/// Returns a number for what was seen on the way.
pub fn abandon(link: &mut PeerState<'_>, mut now: Instant, told: bool) -> u64 {
    let (began, mut ends, mut hasher) = (now, u32::from(told), DefaultHasher::new());
    loop {
        ends += drain(link, &mut hasher);
        check(link, now);
        let Some((at, timer)) = link.next_timeout().zip(link.next_timer()) else { break };
        (at.saturating_since(now), timer).hash(&mut hasher);
        now = at;
        assert!(now.saturating_since(began) <= LONGEST, "it lives on without a network: {link:?}");
        link.handle_timeout(now);
    }
    assert_eq!((link.stage(), ends), (Stage::Closed, 1), "the end is told once");
    link.cause().hash(&mut hasher);
    hasher.finish()
}

/// Polls until bytes are offered or nothing is; returns how many ends were told
fn drain(link: &mut PeerState<'_>, hasher: &mut impl Hasher) -> u32 {
    let mut ends = 0;
    while let Some(action) = link.poll() {
        match action {
            Action::Send(_) => break,
            Action::Disconnect(_) => {
                ends += 1;
                assert_eq!(ends, 1, "the end is told once");
            }
            Action::Deliver { protocol, code, .. } => (protocol, code).hash(hasher),
            _ => 7.hash(hasher),
        }
    }
    ends
}
