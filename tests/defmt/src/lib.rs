//! Values printed through defmt, and decoded as on the other end of a probe
#![allow(unsafe_code, reason = "a logger of defmt is made with unsafe code")]

use std::cell::RefCell;
use std::sync::LazyLock;

use defmt_decoder::Table;

/// What a value prints
#[derive(Debug)]
pub struct Printed {
    /// The text that a reader of the log sees
    pub text: String,
    /// The bytes that leave the device, before they are encoded as a frame
    pub bytes: Vec<u8>,
}

/// Prints a value in a log line of its own
///
/// # Panics
///
/// If the line cannot be decoded.
pub fn print(value: &(impl defmt::Format + ?Sized)) -> Printed {
    LOG.take();
    defmt::println!("{}", value);
    let Log { frame, bytes, .. } = LOG.take();
    let mut decoder = TABLE.new_stream_decoder();
    decoder.received(&frame);
    let text = decoder.decode().expect("one whole frame").display_message().to_string();
    assert!(decoder.decode().is_err(), "nothing follows the frame");
    Printed { text, bytes }
}

/// The texts of this program, which are not in its log
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    Table::parse(&program).unwrap().expect("the program is linked with the table")
});

/// What a thread has logged
struct Log {
    encoder: defmt::Encoder,
    frame: Vec<u8>,
    bytes: Vec<u8>,
}

impl Default for Log {
    fn default() -> Self {
        Self { encoder: defmt::Encoder::new(), frame: Vec::new(), bytes: Vec::new() }
    }
}

thread_local! {
    static LOG: RefCell<Log> = RefCell::default();
}

#[defmt::global_logger]
struct Logger;

// SAFETY: each thread has a log of its own, so that no line is interrupted by another one.
unsafe impl defmt::Logger for Logger {
    fn acquire() {
        LOG.with_borrow_mut(|Log { encoder, frame, .. }| encoder.start_frame(|part| frame.extend(part)));
    }

    unsafe fn flush() {}

    unsafe fn release() {
        LOG.with_borrow_mut(|Log { encoder, frame, .. }| encoder.end_frame(|part| frame.extend(part)));
    }

    unsafe fn write(written: &[u8]) {
        LOG.with_borrow_mut(|Log { encoder, frame, bytes }| {
            bytes.extend(written);
            encoder.write(written, |part| frame.extend(part));
        });
    }
}
