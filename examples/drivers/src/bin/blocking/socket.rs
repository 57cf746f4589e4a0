//! A blocking socket, used as one that does not block

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use devp2p_drivers::transient::is_transient;

/// How long a write may keep the loop from looking after its input
const WRITE_PATIENCE: Duration = Duration::from_millis(10);

pub struct Socket<'a> {
    stream: &'a TcpStream,
    /// Whether there is input, or its end, so that a read returns at once
    readable: bool,
    /// Whether the socket is full; input comes first for as long as there is some
    full: bool,
}

impl<'a> Socket<'a> {
    pub fn new(stream: &'a TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(WRITE_PATIENCE))?;
        Ok(Self { stream, readable: false, full: false })
    }

    /// Waits until there is input, if it is wanted, and at most this long
    pub fn wait(&mut self, read: bool, patience: Duration) -> io::Result<()> {
        if read {
            self.readable = self.peek(patience)?;
        } else {
            thread::sleep(patience);
        }
        self.full &= self.readable;
        Ok(())
    }

    fn peek(&self, patience: Duration) -> io::Result<bool> {
        // As a timeout, zero would stand for none at all.
        let at_once = patience.is_zero();
        if at_once {
            self.stream.set_nonblocking(true)?;
        } else {
            self.stream.set_read_timeout(Some(patience))?;
        }
        let result = self.stream.peek(&mut [0]);
        if at_once {
            self.stream.set_nonblocking(false)?;
        }
        // Other errors are left to the read.
        Ok(!result.is_err_and(|error| is_transient(&error)))
    }
}

impl Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if std::mem::take(&mut self.readable) { self.stream.read(buffer) } else { Err(ErrorKind::WouldBlock.into()) }
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.full {
            return Err(ErrorKind::WouldBlock.into());
        }
        let result = self.stream.write(bytes);
        self.full = !matches!(result, Ok(len) if len == bytes.len());
        result.map_err(|error| if is_transient(&error) { ErrorKind::WouldBlock.into() } else { error })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
