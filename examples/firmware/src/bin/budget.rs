//! What a link costs: two of them talk to each other, and what each call takes is counted
//!
//! To be run with QEMU's instruction counter at one instruction a nanosecond (`-icount shift=0`), in
//! which SysTick, at 25 MHz, counts one for forty instructions. Each figure is a line of the log that
//! begins with `budget:`.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use devp2p_firmware::mps2::HERTZ;
use devp2p_firmware::node::StartError;
use devp2p_firmware::{Clock, ECHO, MAX_MESSAGE, PROTOCOLS, stack};
use devp2p_proto::{
    Action, Buffers, Config, ConfigError, Entropy, Instant, NotStarted, PeerState, Protocol, ProtocolSlot, SecretKey,
    Stage,
};
use semihosting::process::ExitCode;
use static_cell::StaticCell;

/// Under `-icount shift=0`
const INSTRUCTIONS_PER_CYCLE: u64 = 1_000_000_000 / HERTZ as u64;
const NOW: Instant = Instant::ZERO;

/// The largest message of the initiator, which the recipient skips
const LARGE: usize = 4 * MAX_MESSAGE;

const RECEIVE: usize = Buffers::receive_len(MAX_MESSAGE);
/// The transmit buffers of a link with one protocol, of the recipient, which has two protocols, and of the initiator,
/// which sends larger messages
const TRANSMIT_ONE: usize = Buffers::transmit_len(&[MAX_MESSAGE]);
const TRANSMIT: usize = Buffers::transmit_len(&[MAX_MESSAGE; PROTOCOLS.len()]);
const TRANSMIT_LARGE: usize = Buffers::transmit_len(&[LARGE, MAX_MESSAGE]);
/// As in the image `serial`
const TABLE: usize = 256;

type Slots = [ProtocolSlot; PROTOCOLS.len()];
const NO_SLOTS: Slots = [ProtocolSlot::EMPTY; PROTOCOLS.len()];

/// Bytes on their way
struct Wire {
    bytes: [u8; TRANSMIT],
    len: usize,
}

impl Wire {
    /// Takes as many bytes as there is room for, and returns how many
    fn put(&mut self, bytes: &[u8]) -> usize {
        let len = bytes.len().min(self.bytes.len() - self.len);
        self.bytes[self.len..][..len].copy_from_slice(&bytes[..len]);
        self.len += len;
        len
    }
}

/// One link, and what its calls took
struct Side {
    link: &'static mut PeerState<'static>,
    instructions: u64,
    stack: usize,
}

impl Side {
    fn measure(&mut self, clock: &mut Clock, f: impl FnOnce(&mut PeerState<'static>)) {
        let Self { link, instructions, stack } = self;
        let used = stack::used_by(|| {
            let before = clock.cycles();
            f(link);
            *instructions += (clock.cycles() - before) * INSTRUCTIONS_PER_CYCLE;
        });
        *stack = used.max(*stack);
    }

    /// Polls until there is nothing more to do, or no more room on the wire; returns whether there was anything
    fn poll(&mut self, clock: &mut Clock, wire: &mut Wire) -> bool {
        let mut polled = false;
        self.measure(clock, |link| {
            while let Some(action) = link.poll() {
                polled = true;
                if let Action::Send(bytes) = action {
                    let len = wire.put(bytes);
                    if len == 0 {
                        break;
                    }
                    _ = link.sent(NOW, len);
                }
            }
        });
        polled
    }

    /// Takes what is on the wire, up to what has to be polled first
    fn receive(&mut self, clock: &mut Clock, wire: &mut Wire) {
        let mut taken = 0;
        self.measure(clock, |link| taken = link.receive(NOW, &wire.bytes[..wire.len]));
        wire.bytes.copy_within(taken..wire.len, 0);
        wire.len -= taken;
    }

    fn take_instructions(&mut self) -> u64 {
        core::mem::take(&mut self.instructions)
    }
}

#[entry]
fn main() -> ! {
    let result = links().map(|(initiator, recipient)| measure(initiator, recipient));
    match result {
        Ok(Some(())) => ExitCode::SUCCESS.exit_process(),
        Ok(None) => defmt::error!("the two did not get on"),
        Err(error) => defmt::error!("cannot start: {}", error),
    }
    ExitCode::FAILURE.exit_process()
}

fn measure(initiator: &'static mut PeerState<'static>, recipient: &'static mut PeerState<'static>) -> Option<()> {
    let mut clock = Clock::start(cortex_m::Peripherals::take()?.SYST, HERTZ);
    let mut wire = Wire { bytes: [0; TRANSMIT], len: 0 };
    let mut initiator = Side { link: initiator, instructions: 0, stack: 0 };
    let mut recipient = Side { link: recipient, instructions: 0, stack: 0 };
    handshake(&mut clock, &mut wire, &mut initiator, &mut recipient)?;
    defmt::info!("budget: handshake-initiator = {=u64}", initiator.take_instructions());
    defmt::info!("budget: handshake-recipient = {=u64}", recipient.take_instructions());
    defmt::info!("budget: handshake-initiator-stack = {=usize}", initiator.stack);
    defmt::info!("budget: handshake-recipient-stack = {=usize}", recipient.stack);

    // The initiator has no table, so that what it sends is not compressed.
    for len in [0, 32, 256, 1024] {
        let (seal, open) =
            message(&mut clock, &mut wire, &mut initiator, &mut recipient, len, |at| ((at * at) >> 3) as u8)?;
        defmt::info!("budget: seal-{=usize} = {=u64}", len, seal);
        defmt::info!("budget: open-{=usize} = {=u64}", len, open);
    }
    let plain = message(&mut clock, &mut wire, &mut initiator, &mut recipient, MAX_MESSAGE, scramble)?;
    let tried = message(&mut clock, &mut wire, &mut recipient, &mut initiator, MAX_MESSAGE, scramble)?;
    defmt::info!("budget: snappy-1024-incompressible = {=u64}", tried.0 - plain.0);
    let (seal, open) =
        message(&mut clock, &mut wire, &mut recipient, &mut initiator, MAX_MESSAGE, |at| (at / 16) as u8)?;
    defmt::info!("budget: seal-1024-compressible = {=u64}", seal);
    defmt::info!("budget: open-1024-compressible = {=u64}", open);
    let taken = recipient.link.traffic(ECHO)?.ingress.messages;
    let (_, half) = message(&mut clock, &mut wire, &mut initiator, &mut recipient, LARGE / 2, scramble)?;
    let (_, whole) = message(&mut clock, &mut wire, &mut initiator, &mut recipient, LARGE, scramble)?;
    if recipient.link.stage() != Stage::Running || recipient.link.traffic(ECHO)?.ingress.messages != taken {
        return None; // they were not skipped
    }
    defmt::info!("budget: skip-{=usize} = {=u64}", LARGE, whole);
    // The instructions that do not depend on the length are the same for both, and cancel out.
    defmt::info!("budget: skip-1024 = {=u64}", (whole - half) / (LARGE / 2 / 1024) as u64);
    let link = size_of::<PeerState<'static>>();
    defmt::info!("budget: link-state = {=usize}", link);
    let slot = size_of::<ProtocolSlot>();
    defmt::info!("budget: link-ram = {=usize}", link + RECEIVE + TRANSMIT_ONE + 2 * TABLE + slot);
    defmt::info!("budget: link-ram-two = {=usize}", link + RECEIVE + TRANSMIT + 2 * TABLE + 2 * slot);
    Some(())
}

fn handshake(clock: &mut Clock, wire: &mut Wire, initiator: &mut Side, recipient: &mut Side) -> Option<()> {
    // Auth, ack, both Hellos and what is polled in between take fewer turns than this.
    for _ in 0..20 {
        initiator.poll(clock, wire);
        while wire.len > 0 {
            recipient.receive(clock, wire);
            let mut back = Wire { bytes: [0; TRANSMIT], len: 0 };
            recipient.poll(clock, &mut back);
            while back.len > 0 {
                initiator.receive(clock, &mut back);
                initiator.poll(clock, wire);
            }
        }
    }
    let both = initiator.link.stage() == Stage::Running && recipient.link.stage() == Stage::Running;
    both.then_some(())
}

/// Sends one message, and returns what sealing and opening it took
fn message(
    clock: &mut Clock,
    wire: &mut Wire,
    from: &mut Side,
    to: &mut Side,
    len: usize,
    content: impl Fn(usize) -> u8,
) -> Option<(u64, u64)> {
    let mut payload = [0; LARGE];
    for (at, byte) in payload.iter_mut().enumerate() {
        *byte = content(at);
    }
    from.take_instructions();
    to.take_instructions();
    let mut written = false;
    from.measure(clock, |link| written = link.write(NOW, ECHO, 1, &payload[..len]).is_ok());
    let mut back = Wire { bytes: [0; TRANSMIT], len: 0 };
    let mut delivered = false;
    while from.poll(clock, wire) {
        to.receive(clock, wire);
        delivered = to.poll(clock, &mut back);
    }
    (written && delivered && wire.len == 0).then(|| (from.take_instructions(), to.take_instructions()))
}

/// Bytes in which nothing repeats
fn scramble(at: usize) -> u8 {
    (at as u32).wrapping_mul(0x9e37_79b9).rotate_left(11).wrapping_mul(0x85eb_ca6b).to_le_bytes()[3]
}

type Link = &'static mut PeerState<'static>;
type Outcome = Result<PeerState<'static>, NotStarted<'static>>;

/// Two nodes with keys and randomness that are the same in every run, as its figures are to be
fn links() -> Result<(Link, Link), StartError> {
    static FROM: StaticCell<([u8; RECEIVE], [u8; TRANSMIT_LARGE], [u16; 0])> = StaticCell::new();
    static TO: StaticCell<([u8; RECEIVE], [u8; TRANSMIT], [u16; TABLE])> = StaticCell::new();
    static SLOTS: StaticCell<[Slots; 2]> = StaticCell::new();
    static INITIATOR: StaticCell<Outcome> = StaticCell::new();
    static RECIPIENT: StaticCell<Outcome> = StaticCell::new();
    let [echo, bulk] = PROTOCOLS;
    let ours = config(1, &[echo.with_max_send(LARGE), bulk.with_max_send(MAX_MESSAGE)])?.with_max_send(LARGE)?;
    let theirs = config(2, &[echo.skip_larger(), bulk])?;
    let [slots, other_slots] = SLOTS.init_with(|| [NO_SLOTS; 2]);
    let (receive, transmit, table) = FROM.init_with(|| ([0; RECEIVE], [0; TRANSMIT_LARGE], []));
    let from = Buffers::fixed(receive, transmit, table, slots);
    let (receive, transmit, table) = TO.init_with(|| ([0; RECEIVE], [0; TRANSMIT], [0; TABLE]));
    let to = Buffers::fixed(receive, transmit, table, other_slots);
    let initiator = INITIATOR.init_with(|| PeerState::initiator(NOW, &ours, theirs.node_id(), entropy(3), from));
    let recipient = RECIPIENT.init_with(|| PeerState::recipient(NOW, &theirs, entropy(4), to));
    Ok((initiator.as_mut().map_err(|refusal| refusal.error)?, recipient.as_mut().map_err(|refusal| refusal.error)?))
}

#[inline(never)]
fn config(seed: u8, protocols: &[Protocol<'_>]) -> Result<Config, ConfigError> {
    let identity = SecretKey::from_bytes([seed; 32])?;
    Config::new(identity, "budget", protocols)?.with_max_message(MAX_MESSAGE)
}

fn entropy(seed: u8) -> Entropy {
    let mut state = seed;
    Entropy::from_rng(|bytes| {
        for byte in bytes {
            state = state.wrapping_mul(141).wrapping_add(83);
            *byte = state;
        }
    })
}
