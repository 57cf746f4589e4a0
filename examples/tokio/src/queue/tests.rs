//! Both ends of a queue in two threads; under `loom` in every order of events

use std::future::poll_fn;

use super::*;

#[cfg(devp2p_loom)]
use loom::{future::block_on, model, thread};
#[cfg(not(devp2p_loom))]
use std::thread;

/// Without `loom` there is one schedule, which the system chooses
#[cfg(not(devp2p_loom))]
fn model(test: impl Fn() + Sync + Send + 'static) {
    test();
}

#[cfg(not(devp2p_loom))]
fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// What a message without a payload takes
const EMPTY: usize = Outbox::OVERHEAD;

fn message(code: u64) -> RawMessage {
    RawMessage::new(code, "")
}

async fn push(writer: &Writer, code: u64) -> Result<(), Gone> {
    let mut message = Some(message(code));
    poll_fn(|context| writer.poll_push(&mut message, context.waker())).await
}

async fn next(reader: &mut Reader) -> Option<u64> {
    poll_fn(|context| reader.poll_next(context.waker())).await.map(|message| message.code)
}

/// In every order of events, a writer that waits for room and a reader that waits for messages both finish
#[test]
fn nobody_is_left_waiting() {
    model(|| {
        let (writer, mut reader) = queue(EMPTY);
        let writing = thread::spawn(move || {
            block_on(async {
                for code in 0..2 {
                    push(&writer, code).await.unwrap();
                }
            });
        });
        block_on(async {
            assert_eq!(next(&mut reader).await, Some(0));
            assert_eq!(next(&mut reader).await, Some(1));
            assert_eq!(next(&mut reader).await, None);
        });
        writing.join().unwrap();
    });
}

/// A writer that waits for room learns that the reader is gone
#[test]
fn a_reader_that_goes_ends_a_wait() {
    model(|| {
        let (writer, reader) = queue(EMPTY);
        let writing = thread::spawn(move || block_on(async { (push(&writer, 0).await, push(&writer, 1).await) }));
        drop(reader);
        let (_, second) = writing.join().unwrap();
        assert_eq!(second, Err(Gone));
    });
}

/// What is read makes room before all of the batch is read: an eighth of the limit at a time
#[cfg(not(devp2p_loom))]
#[test]
fn what_is_read_makes_room() {
    let waker = Waker::noop();
    let (writer, mut reader) = queue(16 * EMPTY);
    for code in 0..16 {
        writer.push(message(code)).unwrap();
    }
    let mut next = Some(message(16));
    for code in 0..2 {
        assert_eq!(reader.poll_next(waker), Poll::Ready(Some(message(code))));
        assert!(writer.poll_push(&mut next, waker).is_pending(), "after {code}");
    }
    assert_eq!(reader.poll_next(waker), Poll::Ready(Some(message(2))));
    assert!(writer.poll_push(&mut next, waker).is_ready() && next.is_none());
    writer.close();
    for code in 3..17 {
        assert_eq!(reader.poll_next(waker), Poll::Ready(Some(message(code))));
    }
    assert_eq!(reader.poll_next(waker), Poll::Ready(None));
}

/// Even a queue without any room takes one message when all are read
#[cfg(not(devp2p_loom))]
#[test]
fn an_empty_queue_takes_a_message() {
    let waker = Waker::noop();
    let (writer, mut reader) = queue(0);
    for code in 0..3 {
        let mut message = Some(message(code));
        assert!(writer.poll_push(&mut message, waker).is_ready());
        assert!(writer.poll_ready(waker).is_pending());
        assert!(reader.poll_next(waker).is_ready());
        assert!(reader.poll_next(waker).is_pending());
    }
}
