//! The bodies of the fuzz targets, which also run as ordinary tests
//!
//! They use the public surface of the crate, and its hidden module `internal`.
//!
//! A fuzzer cannot forge a MAC. When a fuzzer runs the bodies, the MACs of frames and the tags
//! of handshake packets therefore all pass. "Tampering is caught" is asserted only where the bodies run as tests.

mod batch;
mod dialogue;
mod disconnect;
mod handshake;
mod hello;
mod input;
mod items;
mod link;
mod packets;
mod pair;
mod remote;
mod rlp;
mod settings;
mod sizes;
mod snappy;
mod subject;

pub use self::rlp::rlp;
pub use batch::batch;
pub use disconnect::disconnect;
pub use handshake::handshake;
pub use hello::hello;
pub use link::link;
pub use packets::packets;
pub use pair::pair;
pub use snappy::snappy;
