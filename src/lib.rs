//! One peer link of Ethereum's devp2p as a sans-IO state machine
#![no_std]
#![cfg_attr(not(feature = "std"), forbid(unsafe_code))]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(missing_docs, missing_debug_implementations, unreachable_pub, rustdoc::broken_intra_doc_links)]
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::panic_in_result_fn,
        clippy::string_slice,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_in_result,
        clippy::unwrap_used
    )
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod error;
mod fmt;
mod node_id;
mod p2p;
mod peer;
mod protocol;
mod reason;
mod rlpx;
mod time;
mod wire;

pub use error::{Cause, ConfigError, ProtocolError, Refused, SnappyError, Timeout, Violation, WriteError};
pub use node_id::{NodeHash, NodeId, ParseNodeIdError};
pub use peer::*;
pub use protocol::{Capability, Name, ProtocolId};
pub use reason::DisconnectReason;
pub use rlpx::{Entropy, InvalidSecretKey, SecretKey, keccak256};
pub use time::Instant;
pub use wire::rlp;
