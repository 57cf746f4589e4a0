//! Files that may hold secrets

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};

/// A new file that only its owner can read; an existing one is never written over
pub fn new_file(path: &str) -> io::Result<BufWriter<File>> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(BufWriter::new)
}
