//! What `replay` shows of a recorded link, the page for a browser and the capture for Wireshark, and the page of
//! `devp2p-network`
//!
//! The tests that need `chromium` or `tshark` are ignored by default: `tests/programs/views` installs both and runs
//! everything.
#![cfg(unix)]

mod browser;
mod capture;
mod damage;
mod network;
mod page;
mod recording;
mod rows;
mod secrets;
