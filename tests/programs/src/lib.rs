//! What the tests of the programs share: the programs themselves, and who is at the other end of a link

pub mod driver;
pub mod process;
pub mod programs;
