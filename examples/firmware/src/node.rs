//! What every image is: a node with a key, a name and protocols

use devp2p_proto::{
    Buffers, Config, ConfigError, Entropy, Instant, NodeId, NotStarted, PeerState, Protocol, ProtocolSlot, SecretKey,
    StartError as LinkError,
};
use semihosting::process::ExitCode;
use static_cell::{ConstStaticCell, StaticCell};

use crate::entropy::{EntropyError, Generator, fill_random};
use crate::script::{MAX_MESSAGE, PROTOCOLS};
use crate::stack;

/// Entries of the compressor's table: at 1 KiB messages this many cost a few bytes a message in
/// compression, and 1.5 KB less than the largest that would do any good
pub const TABLE_LEN: usize = 256;

/// How often randomness is drawn for a link that refuses it
const DRAWS: u32 = 3;

/// Why there is no link
#[derive(defmt::Format)]
pub enum StartError {
    /// Another program has the processor
    Processor,
    /// The command line is not one of those that this image understands
    CommandLine,
    Entropy(EntropyError),
    Config(ConfigError),
    /// The link's constructor has refused
    Link(LinkError),
}

impl StartError {
    /// Says why, in words that help
    #[inline(never)]
    pub fn log(&self) {
        match self {
            Self::Entropy(EntropyError::Weak) => {
                defmt::error!("cannot start: the random generator gave the same bytes again; no link is made of them");
            }
            Self::Link(LinkError::WeakEntropy) => {
                defmt::error!(
                    "cannot start: the random bytes are zero or repeat, so no generator made them, and anybody could read what a link made of them says; is the generator running?"
                );
            }
            _ => defmt::error!("cannot start: {}", self),
        }
    }
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<LinkError> for StartError {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

impl From<EntropyError> for StartError {
    fn from(error: EntropyError) -> Self {
        Self::Entropy(error)
    }
}

/// Which side of a link this node is
#[derive(Clone, Copy)]
pub enum Role {
    Initiator(NodeId),
    Recipient,
}

/// The buffers of one link, for use by one after the other
///
/// A size that is too small would be refused by the link's constructor; those of a session, whose two protocols
/// each have a share to send, cannot be. `eth` has two protocols as well, one for each version.
pub struct Memory<
    const RECEIVE: usize = { Buffers::receive_len(MAX_MESSAGE) },
    const TRANSMIT: usize = { Buffers::transmit_len(&[MAX_MESSAGE; PROTOCOLS.len()]) },
> {
    receive: [u8; RECEIVE],
    transmit: [u8; TRANSMIT],
    table: [u16; TABLE_LEN],
    slots: [ProtocolSlot; PROTOCOLS.len()],
}

impl<const RECEIVE: usize, const TRANSMIT: usize> Memory<RECEIVE, TRANSMIT> {
    pub const fn new() -> Self {
        Self {
            receive: [0; RECEIVE],
            transmit: [0; TRANSMIT],
            table: [0; TABLE_LEN],
            slots: [ProtocolSlot::EMPTY; PROTOCOLS.len()],
        }
    }

    pub fn buffers(&mut self) -> Buffers<'_> {
        Buffers::fixed(&mut self.receive, &mut self.transmit, &mut self.table, &mut self.slots)
    }
}

impl<const RECEIVE: usize, const TRANSMIT: usize> Default for Memory<RECEIVE, TRANSMIT> {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes a link
///
/// Kept out of its callers, or the link's copies would lie on the stack under all that follows.
#[inline(never)]
pub fn open<'memory>(
    now: Instant,
    config: &Config,
    role: Role,
    entropy: Entropy,
    buffers: Buffers<'memory>,
) -> Result<PeerState<'memory>, NotStarted<'memory>> {
    match role {
        Role::Initiator(remote) => PeerState::initiator(now, config, remote, entropy, buffers),
        Role::Recipient => PeerState::recipient(now, config, entropy, buffers),
    }
}

/// Makes the link in the place where it stays; once
///
/// It is some kilobytes, which a local variable would add to the stack under all that follows. A generator that
/// was read too early is asked again: what refuses its bytes gives the buffers back.
#[inline(never)]
pub fn open_in_place(
    now: Instant,
    config: &Config,
    role: Role,
    generator: &mut Generator,
    mut buffers: Buffers<'static>,
) -> Result<&'static mut PeerState<'static>, StartError> {
    static LINK: ConstStaticCell<Option<PeerState<'static>>> = ConstStaticCell::new(None);
    let place = LINK.take();
    let mut draws = 1;
    loop {
        match open(now, config, role, generator.draw()?, buffers) {
            Ok(link) => return Ok(place.insert(link)),
            Err(NotStarted { error: LinkError::WeakEntropy, buffers: returned }) if draws < DRAWS => buffers = returned,
            Err(refusal) => return Err(refusal.error.into()),
        }
        defmt::warn!("the random bytes are zero or repeat, so no generator made them; others are drawn");
        draws += 1;
    }
}

/// A key that is drawn anew at every start; a real device keeps its key
#[inline(never)]
pub fn draw_identity() -> Result<SecretKey, EntropyError> {
    let mut key = [0; 32];
    fill_random(&mut key)?;
    let identity = SecretKey::from_bytes(key).map_err(|_| EntropyError::Weak)?;
    defmt::info!("this node is {}", identity.node_id());
    Ok(identity)
}

/// The node, in the place where it stays; once
///
/// Its links take messages of up to `max_message` bytes.
#[inline(never)]
pub fn configure(
    identity: SecretKey,
    protocols: &[Protocol<'_>],
    max_message: usize,
) -> Result<&'static Config, ConfigError> {
    static CONFIG: StaticCell<Config> = StaticCell::new();
    let config = Config::new(identity, "devp2p-firmware/0.1.0/thumbv7", protocols)?;
    Ok(CONFIG.init(config.with_max_message(max_message)?))
}

/// Ends the program with what has come of it: whether all went as it should
pub fn finish(result: Result<bool, StartError>) -> ! {
    let succeeded = result.unwrap_or_else(|error| {
        error.log();
        false
    });
    defmt::info!("deepest stack: {=usize} bytes", stack::deepest());
    ExitCode::from(u8::from(!succeeded)).exit_process()
}
