//! What `replay` shows of a recorded link: the page for a browser, and the capture for Wireshark
//!
//! The tests that need `chromium` or `tshark` are ignored by default: `tests/programs/views` installs both and runs
//! everything.
#![cfg(unix)]

mod browser;
mod capture;
mod damage;
mod page;
mod recording;
mod rows;
mod secrets;
