//! The driver's loop in asynchronous form, over the traits of `embedded-io-async`

use core::cell::Cell;
use core::future::{pending, poll_fn};
use core::ops::ControlFlow;
use core::task::{Context, Poll, Waker};

use critical_section::Mutex;
use devp2p_proto::{Cause, PeerState};
use embassy_futures::select::{Either3, select3};
use embedded_io_async::{Read, Write};

use crate::clock::{Clock, round};
use crate::drive::{Application, carry_out, handle_due};

/// Runs a link to its end over a stream's two halves
///
/// Of both halves nothing is asked but that a call which is given up has moved no bytes, as is so for
/// UARTs with a buffer and for the sockets of embassy-net.
pub async fn drive(
    link: &mut PeerState<'_>,
    reader: &mut impl Read,
    writer: &mut impl Write,
    clock: &mut Clock,
    application: &mut impl Application,
) -> Cause {
    let mut buffer = [0; 64];
    let (mut start, mut end) = (0, 0);
    loop {
        let now = clock.now();
        // 1. What has become due.
        handle_due(link, now);
        // 2. What the application wants.
        let said = application.advance(link, now);
        // 3. What the link asks for.
        let acted = match carry_out(link, now, application) {
            ControlFlow::Continue(acted) => acted,
            ControlFlow::Break(cause) => return cause,
        };
        // 4. What has come.
        let taken = if link.wants_input() { link.receive(now, &buffer[start..end]) } else { 0 };
        start += taken;
        // Each turn that was busy has used up something: bytes of the buffer, or room in the link.
        if (said || acted || taken > 0) && (link.unsent().is_empty() || start < end) {
            continue;
        }
        // 5. Wait for the stream, or for time to pass.
        let (unsent, reads) = (link.unsent(), start == end && link.wants_input());
        let write = async { if unsent.is_empty() { pending().await } else { writer.write(unsent).await } };
        let read = async { if reads { reader.read(&mut buffer).await } else { pending().await } };
        match select3(write, read, round()).await {
            // Only more than was offered would be refused.
            Either3::First(Ok(len)) => _ = link.sent(now, len),
            Either3::First(Err(_)) => link.send_failed(now),
            Either3::Second(Ok(len @ 1..)) => (start, end) = (0, len),
            Either3::Second(_) => link.receive_closed(now),
            Either3::Third(()) => {}
        }
    }
}

/// What an interrupt's handler tells the one task that waits for it
pub struct Signal(Mutex<Cell<Option<Waker>>>);

impl Signal {
    pub const fn new() -> Self {
        Self(Mutex::new(Cell::new(None)))
    }

    /// Wakes the task
    pub fn raise(&self) {
        if let Some(waker) = critical_section::with(|token| self.0.borrow(token).take()) {
            waker.wake();
        }
    }

    /// Waits until `check` finds something; it looks now, and after each time that the signal is raised
    pub async fn wait<T>(&self, mut check: impl FnMut() -> Option<T>) -> T {
        poll_fn(|context: &mut Context<'_>| {
            // First the waker, then the look: what happens in between wakes.
            self.register(context.waker());
            check().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Names the task that is to be woken next time
    pub fn register(&self, waker: &Waker) {
        critical_section::with(|token| self.0.borrow(token).set(Some(waker.clone())));
    }
}

impl Default for Signal {
    fn default() -> Self {
        Self::new()
    }
}
