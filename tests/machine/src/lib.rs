//! Pairs of links over a faulty network, and batches of links, for the tests of this package and for fuzz targets

pub mod batch;
pub mod faults;
