//! Messages between two nodes: what they agree on, what is accepted, and what is refused

mod buffers;
mod capabilities;
mod configuration;
mod hello;
mod info;
mod limits;
mod payloads;
mod pings;
mod sizes;
mod skipping;
mod stalls;
mod trimming;
mod typed;
mod writing;
