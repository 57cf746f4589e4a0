//! The task of one link

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use devp2p_proto::{Cause, Connection, Instant, Link, Notice, Out, SharedProtocol, Timeouts, Turn};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::alarm::Alarm;
use crate::bell::Bell;
use crate::contained::Run;
use crate::control::{Command, Commands};
use crate::ending::{Ending, GRACE};
use crate::io::Io;
use crate::message::RawMessage;
use crate::running::Running;
use crate::stream::{Attempt, poll_flush, with_buffer};

/// The default limit of each queue of a protocol, in bytes
pub const QUEUE: usize = 128 * 1024;
/// How many turns a link takes at most before other tasks run
const TURNS: usize = 8;

/// What runs on a link
///
/// `L` is the link: a [`PeerState`](devp2p_proto::PeerState), or a wrapper that sees all events and actions.
pub trait Host<L> {
    /// Sees each notice of the link before anything else is done with it; this is the place to refuse a peer
    fn note(&mut self, notice: &Notice, out: &mut Out<'_, L>);

    /// Starts a protocol that both nodes have
    fn start(&mut self, shared: SharedProtocol, io: Io) -> Run;

    /// Learns why the link ends, once, as soon as that is known; the protocols still run
    fn ending(&mut self, _: Cause) {}
}

/// One link, its stream and its protocols, as a future that is ready when all of them have ended
///
/// [`Node`](crate::Node) makes its drivers by itself. Use a `Driver` directly for links that are not plain
/// `PeerState`s. The protocols are polled by this future, too, so a message needs no switch of tasks, and dropping the
/// future ends everything at once. The future needs the timer of a `tokio` runtime.
pub struct Driver<L, S, H> {
    connection: Connection<L>,
    stage: Stage<S>,
    host: H,
    running: Running,
    commands: Commands,
    alarm: Alarm,
    bell: Arc<Bell>,
    /// Rings the bell
    waker: Waker,
    queue: usize,
    closing: Duration,
}

enum Stage<S> {
    Open {
        stream: S,
        /// Whether the stream may still hold bytes that were written
        unflushed: bool,
        /// Whether the protocols and the host know that the link has a cause to end
        ending: bool,
    },
    /// The link has ended
    /// In a box, since most links have not ended
    Over(Box<Ending<S>>),
}

impl<L: Link, S, H: Host<L>> Driver<L, S, H> {
    /// A driver for a link that was made at the time `now`
    pub fn new(now: Instant, link: L, stream: S, host: H, commands: Commands) -> Self {
        let bell = Bell::new();
        Self {
            // No message waits in the connection, since the protocols have queues of their own.
            connection: Connection::new(link, 0),
            stage: Stage::Open { stream, unflushed: false, ending: false },
            host,
            running: Running::default(),
            commands,
            alarm: Alarm::new(now),
            waker: Waker::from(Arc::clone(&bell)),
            bell,
            queue: QUEUE,
            closing: Timeouts::default().write,
        }
    }

    /// Sets the limit of each queue of a protocol, in bytes; there are two queues for each protocol
    ///
    /// A message is taken while any room is left, so a queue holds at most its limit and one more message.
    #[must_use]
    pub fn with_queue(self, bytes: usize) -> Self {
        Self { queue: bytes, ..self }
    }

    /// Sets how long the stream may take to be closed after the end of the link; 20 s by default
    ///
    /// A stream with a buffer may still hold the link's last messages then.
    #[must_use]
    pub fn with_closing(self, limit: Duration) -> Self {
        Self { closing: limit, ..self }
    }

    /// The link or its wrapper, and the host
    pub fn into_parts(self) -> (L, H) {
        (self.connection.into_inner(), self.host)
    }

    fn obey(&mut self, context: &mut Context<'_>) {
        while let Poll::Ready(Some(command)) = self.commands.0.poll_recv(context) {
            match command {
                Command::Disconnect(reason) => self.connection.out(self.alarm.now()).disconnect(reason),
                Command::Inspect(look) => look(self.connection.link()),
            }
        }
    }
}

impl<L: Link, S: AsyncRead + AsyncWrite + Unpin, H: Host<L>> Driver<L, S, H> {
    /// Polls the protocols, and gives the connection its turn
    fn turn(&mut self, context: &mut Context<'_>) -> Turn {
        self.heed();
        let Self { connection, stage, host, running, alarm, waker, queue, .. } = self;
        let Stage::Open { stream, unflushed, .. } = stage else {
            return Turn::Wait { read: false, write: false };
        };
        let now = alarm.now();
        running.proceed(&mut Context::from_waker(waker), now, connection.get_mut());
        let mut attempt = Attempt { stream, context, unflushed };
        let turn = with_buffer(|buffer| {
            connection.turn(now, &mut attempt, buffer, |notice, out| {
                host.note(&notice, out);
                match notice {
                    Notice::Ready if out.link().cause().is_none() => {
                        let shared: Vec<_> = out.link().shared().collect();
                        running.start(&shared, *queue, |shared, io| host.start(shared, io));
                        waker.wake_by_ref();
                    }
                    Notice::Message { protocol, code, payload } => {
                        running.take(protocol, RawMessage { code, payload }, waker, out);
                    }
                    Notice::Writable(protocol) => {
                        running.writable(protocol);
                        waker.wake_by_ref();
                    }
                    _ => {}
                }
            })
        });
        self.heed();
        turn
    }

    /// Tells the protocols and the host as soon as the link has a cause to end
    fn heed(&mut self) {
        if let Stage::Open { ending: ending @ false, .. } = &mut self.stage
            && let Some(cause) = self.connection.link().cause()
        {
            *ending = true;
            self.running.close();
            self.host.ending(cause);
        }
    }

    /// Takes turns until there is nothing to do
    fn run(&mut self, context: &mut Context<'_>) -> Poll<Cause> {
        for _ in 0..TURNS {
            match self.turn(context) {
                Turn::Ended(cause) => {
                    self.end(cause);
                    return self.finish(context);
                }
                Turn::Again => _ = self.bell.look(),
                Turn::Wait { .. } if self.bell.look() => {}
                Turn::Wait { .. } => ready!(self.wait(context)),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Flushes the stream, and waits for the link's next timeout
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Stage::Open { stream, unflushed: unflushed @ true, .. } = &mut self.stage {
            // If the stream has failed, the next write fails, too.
            *unflushed = poll_flush(stream, context).is_pending();
        }
        self.connection.link().next_timeout().map_or(Poll::Pending, |at| self.alarm.poll(at, context))
    }

    fn end(&mut self, cause: Cause) {
        let ending = Ending {
            cause,
            stream: None,
            close_by: self.alarm.after(self.closing),
            runs: self.running.take_leaving(),
            return_by: self.alarm.after(GRACE),
        };
        if let Stage::Open { stream, .. } = mem::replace(&mut self.stage, Stage::Over(Box::new(ending)))
            && let Stage::Over(ending) = &mut self.stage
        {
            ending.stream = Some(stream);
        }
    }

    /// Waits for the protocols, and for the stream
    fn finish(&mut self, context: &mut Context<'_>) -> Poll<Cause> {
        let Stage::Over(ending) = &mut self.stage else {
            return Poll::Pending;
        };
        ending.poll(&mut self.alarm, &mut Context::from_waker(&self.waker), context)
    }
}

impl<L, S, H> Future for Driver<L, S, H>
where
    L: Link + Unpin,
    S: AsyncRead + AsyncWrite + Unpin,
    H: Host<L> + Unpin,
{
    type Output = Cause;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Cause> {
        let this = self.get_mut();
        this.bell.enter(context.waker());
        this.obey(context);
        this.running.rotate();
        let cause = match this.stage {
            Stage::Open { .. } => this.run(context),
            Stage::Over(_) => this.finish(context),
        };
        this.bell.leave();
        cause
    }
}
