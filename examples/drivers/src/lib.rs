//! What the programs that drive a link have in common
//!
//! - [`app`]: the node that each of the drivers `blocking`, `epoll`, `smol` and `tokio` runs
//! - [`session`]: a driver of one dialled link, for programs that do one thing after the other
//! - [`readiness`]: a driver of any number of links in one thread
//! - [`link`] and [`journal`]: a link that may be recorded, and the recording
//! - [`eth`]: messages and data of Ethereum, as types that check themselves
//! - [`arguments`], [`mod@say`], [`mod@new_file`], [`template`], [`transient`]: command lines, what is printed, files
//!   with secrets, pages, and errors that are none

pub mod app;
pub mod arguments;
pub mod eth;
pub mod journal;
pub mod link;
pub mod new_file;
pub mod readiness;
pub mod say;
pub mod session;
pub mod template;
pub mod transient;
