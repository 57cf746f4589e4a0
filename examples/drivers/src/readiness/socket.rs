//! A socket that remembers what it is ready for, since events tell of a change only

use std::io::{self, ErrorKind, Read, Write};

use mio::event::Event;
use mio::net::TcpStream;

/// Reads and writes cost a system call only while the socket may be ready for them
pub struct Socket {
    pub stream: TcpStream,
    readable: bool,
    writable: bool,
    /// Whether the end of the stream, or an error, is to be read
    ends: bool,
}

impl Socket {
    pub const fn new(stream: TcpStream) -> Self {
        Self { stream, readable: false, writable: false, ends: false }
    }

    /// Notes what the socket is ready for
    pub fn note(&mut self, event: &Event) {
        self.ends |= event.is_read_closed() || event.is_error();
        self.readable |= event.is_readable() || self.ends;
        self.writable |= event.is_writable() || event.is_write_closed() || event.is_error();
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = attempt(&mut self.readable, || self.stream.read(buffer));
        // A read that leaves room has emptied the socket, and whatever comes from now on is a new event. Windows reports
        // events again only after a read that would block.
        if cfg!(unix) && !self.ends && matches!(result, Ok(len) if len < buffer.len()) {
            self.readable = false;
        }
        result
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        attempt(&mut self.writable, || self.stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Calls the system if it may be ready, and notes when it is not
fn attempt(ready: &mut bool, call: impl FnOnce() -> io::Result<usize>) -> io::Result<usize> {
    if !*ready {
        return Err(ErrorKind::WouldBlock.into());
    }
    let result = call();
    *ready = !result.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    result
}
