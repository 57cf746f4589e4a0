//! A link as a `tokio` task, and its subprotocols as tasks of their own
//!
//! The loop is [`drive`](drive::drive). It serves protocols that are functions, as [`protocols`] has them:
//!
//! ```text
//! async fn run(handle: Handle) -> Result<(), ProtocolError>
//! ```
//!
//! as geth's are `Run func(peer *Peer, rw MsgReadWriter) error`.

pub mod drive;
pub mod protocols;
mod queue;
