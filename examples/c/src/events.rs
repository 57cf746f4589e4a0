//! What happens to a link, and what the application wants of it

use core::ffi::c_void;
use core::mem::MaybeUninit;

use devp2p_proto::{DisconnectReason, Instant, MessageEvent, PeerState, ProtocolError, ProtocolId};

use crate::given;
use crate::link::Link;
use crate::status::{Status, status};

/// A message that was sent: its sizes, for those who count
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Written {
    /// Bytes of the payload, not compressed
    pub size: usize,
    /// Bytes of the frame, as on the wire
    pub wire_size: usize,
}

/// How a protocol has ended; the last argument of `devp2p_link_protocol_returned`
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It has finished
    Finished = 0,
    /// It has failed for a reason of its own, which the peer is told
    Reason = 1,
    /// A message of the peer could not be decoded, or its code has no meaning
    BadMessage = 2,
    /// It has failed in another way
    Failed = 3,
}

/// Calls a method of the link that cannot be refused
fn tell(link: Option<&mut Link>, call: impl FnOnce(&mut PeerState<'static>)) -> Status {
    status(Link::get_mut(link).map(call))
}

/// Gives the link bytes of the peer; `*taken` is how many it took
///
/// The link completes at most one message, and takes nothing more until that was polled: keep the rest, and offer it
/// again. The end of the stream is `devp2p_link_receive_closed`. `bytes` may be NULL if `len` is 0.
///
/// # Safety
/// Each pointer is NULL or points to what its type and this text say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn devp2p_link_receive(
    link: Option<&mut Link>,
    now: u64,
    bytes: *const u8,
    len: usize,
    taken: Option<&mut MaybeUninit<usize>>,
) -> Status {
    // SAFETY: the caller promises that the bytes are there.
    let bytes = unsafe { given::items(bytes, len) };
    status(Link::get_mut(link).and_then(|link| {
        let (bytes, taken) = (bytes?, taken.ok_or(Status::NullPointer)?);
        taken.write(link.receive(Instant::from_nanos(now), bytes));
        Ok(())
    }))
}

/// Notes that the stream of the peer has ended, or that reading failed; a message that came before is still delivered
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_receive_closed(link: Option<&mut Link>, now: u64) -> Status {
    tell(link, |link| link.receive_closed(Instant::from_nanos(now)))
}

/// Holds messages back while the driver cannot take another one, or no longer
///
/// Meanwhile, continue to give input to the link: Pings are answered, and `devp2p_link_poll` gives all but
/// `DEVP2P_ACTION_KIND_DELIVER`. A second call with the same value does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_hold_input(link: Option<&mut Link>, now: u64, held: bool) -> Status {
    tell(link, |link| link.hold_input(Instant::from_nanos(now), held))
}

/// Does what has become due; early calls do nothing
///
/// `now`, here and in every other call, is in nanoseconds, of a clock that goes forward at the pace of real time, such as
/// `CLOCK_MONOTONIC`.
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_handle_timeout(link: Option<&mut Link>, now: u64) -> Status {
    tell(link, |link| link.handle_timeout(Instant::from_nanos(now)))
}

/// Notes that the transport took the first `len` unsent bytes; `DEVP2P_STATUS_SENT_TOO_MUCH` if there are fewer
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_sent(link: Option<&mut Link>, now: u64, len: usize) -> Status {
    status(Link::get_mut(link).and_then(|link| Ok(link.sent(Instant::from_nanos(now), len)?)))
}

/// Notes that writing failed
///
/// Keep reading: the peer may have sent the reason for which it has closed the connection.
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_send_failed(link: Option<&mut Link>, now: u64) -> Status {
    tell(link, |link| link.send_failed(Instant::from_nanos(now)))
}

/// Sends a complete message, or refuses it
///
/// The payload is sealed at once, so its memory is free again. It must not be the payload of a delivered message, which is
/// in the memory of the link: copy that first. `payload` may be NULL if `len` is 0. `written` may be NULL.
///
/// Returns `DEVP2P_STATUS_OK`, or one of the errors from `DEVP2P_STATUS_FULL` on. After `DEVP2P_STATUS_FULL` every message
/// of the protocol is refused until `DEVP2P_ACTION_KIND_WRITABLE` comes; then its next message is taken.
///
/// # Safety
/// Each pointer is NULL or points to what its type and this text say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn devp2p_link_write(
    link: Option<&mut Link>,
    now: u64,
    protocol: usize,
    code: u64,
    payload: *const u8,
    len: usize,
    written: Option<&mut MaybeUninit<Written>>,
) -> Status {
    // SAFETY: the caller promises that the payload is there.
    let payload = unsafe { given::items(payload, len) };
    status(Link::get_mut(link).and_then(|link| {
        let event = link.write(Instant::from_nanos(now), ProtocolId(protocol), code, payload?)?;
        note(event, written);
        Ok(())
    }))
}

/// Writes a message into `room`, which has `max` bytes with any content, and returns how many of them are the payload
///
/// `context` is that of the call. The function must not call the library with this link, and must return: no `longjmp`,
/// no exception.
pub type Fill = Option<unsafe extern "C" fn(context: *mut c_void, room: *mut u8, max: usize) -> usize>;

/// Sends a message that `fill` writes directly into the transmit buffer, without compression
///
/// `fill` is called at most once, during this call, and only if a message of `max` bytes would be taken. `written` may
/// be NULL. Returns what `devp2p_link_write` returns, and `DEVP2P_STATUS_TOO_LARGE` if `fill` returns more than `max`.
///
/// # Safety
/// `fill` does what its type says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn devp2p_link_write_with(
    link: Option<&mut Link>,
    now: u64,
    protocol: usize,
    code: u64,
    max: usize,
    fill: Fill,
    context: *mut c_void,
    written: Option<&mut MaybeUninit<Written>>,
) -> Status {
    status(Link::get_mut(link).and_then(|link| {
        let fill = fill.ok_or(Status::NullPointer)?;
        let event = link.write_with(Instant::from_nanos(now), ProtocolId(protocol), code, max, |room| {
            // SAFETY: the caller promises that the function writes only these bytes, and returns.
            unsafe { fill(context, room.as_mut_ptr(), room.len()) }
        })?;
        note(event, written);
        Ok(())
    }))
}

fn note(MessageEvent { size, wire_size, .. }: MessageEvent, written: Option<&mut MaybeUninit<Written>>) {
    if let Some(written) = written {
        written.write(Written { size, wire_size });
    }
}

/// Sends a Ping now; nothing happens if one is on its way already
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_ping(link: Option<&mut Link>, now: u64) -> Status {
    status(Link::get_mut(link).and_then(|link| Ok(link.ping(Instant::from_nanos(now))?)))
}

/// Ends the link since a protocol has finished or failed
///
/// `outcome` is a `devp2p_outcome`. `reason` counts for `DEVP2P_OUTCOME_REASON` only. Returns `DEVP2P_STATUS_NOT_SHARED` if the
/// protocol is not shared, and `DEVP2P_STATUS_INVALID_VALUE` for another `outcome`.
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_protocol_returned(
    link: Option<&mut Link>,
    now: u64,
    protocol: usize,
    outcome: u32,
    reason: u64,
) -> Status {
    const FINISHED: u32 = Outcome::Finished as u32;
    const REASON: u32 = Outcome::Reason as u32;
    const BAD_MESSAGE: u32 = Outcome::BadMessage as u32;
    const FAILED: u32 = Outcome::Failed as u32;
    status(Link::get_mut(link).and_then(|link| {
        let outcome = match outcome {
            FINISHED => Ok(()),
            REASON => Err(ProtocolError::Reason(DisconnectReason::from_code(reason))),
            BAD_MESSAGE => Err(ProtocolError::BadMessage),
            FAILED => Err(ProtocolError::Other),
            _ => return Err(Status::InvalidValue),
        };
        Ok(link.protocol_returned(Instant::from_nanos(now), ProtocolId(protocol), outcome)?)
    }))
}

/// Ends the link for this reason
///
/// Messages that were accepted before leave first, and then Disconnect. Right after `DEVP2P_ACTION_KIND_IDENTITY_CLAIMED`,
/// Disconnect takes the place of our Hello.
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_link_disconnect(link: Option<&mut Link>, now: u64, reason: u64) -> Status {
    tell(link, |link| link.disconnect(Instant::from_nanos(now), DisconnectReason::from_code(reason)))
}
