//! Writing a journal

use std::fs::File;
use std::io::{self, BufWriter, Write};

use devp2p_proto::{Event, Instant, ProtocolError};
use rlp::RlpStream;

use super::{END, EVENT, MAGIC, Outcome, POLLED, Polled, Setup};
use crate::new_file::new_file;

/// A journal that is being written
///
/// The first failure to write ends it, and is told by [`Journal::finish`]: the link goes on.
pub struct Journal {
    file: BufWriter<File>,
    outcome: io::Result<()>,
}

impl Journal {
    /// A new file that only its owner can read; an existing one is never written over
    pub fn create(path: &str, setup: &Setup) -> io::Result<Self> {
        let mut journal = Self { file: new_file(path)?, outcome: Ok(()) };
        journal.file.write_all(MAGIC)?;
        journal.put(|stream| setup.append(stream));
        Ok(journal)
    }

    pub fn event(&mut self, now: Instant, event: Event<'_>, outcome: &Outcome) {
        self.put(|stream| {
            stream.begin_unbounded_list();
            stream.append(&EVENT).append(&now.as_nanos());
            write_event(stream, event);
            stream.append(&outcome.0);
            stream.finalize_unbounded_list();
        });
    }

    pub fn polled(&mut self, polled: &Polled) {
        self.put(|stream| match &polled.bytes {
            None => {
                stream.begin_list(2).append(&POLLED).append(&polled.text);
            }
            Some((len, digest)) => {
                stream.begin_list(4).append(&POLLED).append(&polled.text).append(len).append(&&digest[..]);
            }
        });
    }

    /// Completes the file
    pub fn finish(mut self) -> io::Result<()> {
        self.put(|stream| {
            stream.begin_list(1).append(&END);
        });
        self.outcome?;
        self.file.flush()
    }

    fn put(&mut self, item: impl FnOnce(&mut RlpStream)) {
        if self.outcome.is_ok() {
            let mut stream = RlpStream::new();
            item(&mut stream);
            self.outcome = self.file.write_all(&stream.out());
        }
    }
}

/// The event's number and what belongs to it
fn write_event(stream: &mut RlpStream, event: Event<'_>) {
    match event {
        Event::Receive(bytes) => stream.append(&0_u8).append(&bytes),
        Event::ReceiveClosed => stream.append(&1_u8),
        Event::HoldInput(held) => stream.append(&2_u8).append(&held),
        Event::Timeout => stream.append(&3_u8),
        Event::Write { protocol, code, payload } => {
            stream.append(&4_u8).append(&(protocol.0 as u64)).append(&code).append(&payload)
        }
        Event::Ping => stream.append(&5_u8),
        Event::Sent(len) => stream.append(&6_u8).append(&(len as u64)),
        Event::SendFailed => stream.append(&7_u8),
        Event::ProtocolReturned(protocol, outcome) => {
            stream.append(&8_u8).append(&(protocol.0 as u64));
            match outcome {
                Ok(()) => stream.begin_list(0),
                Err(ProtocolError::BadMessage) => stream.append(&0_u8),
                Err(ProtocolError::Other) => stream.append(&1_u8),
                Err(ProtocolError::Reason(reason)) => stream.begin_list(1).append(&reason.code()),
                Err(_) => stream.append(&u8::MAX),
            }
        }
        Event::Disconnect(reason) => stream.append(&9_u8).append(&reason.code()),
        // The types may grow; a number that no reader knows is better than a journal that lies.
        _ => stream.append(&u8::MAX),
    };
}
