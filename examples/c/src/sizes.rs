//! Sizes as constants, for memory that is laid out when a program is compiled
//!
//! cbindgen cannot compute, so the numbers are literals here, and the compiler compares them with the library's.

use devp2p_proto::{Buffers, Entropy, ProtocolSlot};

use crate::config::Config;
use crate::link::Link;

/// Bytes of memory for a link, besides its buffers
#[cfg(target_pointer_width = "64")]
pub const DEVP2P_LINK_SIZE: usize = 3584;
/// Bytes of memory for a link, besides its buffers
#[cfg(all(target_pointer_width = "32", feature = "std"))]
pub const DEVP2P_LINK_SIZE: usize = 3072;
/// Bytes of memory for a link, besides its buffers
#[cfg(all(target_pointer_width = "32", not(feature = "std")))]
pub const DEVP2P_LINK_SIZE: usize = 2304;
/// The memory for a link begins at a multiple of this
pub const DEVP2P_LINK_ALIGN: usize = 16;

/// Bytes of memory for a configuration
#[cfg(feature = "std")]
pub const DEVP2P_CONFIG_SIZE: usize = 2176;
/// Bytes of memory for a configuration
#[cfg(not(feature = "std"))]
pub const DEVP2P_CONFIG_SIZE: usize = 1152;
/// The memory for a configuration begins at a multiple of this
pub const DEVP2P_CONFIG_ALIGN: usize = 8;

/// Bytes of memory for what a link keeps of one protocol
#[cfg(feature = "std")]
pub const DEVP2P_SLOT_SIZE: usize = 176;
/// Bytes of memory for what a link keeps of one protocol
#[cfg(not(feature = "std"))]
pub const DEVP2P_SLOT_SIZE: usize = 144;
/// The memory for slots begins at a multiple of this
pub const DEVP2P_SLOT_ALIGN: usize = 8;

/// The most protocols that a node can offer
#[cfg(feature = "std")]
pub const DEVP2P_MAX_PROTOCOLS: usize = 16;
/// The most protocols that a node can offer
#[cfg(not(feature = "std"))]
pub const DEVP2P_MAX_PROTOCOLS: usize = 8;
/// The most message codes of one protocol that can have a limit of their own
#[cfg(feature = "std")]
pub const DEVP2P_MAX_CODE_LIMITS: usize = 8;
/// The most message codes of one protocol that can have a limit of their own
#[cfg(not(feature = "std"))]
pub const DEVP2P_MAX_CODE_LIMITS: usize = 4;

/// Bytes of the longest client id, with the zero at its end
pub const DEVP2P_CLIENT_ID_SIZE: usize = 97;
/// Bytes of the longest name of a protocol, with the zero at its end
pub const DEVP2P_NAME_SIZE: usize = 9;
/// The largest limit for messages, in bytes
pub const DEVP2P_MAX_MESSAGE: usize = 16_777_215;
/// The smallest limit for messages, in bytes
pub const DEVP2P_MIN_MESSAGE: usize = 64;

/// Random bytes for one link
pub const DEVP2P_ENTROPY_SIZE: usize = 113;
/// Bytes of a secret key
pub const DEVP2P_KEY_SIZE: usize = 32;
/// Bytes of a node id
pub const DEVP2P_ID_SIZE: usize = 64;

/// The time that never comes, for a timeout
pub const DEVP2P_NEVER: u64 = 0xffff_ffff_ffff_ffff;

/// Whether a type fits into so many bytes with this alignment
const fn fits<T>(size: usize, align: usize) -> bool {
    size_of::<T>() <= size && align_of::<T>() <= align
}

const _: () = {
    assert!(fits::<Link>(DEVP2P_LINK_SIZE, DEVP2P_LINK_ALIGN), "DEVP2P_LINK_SIZE is too small");
    assert!(fits::<Config>(DEVP2P_CONFIG_SIZE, DEVP2P_CONFIG_ALIGN), "DEVP2P_CONFIG_SIZE is too small");
    // Slots are an array, so the size is exact, or that of a library with more features is larger.
    assert!(fits::<ProtocolSlot>(DEVP2P_SLOT_SIZE, DEVP2P_SLOT_ALIGN), "DEVP2P_SLOT_SIZE is too small");
    assert!(DEVP2P_MAX_PROTOCOLS <= devp2p_proto::MAX_PROTOCOLS);
    assert!(DEVP2P_MAX_CODE_LIMITS <= devp2p_proto::MAX_CODE_LIMITS);
    assert!(DEVP2P_CLIENT_ID_SIZE == devp2p_proto::MAX_CLIENT_ID + 1);
    assert!(DEVP2P_MAX_MESSAGE == devp2p_proto::MAX_MESSAGE && DEVP2P_MIN_MESSAGE == devp2p_proto::MIN_MESSAGE);
    assert!(DEVP2P_ENTROPY_SIZE == Entropy::SIZE);
};

/// The bytes of `receive` in `devp2p_buffers` for payloads of up to `max_message` bytes; as `DEVP2P_RECEIVE_LEN`
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_receive_len(max_message: usize) -> usize {
    Buffers::receive_len(max_message)
}

/// The bytes of `transmit` in `devp2p_buffers` for one name of a protocol with payloads of up to `max_send` bytes
///
/// As `DEVP2P_TRANSMIT_LEN(DEVP2P_FRAME_LEN(max_send))`.
#[unsafe(no_mangle)]
pub extern "C" fn devp2p_transmit_len(max_send: usize) -> usize {
    Buffers::transmit_len(&[max_send])
}
