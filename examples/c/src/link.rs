//! How a link is made and taken down

use core::ffi::c_void;
use core::mem::MaybeUninit;

use devp2p_proto::{Buffers as Memory, Entropy as Random, Instant, PeerState};

use crate::config::Config;
use crate::given;
use crate::sizes::DEVP2P_ENTROPY_SIZE;
use crate::status::{Status, status};
use crate::text::Id;

/// A link, in memory of the caller
///
/// From the first byte of the handshake to the last Disconnect. Its keys are overwritten by `devp2p_link_end`. Do not
/// copy or move the memory.
#[derive(Debug)]
pub struct Link(Option<PeerState<'static>>);

const fn can_be_used_by_any_thread<T: Send + Sync>() {}

const _: () = can_be_used_by_any_thread::<Link>();
const _: () = can_be_used_by_any_thread::<Config>();

impl Link {
    pub(crate) fn get(link: Option<&Self>) -> Result<&PeerState<'static>, Status> {
        link.ok_or(Status::NullPointer)?.0.as_ref().ok_or(Status::Gone)
    }

    pub(crate) fn get_mut(link: Option<&mut Self>) -> Result<&mut PeerState<'static>, Status> {
        link.ok_or(Status::NullPointer)?.0.as_mut().ok_or(Status::Gone)
    }
}

/// Random bytes for one link: from the system's generator, never used for a second link
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Entropy {
    /// The bytes; overwrite them when the link is made
    pub bytes: [u8; DEVP2P_ENTROPY_SIZE],
}

impl core::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Entropy(..)")
    }
}

/// The memory of one link besides its state; it belongs to the link until `devp2p_link_end`
///
/// The content is overwritten when a link is made, also if that is refused in the end.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Buffers {
    /// For one incoming frame and its payload: `devp2p_config_receive_len` bytes, or `DEVP2P_RECEIVE_LEN`
    pub receive: *mut u8,
    /// The bytes of `receive`
    pub receive_len: usize,
    /// For frames that are not sent yet: at least `devp2p_config_transmit_len` bytes, or `DEVP2P_TRANSMIT_LEN`
    pub transmit: *mut u8,
    /// The bytes of `transmit`
    pub transmit_len: usize,
    /// For the compressor: a power of two from 256 to 16,384 entries; with fewer nothing is compressed
    pub table: *mut u16,
    /// The entries of `table`
    pub table_len: usize,
    /// `DEVP2P_SLOT_SIZE` bytes for each protocol, from a multiple of `DEVP2P_SLOT_ALIGN` on
    pub slots: *mut c_void,
    /// The bytes of `slots`
    pub slots_size: usize,
}

/// Makes a link to the node `remote`, on a connection that this node has opened
///
/// `memory` has `size` bytes, at least `DEVP2P_LINK_SIZE`, and begins at a multiple of `DEVP2P_LINK_ALIGN`. It must hold
/// no link now. `*link` is then the link, in that memory. If `buffers` is NULL, the link has buffers that grow; a library
/// without an allocator refuses that with `DEVP2P_STATUS_NO_ALLOCATOR`.
///
/// Returns `DEVP2P_STATUS_OK`, an error of memory, or one of those from `DEVP2P_STATUS_RECEIVE_BUFFER_TOO_SMALL` on. After an error the
/// memory and the buffers are the caller's.
///
/// # Safety
/// Each pointer is NULL or points to what its type and this text say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn devp2p_link_initiator(
    memory: *mut c_void,
    size: usize,
    now: u64,
    config: Option<&Config>,
    remote: Option<&Id>,
    entropy: Option<&Entropy>,
    buffers: Option<&Buffers>,
    link: Option<&mut MaybeUninit<*mut Link>>,
) -> Status {
    // SAFETY: the caller promises that the memory has `size` bytes and is not used for anything else.
    let place = unsafe { given::place(memory, size) };
    status(remote.ok_or(Status::NullPointer).and_then(|remote| {
        // SAFETY: the caller promises that the buffers belong to the link.
        let parts = unsafe { Parts::new(config, entropy, buffers) }?;
        start(place, now, Some(remote.into()), parts, link)
    }))
}

/// Makes a link on a connection that another node has opened; otherwise like `devp2p_link_initiator`
///
/// # Safety
/// Each pointer is NULL or points to what its type and this text say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn devp2p_link_recipient(
    memory: *mut c_void,
    size: usize,
    now: u64,
    config: Option<&Config>,
    entropy: Option<&Entropy>,
    buffers: Option<&Buffers>,
    link: Option<&mut MaybeUninit<*mut Link>>,
) -> Status {
    // SAFETY: the caller promises that the memory has `size` bytes and is not used for anything else.
    let place = unsafe { given::place(memory, size) };
    // SAFETY: the caller promises that the buffers belong to the link.
    let parts = unsafe { Parts::new(config, entropy, buffers) };
    status(parts.and_then(|parts| start(place, now, None, parts, link)))
}

/// Makes the link in its place, and tells the caller where it is; the node dials if there is a `remote`
fn start(
    place: Result<&'static mut MaybeUninit<Link>, Status>,
    now: u64,
    remote: Option<devp2p_proto::NodeId>,
    parts: Parts<'_>,
    link: Option<&mut MaybeUninit<*mut Link>>,
) -> Result<(), Status> {
    let link = link.ok_or(Status::NullPointer)?;
    link.write(open(place?, Instant::from_nanos(now), remote, parts)?);
    Ok(())
}

/// What both kinds of links are made of
struct Parts<'a> {
    config: &'a devp2p_proto::Config,
    entropy: &'a Entropy,
    buffers: Memory<'static>,
}

impl<'a> Parts<'a> {
    /// # Safety
    /// The pointers in `buffers` are NULL, or point to as much as it says, which only the link uses until it is taken down.
    unsafe fn new(
        config: Option<&'a Config>,
        entropy: Option<&'a Entropy>,
        buffers: Option<&Buffers>,
    ) -> Result<Self, Status> {
        let config = Config::get(config)?;
        let entropy = entropy.ok_or(Status::NullPointer)?;
        let buffers = match buffers {
            // SAFETY: the caller promises it.
            Some(buffers) => unsafe { buffers.take(config) }?,
            None => growable()?,
        };
        Ok(Self { config, entropy, buffers })
    }
}

impl Buffers {
    /// The buffers as the library takes them; what is too small is refused before anything is written
    ///
    /// # Safety
    /// The pointers are NULL, or point to as much as the fields say, which only the link uses until it is taken down.
    unsafe fn take(&self, config: &devp2p_proto::Config) -> Result<Memory<'static>, Status> {
        if self.receive_len < config.receive_len() {
            return Err(Status::ReceiveBufferTooSmall);
        }
        if self.transmit_len < config.transmit_len() {
            return Err(Status::TransmitBufferTooSmall);
        }
        // SAFETY: the caller promises it.
        let receive = unsafe { given::zeros(self.receive, self.receive_len) }?;
        // SAFETY: the caller promises it.
        let transmit = unsafe { given::zeros(self.transmit, self.transmit_len) }?;
        // SAFETY: the caller promises it.
        let table = unsafe { given::zeros(self.table, self.table_len) }?;
        // SAFETY: the caller promises it.
        let slots = unsafe { given::slots(self.slots, self.slots_size) }?;
        Ok(Memory::fixed(receive, transmit, table, slots))
    }
}

#[cfg(feature = "std")]
#[allow(clippy::unnecessary_wraps, reason = "without an allocator it fails")]
fn growable() -> Result<Memory<'static>, Status> {
    Ok(Memory::growable())
}

#[cfg(not(feature = "std"))]
const fn growable() -> Result<Memory<'static>, Status> {
    Err(Status::NoAllocator)
}

/// Makes the link in its place
///
/// Kept out of its callers, so that no copy of the link is in their stack frames.
#[inline(never)]
fn open(
    place: &'static mut MaybeUninit<Link>,
    now: Instant,
    remote: Option<devp2p_proto::NodeId>,
    Parts { config, entropy, buffers }: Parts<'_>,
) -> Result<*mut Link, Status> {
    let entropy = Random::from_bytes(entropy.bytes);
    let link = match remote {
        Some(remote) => PeerState::initiator(now, config, remote, entropy, buffers),
        None => PeerState::recipient(now, config, entropy, buffers),
    };
    Ok(place.write(Link(Some(link.map_err(|refusal| refusal.error)?))))
}

/// Takes the link down: overwrites its keys and frees buffers that have grown; its memory and buffers are the caller's again
///
/// Nothing is sent: call it after `DEVP2P_ACTION_KIND_DISCONNECT`. Every later call with this link returns `DEVP2P_STATUS_GONE`, as
/// long as the memory is not used for anything else.
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_end(link: Option<&mut Link>) -> Status {
    status(match link {
        None => Err(Status::NullPointer),
        Some(link) => link.0.take().map(drop).ok_or(Status::Gone),
    })
}
