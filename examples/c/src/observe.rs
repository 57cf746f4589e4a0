//! What can be asked of a link without changing it
//!
//! An observer returns `DEVP2P_STATUS_ABSENT` where the library returns `None`, and then leaves the result as it was.

use core::ffi::c_char;
use core::mem::MaybeUninit;
use core::time::Duration;

use devp2p_proto::{Instant, PeerState, ProtocolId, Role as LinkRole, Stage as LinkStage};

use crate::cause::{Cause, Timer};
use crate::given;
use crate::link::Link;
use crate::sizes::{DEVP2P_CLIENT_ID_SIZE, DEVP2P_NEVER};
use crate::status::{Status, status};
use crate::text::{CapabilityText, Id, text};

/// Which node opened the connection
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// This node dialled
    Initiator = 0,
    /// This node was dialled
    Recipient = 1,
}

/// Where a link is in its life
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// One that this version of the interface has no name for
    Other = 0,
    /// Keys are being agreed on
    Handshake,
    /// The peer has claimed a key; the driver may admit it or not
    Admission,
    /// Hellos are being exchanged
    Hello,
    /// Messages go both ways
    Running,
    /// The end is decided: our last bytes leave, or the link waits for the peer's Disconnect
    Closing,
    /// Nothing goes either way any more
    Closed,
}

/// What the remote said about itself in its Hello
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Hello {
    /// The version of the base protocol that it speaks
    pub version: u64,
    /// Its client id, printable ASCII, with a zero at its end
    pub client_id: [c_char; DEVP2P_CLIENT_ID_SIZE],
    /// How many of its capabilities `devp2p_link_remote_capability` gives
    pub capabilities: usize,
    /// How many more it has listed
    pub omitted_capabilities: usize,
    /// The port on which it says that it listens, 0 for none
    pub listen_port: u64,
}

/// A protocol that both nodes run, and its message ids on this link
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Shared {
    /// The protocol, by its position in the settings
    pub protocol: usize,
    /// Its name and version
    pub capability: CapabilityText,
    /// The message id of its code 0
    pub offset: u64,
    /// How many message codes it has
    pub length: u64,
}

/// What has gone over the link in one direction
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// Messages
    pub messages: u64,
    /// Bytes of their payloads, not compressed
    pub payload_bytes: u64,
    /// Bytes of their frames, as on the wire
    pub wire_bytes: u64,
}

/// What has gone over the link in both directions
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// From the peer
    pub ingress: Counters,
    /// To the peer
    pub egress: Counters,
}

/// The Pings and Pongs of a link
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liveness {
    /// Pings that this node has sent
    pub pings_sent: u64,
    /// Pings that the peer has answered
    pub pongs_received: u64,
    /// Pings that the peer has sent
    pub pings_received: u64,
    /// Pings that this node has answered
    pub pongs_sent: u64,
    /// Nanoseconds from the last answered Ping to its Pong; `DEVP2P_NEVER` if none was answered
    pub round_trip: u64,
}

impl From<devp2p_proto::Counters> for Counters {
    fn from(counters: devp2p_proto::Counters) -> Self {
        let devp2p_proto::Counters { messages, payload_bytes, wire_bytes, .. } = counters;
        Self { messages, payload_bytes, wire_bytes }
    }
}

impl From<LinkRole> for Role {
    fn from(role: LinkRole) -> Self {
        match role {
            LinkRole::Initiator => Self::Initiator,
            LinkRole::Recipient => Self::Recipient,
        }
    }
}

impl From<LinkStage> for Stage {
    fn from(stage: LinkStage) -> Self {
        match stage {
            LinkStage::Handshake => Self::Handshake,
            LinkStage::Admission => Self::Admission,
            LinkStage::Hello => Self::Hello,
            LinkStage::Running => Self::Running,
            LinkStage::Closing => Self::Closing,
            LinkStage::Closed => Self::Closed,
            _ => Self::Other,
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(DEVP2P_NEVER)
}

/// Writes what there is, or reports that there is nothing
fn observe<T>(
    link: Option<&Link>,
    out: Option<&mut MaybeUninit<T>>,
    get: impl FnOnce(&PeerState<'static>) -> Option<T>,
) -> Status {
    status(Link::get(link).and_then(|link| {
        let out = out.ok_or(Status::NullPointer)?;
        out.write(get(link).ok_or(Status::Absent)?);
        Ok(())
    }))
}

/// Whether `devp2p_link_receive` would take bytes now; read from the transport only while this is true
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_wants_input(link: Option<&Link>, wants: Option<&mut MaybeUninit<bool>>) -> Status {
    observe(link, wants, |link| Some(link.wants_input()))
}

/// The bytes for the transport, as `DEVP2P_ACTION_KIND_SEND` offers them; valid until the next call that changes the link
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_unsent(
    link: Option<&Link>,
    bytes: Option<&mut MaybeUninit<*const u8>>,
    len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    status(Link::get(link).and_then(|link| {
        let (bytes, len) = (bytes.ok_or(Status::NullPointer)?, len.ok_or(Status::NullPointer)?);
        let unsent = link.unsent();
        bytes.write(unsent.as_ptr());
        len.write(unsent.len());
        Ok(())
    }))
}

/// When to call `devp2p_link_handle_timeout` if nothing else happens; `DEVP2P_NEVER` while no timer runs
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_next_timeout(link: Option<&Link>, at: Option<&mut MaybeUninit<u64>>) -> Status {
    observe(link, at, |link| Some(link.next_timeout().map_or(DEVP2P_NEVER, Instant::as_nanos)))
}

/// The timer that goes off then; `DEVP2P_STATUS_ABSENT` while no timer runs
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_next_timer(link: Option<&Link>, timer: Option<&mut MaybeUninit<Timer>>) -> Status {
    observe(link, timer, |link| link.next_timer().map(Timer::from))
}

/// The largest payload that the protocol can write now; `DEVP2P_STATUS_ABSENT` if none is taken
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_write_capacity(
    link: Option<&Link>,
    protocol: usize,
    len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    observe(link, len, |link| link.write_capacity(ProtocolId(protocol)))
}

/// Where the link is in its life
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_stage(link: Option<&Link>, stage: Option<&mut MaybeUninit<Stage>>) -> Status {
    observe(link, stage, |link| Some(link.stage().into()))
}

/// Which node opened the connection
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_role(link: Option<&Link>, role: Option<&mut MaybeUninit<Role>>) -> Status {
    observe(link, role, |link| Some(link.role().into()))
}

/// Why the link has ended or is about to end; `DEVP2P_STATUS_ABSENT` before that
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_cause(link: Option<&Link>, cause: Option<&mut MaybeUninit<Cause>>) -> Status {
    observe(link, cause, |link| link.cause().map(Cause::from))
}

/// The same as a text in English, with a zero at its end
///
/// `size` is the size of `text`. `*len` is the length of the text without its zero, also if the call returns
/// `DEVP2P_STATUS_TOO_SHORT`; then `text` has as much of it as fits. `len` may be NULL. Text of a peer is not in it.
///
/// # Safety
/// Each pointer is NULL or points to what its type and this text say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn devp2p_link_cause_text(
    link: Option<&Link>,
    text: *mut c_char,
    size: usize,
    len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    status(Link::get(link).and_then(|link| {
        let cause = link.cause().ok_or(Status::Absent)?;
        // SAFETY: the caller promises that the room is there.
        unsafe { given::write_text(text, size, len, cause) }
    }))
}

/// Whether the driver holds input
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_is_input_held(link: Option<&Link>, held: Option<&mut MaybeUninit<bool>>) -> Status {
    observe(link, held, |link| Some(link.is_input_held()))
}

/// The id of this node
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_local_id(link: Option<&Link>, id: Option<&mut MaybeUninit<Id>>) -> Status {
    observe(link, id, |link| Some(link.local_id().into()))
}

/// The id that the remote claims; `DEVP2P_STATUS_ABSENT` before the handshake
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_remote_id(link: Option<&Link>, id: Option<&mut MaybeUninit<Id>>) -> Status {
    observe(link, id, |link| link.remote_id().map(Id::from))
}

/// Whether a frame of the remote had a valid MAC, which only the owner of its key could make
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_is_remote_proven(link: Option<&Link>, proven: Option<&mut MaybeUninit<bool>>) -> Status {
    observe(link, proven, |link| Some(link.is_remote_proven()))
}

/// What the remote said about itself; `DEVP2P_STATUS_ABSENT` before its Hello
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_remote_hello(link: Option<&Link>, hello: Option<&mut MaybeUninit<Hello>>) -> Status {
    observe(link, hello, |link| {
        link.remote_hello().map(|hello| Hello {
            version: hello.version(),
            client_id: text(hello.client_id()),
            capabilities: hello.capabilities().len(),
            omitted_capabilities: hello.omitted_capabilities(),
            listen_port: hello.listen_port(),
        })
    })
}

/// The capability of the remote with this index; `DEVP2P_STATUS_ABSENT` beyond the last
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_remote_capability(
    link: Option<&Link>,
    index: usize,
    capability: Option<&mut MaybeUninit<CapabilityText>>,
) -> Status {
    observe(link, capability, |link| {
        link.remote_hello()?.capabilities().get(index).map(|capability| CapabilityText::from(*capability))
    })
}

/// The shared protocol with this index, in the order of the settings; `DEVP2P_STATUS_ABSENT` beyond the last, and before Hello
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_shared(
    link: Option<&Link>,
    index: usize,
    shared: Option<&mut MaybeUninit<Shared>>,
) -> Status {
    observe(link, shared, |link| {
        link.shared().nth(index).map(|shared| Shared {
            protocol: shared.protocol.0,
            capability: shared.capability.into(),
            offset: shared.offset,
            length: shared.length,
        })
    })
}

/// The traffic of a protocol; `DEVP2P_STATUS_ABSENT` if there is no such protocol
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_traffic(
    link: Option<&Link>,
    protocol: usize,
    traffic: Option<&mut MaybeUninit<Traffic>>,
) -> Status {
    observe(link, traffic, |link| {
        let traffic = link.traffic(ProtocolId(protocol))?;
        Some(Traffic { ingress: traffic.ingress.into(), egress: traffic.egress.into() })
    })
}

/// The Pings and Pongs so far
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_liveness(link: Option<&Link>, liveness: Option<&mut MaybeUninit<Liveness>>) -> Status {
    observe(link, liveness, |link| {
        let liveness = link.liveness();
        Some(Liveness {
            pings_sent: liveness.pings_sent,
            pongs_received: liveness.pongs_received,
            pings_received: liveness.pings_received,
            pongs_sent: liveness.pongs_sent,
            round_trip: liveness.round_trip.map_or(DEVP2P_NEVER, nanos),
        })
    })
}

/// How long the link has existed, in nanoseconds
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_age(link: Option<&Link>, now: u64, age: Option<&mut MaybeUninit<u64>>) -> Status {
    observe(link, age, |link| Some(nanos(link.age(Instant::from_nanos(now)))))
}
