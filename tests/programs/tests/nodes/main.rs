//! `ping --nodes` as a process, against a fleet in the process of the test

mod list;
mod program;
mod thousand;
