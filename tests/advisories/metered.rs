//! A link whose heap and whose work are counted, for tests of what a hostile peer costs

use devp2p_heap::{Counting, in_use, peak, restart_peak};
use devp2p_proto::{Action, Cause, Instant, PeerState};
use devp2p_testing::remote::Scene;

#[global_allocator]
static COUNTING: Counting = Counting;

/// What a link did with some bytes
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// How many bytes it took
    pub taken: usize,
    /// How many calls of `receive` that were
    pub calls: usize,
    /// The messages that were delivered
    pub delivered: usize,
    /// How many times something was to be sent
    pub sends: usize,
    /// How many bytes were sent
    pub sent: usize,
    /// The other actions, but for the end
    pub others: usize,
    /// How many times the end was told
    pub ends: usize,
    /// The cause of the end
    pub cause: Option<Cause>,
    /// The most heap that was in use at any moment, beyond what was in use at first
    pub peak: isize,
    /// The heap that is in use at last, beyond what was in use at first
    pub heap: isize,
}

impl Work {
    /// How many actions there were in all
    pub fn actions(&self) -> usize {
        self.delivered + self.sends + self.others + self.ends
    }

    fn act(&mut self, link: &mut PeerState<'_>, now: Instant) {
        while let Some(action) = link.poll() {
            match action {
                Action::Send(bytes) => {
                    let len = bytes.len();
                    link.sent(now, len).unwrap();
                    self.sends += 1;
                    self.sent += len;
                }
                Action::Deliver { .. } => self.delivered += 1,
                Action::Disconnect(cause) => {
                    self.ends += 1;
                    self.cause = Some(cause);
                }
                _ => self.others += 1,
            }
        }
    }
}

/// Gives a link all these bytes, as long as it takes them, and does every action at once
pub fn feed(link: &mut PeerState<'_>, now: Instant, bytes: &[u8]) -> Work {
    let mut work = Work::default();
    let before = in_use();
    restart_peak();
    while work.taken < bytes.len() {
        let taken = link.receive(now, &bytes[work.taken..]);
        work.taken += taken;
        work.calls += 1;
        let actions = work.actions();
        work.act(link, now);
        if taken == 0 && work.actions() == actions {
            break;
        }
    }
    (work.peak, work.heap) = (peak() - before, in_use() - before);
    work
}

/// The frames with these bodies, one behind the other, as the remote seals them
pub fn frames<'a>(scene: &mut Scene<'_>, bodies: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let session = scene.session();
    bodies.into_iter().flat_map(|body| session.seal(body)).collect()
}
