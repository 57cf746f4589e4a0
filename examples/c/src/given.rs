//! Memory that C gives
//!
//! A pointer to one object is a reference in the signature of an exported function: `Option<&T>` for a pointer that may
//! be NULL, and `Option<&mut MaybeUninit<T>>` for a result. So nothing about it is unsafe here. What C promises by such a
//! pointer is in the header: it is NULL or points to an object of that type, and no other thread uses the object now.

use core::ffi::{c_char, c_void};
use core::fmt::{self, Write};
use core::mem::MaybeUninit;
use core::slice;

use devp2p_proto::{Payload, ProtocolSlot};

use crate::status::Status;
use crate::text::Sink;

/// The bytes from `start` on; NULL is as good as any pointer if `len` is 0
///
/// # Safety
/// If `start` is not NULL, `len` items are there, and nobody writes them for `'a`.
pub(crate) unsafe fn items<'a, T>(start: *const T, len: usize) -> Result<&'a [T], Status> {
    if len == 0 {
        return Ok(&[]);
    }
    check(start, len)?;
    // SAFETY: the pointer is not NULL, and it is aligned. The caller promises the rest, and `check` that the length
    // in bytes is at most `isize::MAX`.
    Ok(unsafe { slice::from_raw_parts(start, len) })
}

/// Zeros, in the memory from `start` on
///
/// # Safety
/// If `start` is not NULL, `len` items are there, and only the result is used to access them for `'a`. Zeros are a
/// value of `T`.
pub(crate) unsafe fn zeros<'a, T: Zero>(start: *mut T, len: usize) -> Result<&'a mut [T], Status> {
    if len == 0 {
        return Ok(&mut []);
    }
    check(start, len)?;
    // SAFETY: the caller promises that the items are there; the pointer is aligned.
    unsafe { start.write_bytes(0, len) };
    // SAFETY: as for `items`; the bytes were written, and zeros are a value of `T`.
    Ok(unsafe { slice::from_raw_parts_mut(start, len) })
}

/// Writes text with a zero at its end into `size` bytes from `text` on, and its length, also if there is less room
///
/// # Safety
/// As for [`zeros`].
pub(crate) unsafe fn write_text(
    text: *mut c_char,
    size: usize,
    len: Option<&mut MaybeUninit<usize>>,
    content: impl fmt::Display,
) -> Result<(), Status> {
    // SAFETY: the caller promises that the room is there.
    let room = unsafe { zeros(text.cast::<u8>(), size) }?;
    let whole = room.len();
    let mut sink = Sink::new(room.get_mut(..whole.saturating_sub(1)).unwrap_or_default());
    // The sink takes everything.
    _ = write!(sink, "{content}");
    if let Some(len) = len {
        len.write(sink.len());
    }
    if sink.len() < whole { Ok(()) } else { Err(Status::TooShort) }
}

/// Types of which zeros are a value
pub(crate) trait Zero {}

impl Zero for u8 {}

impl Zero for u16 {}

/// Empty slots, as many as fit into `size` bytes from `start` on
///
/// # Safety
/// If `start` is not NULL, `size` bytes are there, and only the result is used to access them for `'a`.
pub(crate) unsafe fn slots<'a>(start: *mut c_void, size: usize) -> Result<&'a mut [ProtocolSlot], Status> {
    let (start, len) = (start.cast::<MaybeUninit<ProtocolSlot>>(), count_of::<ProtocolSlot>(size));
    if len == 0 {
        return Ok(&mut []);
    }
    check(start, len)?;
    // SAFETY: as for `items`; anything is a value of `MaybeUninit`.
    let slots = unsafe { slice::from_raw_parts_mut(start, len) };
    for slot in &mut *slots {
        slot.write(ProtocolSlot::EMPTY);
    }
    // SAFETY: the same memory, and every slot has been written.
    Ok(unsafe { slice::from_raw_parts_mut(start.cast(), len) })
}

/// The place for a `T` in the memory from `start` on
///
/// # Safety
/// If `start` is not NULL, `size` bytes are there, and only the result is used to access them for `'a`.
pub(crate) unsafe fn place<'a, T>(start: *mut c_void, size: usize) -> Result<&'a mut MaybeUninit<T>, Status> {
    let start = start.cast::<MaybeUninit<T>>();
    check(start, 1)?;
    if size < size_of::<T>() {
        return Err(Status::TooShort);
    }
    // SAFETY: the pointer is not NULL and aligned, and there are enough bytes. Anything is a value of `MaybeUninit`.
    Ok(unsafe { &mut *start })
}

/// How many items fit into so many bytes
fn count_of<T>(size: usize) -> usize {
    size.checked_div(size_of::<T>()).unwrap_or_default()
}

/// That a pointer to so many items can be one
fn check<T>(start: *const T, len: usize) -> Result<(), Status> {
    if start.is_null() {
        return Err(Status::NullPointer);
    }
    if !start.is_aligned() {
        return Err(Status::Misaligned);
    }
    let size = len.checked_mul(size_of::<T>()).filter(|size| isize::try_from(*size).is_ok());
    size.map(|_| ()).ok_or(Status::TooShort)
}

/// Where a payload is, for C to read until the next call that changes the link
pub(crate) fn payload(payload: &Payload<'_>) -> (*const u8, usize) {
    // The payload ends with the call, and its bytes stay: they are in a buffer of the link, which the payload borrows.
    // Without a destructor the payload can do nothing to the buffer.
    const { assert!(!core::mem::needs_drop::<Payload<'_>>()) };
    (payload.as_ptr(), payload.len())
}
