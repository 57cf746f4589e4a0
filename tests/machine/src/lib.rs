//! Pairs of links over a faulty network, for the tests of this package and for a fuzz target

pub mod faults;
