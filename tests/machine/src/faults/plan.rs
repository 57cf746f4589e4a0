//! What happens to a pair, drawn from a seed

use std::time::Duration;

use devp2p_proto::{Config, DisconnectReason, ProtocolId, Timeouts};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, config};

use super::random::Random;
use super::wire::{Faults, MILLI, SECOND, Time};

/// What the application of one side does
#[derive(Debug, Clone, Copy)]
pub enum Deed {
    Write(ProtocolId, usize),
    Ping,
    Disconnect(DisconnectReason),
    Returned(ProtocolId),
    /// The clock of this side jumps by so many milliseconds
    Jump(i64),
    /// Its protocols take no message, or take messages again
    Deaf(bool),
}

/// One side: its driver, its application, and the direction from it
#[derive(Debug, Clone)]
pub struct Habits {
    pub max_read: usize,
    pub max_write: usize,
    /// How long the driver pauses after reading
    pub read_pause: Time,
    /// How many messages the application has room for, and how long it works on one
    pub room: usize,
    pub work: Time,
    /// What the clock shows at the start, more than it jumps back, and by how many millionths it is too fast
    pub clock: (u64, i64),
    /// In the order of time
    pub deeds: Vec<(Time, Deed)>,
    /// Whether the driver calls `handle_timeout` on every turn
    pub eager: bool,
    pub faults: Faults,
}

/// Everything that is drawn from a seed
#[derive(Debug, Clone)]
pub struct Plan {
    /// The seed of the entropy for the handshake; `None` for a pair that begins after its handshake
    pub handshake: Option<u64>,
    pub timeouts: Timeouts,
    pub sides: [Habits; 2],
    /// The longest payload that BETA takes; both sides skip longer ones
    pub beta_takes: usize,
    /// When the connection is reset
    pub reset: Option<Time>,
    /// Something may take long
    pub slow: bool,
    /// A clock may jump ahead or stand still
    pub jumps: [bool; 2],
}

/// The longest payload of a message
const MAX_MESSAGE: usize = 60_000;
/// The most memory that a link may occupy, by the documentation of `Config`
///
/// For receiving: a frame at the worst compression of the reference Snappy encoder, and its payload. For sending: the
/// largest frame of each protocol, sent bytes that are not yet overwritten, and the table of the compressor. All of
/// this at most twice, since buffers grow by doubling.
pub const MAX_MEMORY: usize =
    2 * (MAX_MESSAGE / 6 + 2 * MAX_MESSAGE + 2 * (MAX_MESSAGE + MAX_MESSAGE / 32) * 9 / 8) + 40_000;

/// When all faults end, until then the application acts
pub const HEALED: Time = 90 * SECOND;

impl Plan {
    /// The plan that this seed determines
    pub fn of_seed(seed: u64) -> Self {
        Self::draw(Some(seed), &mut Random::Seed(seed))
    }

    /// The plan that these decisions determine
    pub fn draw(handshake: Option<u64>, random: &mut Random<'_>) -> Self {
        let calm = random.one_in(4);
        let mut sides = [habits(random), habits(random)];
        let mut slow = false;
        let mut jumps = [false; 2];
        if !calm {
            for (side, jumps) in sides.iter_mut().zip(&mut jumps) {
                slow |= delays(random, &mut side.faults) | sluggish(random, side);
                damage(random, &mut side.faults);
                *jumps = clock(random, side);
            }
        }
        for side in &mut sides {
            side.deeds.sort_by_key(|(at, _)| *at);
        }
        let reset = (!calm && random.one_in(10)).then(|| random.within(0..HEALED));
        let timeouts = timeouts(random);
        let beta_takes = random.pick(&[MAX_MESSAGE, 500, 5_000]);
        Self { handshake, timeouts, sides, beta_takes, reset, slow, jumps }
    }

    pub fn config(&self, seed: u8) -> Config {
        let beta = PROTOCOLS[BETA.0].with_max_message(self.beta_takes).with_max_send(MAX_MESSAGE).skip_larger();
        let config = config(seed, &[PROTOCOLS[ALPHA.0], beta]).with_timeouts(self.timeouts).unwrap();
        config.with_max_message(MAX_MESSAGE).unwrap().with_send_window(20_000)
    }

    /// Drops writes of a side beyond this many bytes, or far fewer if the network takes few bytes at once
    pub fn limit_work(&mut self, bytes: usize) {
        for Habits { deeds, max_read, max_write, faults, .. } in &mut self.sides {
            let at_once = faults.capacity.min(*max_read).min(*max_write);
            let mut left = bytes.min(at_once.saturating_mul(100));
            deeds.retain(|(_, deed)| match deed {
                Deed::Write(_, len) => left.checked_sub(*len).map(|rest| left = rest).is_some(),
                _ => true,
            });
        }
    }

    /// The longest that a link lives without a network
    pub fn longest(&self) -> Time {
        let Timeouts { read, write, linger, .. } = self.timeouts;
        (read + write + linger).as_nanos() as Time * 21 / 20 + 3 * SECOND
    }
}

fn timeouts(random: &mut Random<'_>) -> Timeouts {
    let mut timeouts = Timeouts::default();
    if random.one_in(2) {
        timeouts.handshake = Duration::from_secs(2);
        timeouts.ping = Duration::from_secs(3);
        timeouts.pong = Duration::from_secs(5);
        timeouts.read = Duration::from_secs(7);
        timeouts.write = Duration::from_secs(4);
    }
    timeouts.linger = Duration::from_millis(random.pick(&[2_000, 2_000, 500, 0]));
    timeouts
}

fn habits(random: &mut Random<'_>) -> Habits {
    let mut deeds = Vec::new();
    let many = random.pick(&[0, 5, 30, 150]);
    for _ in 0..many {
        let len = random.pick(&[0, 1, 30, 1_000, 9_000, 60_000]) as usize;
        deeds.push((random.within(0..30 * SECOND), Deed::Write(random.pick(&[ALPHA, BETA]), len)));
    }
    for _ in 0..random.within(0..3) {
        deeds.push((random.within(0..60 * SECOND), Deed::Ping));
    }
    if random.one_in(6) {
        let reason = random.pick(&[DisconnectReason::REQUESTED, DisconnectReason::TOO_MANY_PEERS]);
        let at = random.pick(&[50 * MILLI, 5 * SECOND, 60 * SECOND]);
        deeds.push((random.within(0..at), Deed::Disconnect(reason)));
    }
    if random.one_in(12) {
        deeds.push((random.within(0..60 * SECOND), Deed::Returned(ALPHA)));
    }
    Habits {
        max_read: random.pick(&[1 << 16, 1 << 16, 1_000, 50]) as usize,
        max_write: random.pick(&[1 << 16, 1 << 16, 1_000, 100]) as usize,
        read_pause: 0,
        room: 4,
        work: 0,
        clock: (random.pick(&[5_000 * SECOND, 1 << 60]), random.pick(&[0, 0, 5_000, -5_000])),
        deeds,
        eager: random.one_in(2),
        faults: Faults { latency: random.pick(&[0, MILLI, 100 * MILLI]), capacity: 1 << 16, ..Faults::default() },
    }
}

/// Whether something may take long
fn delays(random: &mut Random<'_>, faults: &mut Faults) -> bool {
    let mut slow = false;
    if random.one_in(5) {
        faults.latency = random.within(0..4 * SECOND);
        slow = true;
    }
    if random.one_in(5) {
        faults.per_byte = random.pick(&[MILLI / 100, MILLI / 10, MILLI]);
        slow = true;
    }
    while random.one_in(4) {
        let from = random.within(0..70 * SECOND);
        faults.stalls.push((from, from + random.within(0..20 * SECOND)));
        slow = true;
    }
    if random.one_in(8) {
        faults.dead = Some(random.within(0..HEALED));
        slow = true;
    }
    if random.one_in(5) {
        faults.capacity = random.pick(&[1, 100, 5_000]) as usize;
        slow |= faults.capacity <= 100;
    }
    slow
}

fn sluggish(random: &mut Random<'_>, side: &mut Habits) -> bool {
    let before = (side.read_pause, side.work);
    if random.one_in(6) {
        side.read_pause = random.within(0..2 * SECOND);
    }
    if random.one_in(5) {
        side.room = random.within(1..4) as usize;
        side.work = random.within(0..5 * SECOND);
    }
    let deaf = random.one_in(5);
    if deaf {
        side.deeds.push((random.within(0..30 * SECOND), Deed::Deaf(true)));
        side.deeds.push((random.within(30 * SECOND..HEALED), Deed::Deaf(false)));
    }
    deaf || before != (side.read_pause, side.work)
}

fn damage(random: &mut Random<'_>, faults: &mut Faults) {
    while random.one_in(8) {
        let most = random.pick(&[400, 2_000, 50_000]);
        faults.flips.push(random.within(0..most));
    }
    if random.one_in(8) {
        let most = random.pick(&[400, 2_000, 50_000]);
        faults.cut = Some(random.within(0..most));
    }
}

fn clock(random: &mut Random<'_>, side: &mut Habits) -> bool {
    let mut jumps = false;
    while random.one_in(6) {
        let by = random.pick(&[-500, -20_000, -59_000, -61_000, -900_000, 3_000, 40_000, 86_400_000]);
        side.deeds.push((random.within(0..60 * SECOND), Deed::Jump(by)));
        jumps = true;
    }
    jumps
}
