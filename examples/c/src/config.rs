//! The configuration of a node

use core::ffi::{c_char, c_void};
use core::mem::MaybeUninit;
use core::time::Duration;

use devp2p_proto::{Protocol as Offer, SecretKey, Timeouts as Delays};

use crate::given;
use crate::sizes::{
    DEVP2P_CLIENT_ID_SIZE, DEVP2P_KEY_SIZE, DEVP2P_MAX_CODE_LIMITS, DEVP2P_MAX_MESSAGE, DEVP2P_MAX_PROTOCOLS,
    DEVP2P_NAME_SIZE, DEVP2P_NEVER,
};
use crate::status::{Status, status};
use crate::text::{Bytes, Id};

/// A configuration, in memory of the caller
///
/// One configuration serves any number of links, and they copy what they need. It has the node's secret key, which is
/// overwritten by `devp2p_config_end`.
#[derive(Debug)]
pub struct Config(Option<devp2p_proto::Config>);

impl Config {
    pub(crate) fn get(config: Option<&Self>) -> Result<&devp2p_proto::Config, Status> {
        config.ok_or(Status::NullPointer)?.0.as_ref().ok_or(Status::Gone)
    }
}

/// A message code with a limit of its own for received messages
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct CodeLimit {
    /// The message code
    pub code: u64,
    /// The largest payload, in bytes
    pub max_message: usize,
}

/// A protocol that the node offers
///
/// What is left out in an initializer is zero, and zero means the default: `{ .name = "echo", .version = 1, .length = 16 }`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Protocol {
    /// Its name: 1 to 8 printable ASCII characters, and a zero
    pub name: [c_char; DEVP2P_NAME_SIZE],
    /// Its version
    pub version: u64,
    /// How many message codes it has
    pub length: u64,
    /// The largest payload in both directions, 0 for no limit besides that of the node
    pub max_message: usize,
    /// The largest payload that is sent, 0 for `max_message`
    pub max_send: usize,
    /// Limits of single codes; may be NULL if there are none
    pub code_limits: *const CodeLimit,
    /// How many limits of single codes there are
    pub code_limit_count: usize,
    /// Not 0 if received messages that are larger than their limit are skipped, instead of ending the link
    pub skip_larger: u8,
}

/// The time limits and intervals of a link, in nanoseconds
///
/// With `DEVP2P_NEVER` a timer never goes off.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Both stages of the handshake together
    pub handshake: u64,
    /// From Ready to the first Ping, and from one Ping to the next
    pub ping: u64,
    /// From the moment at which a Ping has left to its Pong
    pub pong: u64,
    /// The longest silence of the peer, and the longest time of one frame of the peer
    pub read: u64,
    /// The longest time for which the transport takes none of the unsent bytes
    pub write: u64,
    /// How long the peer may take to close the connection after our Disconnect has left
    pub linger: u64,
    /// The slowest rate of large frames, in bytes per second
    pub slowest_rate: u32,
}

/// What a configuration is made of; copied, so it is not needed afterwards
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The secret key of the node, 32 bytes, big-endian; overwrite it when the configuration is made
    pub secret_key: [u8; DEVP2P_KEY_SIZE],
    /// For people to read, by convention `name/version/platform`; UTF-8, and a zero
    pub client_id: [c_char; DEVP2P_CLIENT_ID_SIZE],
    /// The TCP port that the node announces, 0 for none
    pub listen_port: u16,
    /// The protocols that the node offers; the position of a protocol is its number in all calls
    pub protocols: *const Protocol,
    /// How many protocols there are
    pub protocol_count: usize,
    /// The largest payload in both directions, in bytes
    pub max_message: usize,
    /// The largest payload that is sent, in bytes
    pub max_send: usize,
    /// How many bytes of frames may be unsent, in buffers that grow
    pub send_window: usize,
    /// The timeouts
    pub timeouts: Timeouts,
}

/// Fills `settings` with the defaults: no key, no name, no protocols
///
/// NULL is ignored.
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_settings_init(settings: Option<&mut MaybeUninit<Settings>>) {
    if let Some(settings) = settings {
        settings.write(Settings {
            secret_key: [0; DEVP2P_KEY_SIZE],
            client_id: [0; DEVP2P_CLIENT_ID_SIZE],
            listen_port: 0,
            protocols: core::ptr::null(),
            protocol_count: 0,
            max_message: DEVP2P_MAX_MESSAGE,
            max_send: DEVP2P_MAX_MESSAGE,
            send_window: 256 * 1024,
            timeouts: Timeouts::from(Delays::default()),
        });
    }
}

/// Makes a configuration in the memory of the caller
///
/// `memory` has `size` bytes, at least `DEVP2P_CONFIG_SIZE`, and begins at a multiple of `DEVP2P_CONFIG_ALIGN`. It must
/// hold no configuration now. `*config` is then the configuration, in that memory.
///
/// Returns `DEVP2P_STATUS_OK`, an error of memory, or one of those from `DEVP2P_STATUS_INVALID_SECRET_KEY` on.
///
/// # Safety
/// Each pointer is NULL or points to what its type and this text say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn devp2p_config_init(
    memory: *mut c_void,
    size: usize,
    settings: Option<&Settings>,
    config: Option<&mut MaybeUninit<*mut Config>>,
) -> Status {
    // SAFETY: the caller promises that the memory has `size` bytes and is not used for anything else.
    let place = unsafe { given::place::<Config>(memory, size) };
    status((|| {
        let (config, settings, place) =
            (config.ok_or(Status::NullPointer)?, settings.ok_or(Status::NullPointer)?, place?);
        // The curve arithmetic comes first, so that its stack frames are not added to those of `make`.
        let key = SecretKey::from_bytes(settings.secret_key).map_err(|_| Status::InvalidSecretKey)?;
        // SAFETY: the caller promises that the protocols and their limits are there.
        let made = unsafe { make(settings, key) }?;
        config.write(place.write(Config(Some(made))));
        Ok(())
    })())
}

/// # Safety
/// The pointers in `settings` are NULL or point to as many items as it says.
#[inline(never)]
unsafe fn make(settings: &Settings, key: SecretKey) -> Result<devp2p_proto::Config, Status> {
    // SAFETY: the caller promises it.
    let protocols = unsafe { given::items(settings.protocols, settings.protocol_count) }?;
    let names = Names::new(protocols)?;
    let mut offers = [Offer::new("", 0, 0); DEVP2P_MAX_PROTOCOLS];
    let mut limits = [[(0, 0); DEVP2P_MAX_CODE_LIMITS]; DEVP2P_MAX_PROTOCOLS];
    for (((protocol, name), offer), limits) in protocols.iter().zip(&names.0).zip(&mut offers).zip(&mut limits) {
        let name = name.as_str().ok_or(Status::InvalidName)?;
        // SAFETY: the caller promises it.
        let given = unsafe { given::items(protocol.code_limits, protocol.code_limit_count) }?;
        *offer = protocol.offer(name, code_limits(given, limits)?);
    }
    let offers = offers.get(..protocols.len()).ok_or(Status::TooManyProtocols)?;
    let client_id = Bytes::new(&settings.client_id);
    let client_id = client_id.as_str().ok_or(Status::InvalidClientId)?;
    let config = devp2p_proto::Config::new(key, client_id, offers)?.with_listen_port(settings.listen_port);
    let config = config.with_max_message(settings.max_message)?.with_max_send(settings.max_send)?;
    Ok(config.with_timeouts(settings.timeouts.into())?.with_send_window(settings.send_window))
}

/// The names of the protocols
struct Names([Bytes<DEVP2P_NAME_SIZE>; DEVP2P_MAX_PROTOCOLS]);

impl Names {
    fn new(protocols: &[Protocol]) -> Result<Self, Status> {
        if protocols.len() > DEVP2P_MAX_PROTOCOLS {
            return Err(Status::TooManyProtocols);
        }
        let mut names = protocols.iter().map(|protocol| protocol.name);
        Ok(Self(core::array::from_fn(|_| Bytes::new(&names.next().unwrap_or_default()))))
    }
}

/// The limits as the library takes them
fn code_limits<'a>(
    given: &[CodeLimit],
    out: &'a mut [(u64, usize); DEVP2P_MAX_CODE_LIMITS],
) -> Result<&'a [(u64, usize)], Status> {
    let out = out.get_mut(..given.len()).ok_or(Status::TooManyCodeLimits)?;
    for (to, from) in out.iter_mut().zip(given) {
        *to = (from.code, from.max_message);
    }
    Ok(out)
}

impl Protocol {
    const fn offer<'a>(&self, name: &'a str, limits: &'a [(u64, usize)]) -> Offer<'a> {
        let mut offer = Offer::new(name, self.version, self.length);
        if self.max_message > 0 {
            offer = offer.with_max_message(self.max_message);
        }
        if self.max_send > 0 {
            offer = offer.with_max_send(self.max_send);
        }
        if self.skip_larger != 0 {
            offer = offer.skip_larger();
        }
        offer.with_code_limits(limits)
    }
}

impl From<Delays> for Timeouts {
    fn from(delays: Delays) -> Self {
        let nanos = |delay: Duration| u64::try_from(delay.as_nanos()).unwrap_or(DEVP2P_NEVER);
        Self {
            handshake: nanos(delays.handshake),
            ping: nanos(delays.ping),
            pong: nanos(delays.pong),
            read: nanos(delays.read),
            write: nanos(delays.write),
            linger: nanos(delays.linger),
            slowest_rate: delays.slowest_rate,
        }
    }
}

impl From<Timeouts> for Delays {
    fn from(timeouts: Timeouts) -> Self {
        let delay = |nanos| if nanos == DEVP2P_NEVER { Duration::MAX } else { Duration::from_nanos(nanos) };
        let mut delays = Self::default();
        delays.handshake = delay(timeouts.handshake);
        delays.ping = delay(timeouts.ping);
        delays.pong = delay(timeouts.pong);
        delays.read = delay(timeouts.read);
        delays.write = delay(timeouts.write);
        delays.linger = delay(timeouts.linger);
        delays.slowest_rate = timeouts.slowest_rate;
        delays
    }
}

/// Takes the configuration down and overwrites its key; its memory is the caller's again
///
/// Links that were made with it go on.
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_config_end(config: Option<&mut Config>) -> Status {
    status(match config {
        None => Err(Status::NullPointer),
        Some(config) => config.0.take().map(drop).ok_or(Status::Gone),
    })
}

/// The id of the node
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_config_id(config: Option<&Config>, id: Option<&mut MaybeUninit<Id>>) -> Status {
    observe(config, id, |config| config.node_id().into())
}

/// The length that `receive` in `devp2p_buffers` must have
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_config_receive_len(config: Option<&Config>, len: Option<&mut MaybeUninit<usize>>) -> Status {
    observe(config, len, devp2p_proto::Config::receive_len)
}

/// The length that `transmit` in `devp2p_buffers` must have
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_config_transmit_len(config: Option<&Config>, len: Option<&mut MaybeUninit<usize>>) -> Status {
    observe(config, len, devp2p_proto::Config::transmit_len)
}

fn observe<T>(
    config: Option<&Config>,
    out: Option<&mut MaybeUninit<T>>,
    get: impl FnOnce(&devp2p_proto::Config) -> T,
) -> Status {
    status(Config::get(config).and_then(|config| {
        out.ok_or(Status::NullPointer)?.write(get(config));
        Ok(())
    }))
}
