//! The task of one link

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use devp2p_proto::{Cause, Connection, Instant, Link, Notice, Out, SharedProtocol, Turn};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::alarm::Alarm;
use crate::control::{Command, Commands};
use crate::io::Io;
use crate::message::RawMessage;
use crate::running::{Run, Running, poll};
use crate::stream::{Attempt, with_buffer};

/// The default limit of each queue of a protocol, in bytes
pub const QUEUE: usize = 128 * 1024;
/// How long protocols may take to finish after the link has ended
const GRACE: Duration = Duration::from_secs(1);
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
    queue: usize,
}

enum Stage<S> {
    Open {
        stream: S,
        /// Whether the stream may still hold bytes that were written
        unflushed: bool,
    },
    /// The link has ended, and the protocols have until this time to finish
    Over { cause: Cause, runs: Vec<Run>, until: Instant },
}

/// What follows a turn
enum Next {
    Again,
    Wait,
    Over(Cause),
}

impl<L: Link, S, H: Host<L>> Driver<L, S, H> {
    /// A driver for a link that was made at the time `now`
    pub fn new(now: Instant, link: L, stream: S, host: H, commands: Commands) -> Self {
        Self {
            // No message waits in the connection, since the protocols have queues of their own.
            connection: Connection::new(link, 0),
            stage: Stage::Open { stream, unflushed: false },
            host,
            running: Running::default(),
            commands,
            alarm: Alarm::new(now),
            queue: QUEUE,
        }
    }

    /// Sets the limit of each queue of a protocol, in bytes; there are two queues for each protocol
    ///
    /// A message is taken while any room is left, so a queue holds at most its limit and one more message.
    #[must_use]
    pub fn with_queue(self, bytes: usize) -> Self {
        Self { queue: bytes, ..self }
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
    fn turn(&mut self, context: &mut Context<'_>) -> Next {
        let Self { connection, stage, host, running, alarm, queue, .. } = self;
        let Stage::Open { stream, unflushed } = stage else {
            return Next::Wait;
        };
        let now = alarm.now();
        running.proceed(context, now, connection.get_mut());
        let waker = context.waker();
        let mut attempt = Attempt { stream, context, unflushed };
        let turn = with_buffer(|buffer| {
            connection.turn(now, &mut attempt, buffer, |notice, out| {
                host.note(&notice, out);
                match notice {
                    Notice::Ready if out.link().cause().is_none() => {
                        let shared: Vec<_> = out.link().shared().collect();
                        running.start(&shared, *queue, |shared, io| host.start(shared, io));
                    }
                    Notice::Message { protocol, code, payload } => {
                        running.take(protocol, RawMessage { code, payload }, waker, out);
                    }
                    Notice::Writable(protocol) => running.writable(protocol),
                    _ => {}
                }
            })
        });
        match turn {
            Turn::Ended(cause) => Next::Over(cause),
            Turn::Again => Next::Again,
            Turn::Wait { .. } if running.has_progress() => Next::Again,
            Turn::Wait { .. } => Next::Wait,
        }
    }

    /// Flushes the stream, and waits for the link's next timeout
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Stage::Open { stream, unflushed: unflushed @ true } = &mut self.stage {
            // If the stream has failed, the next write fails, too.
            *unflushed = Pin::new(stream).poll_flush(context).is_pending();
        }
        self.connection.link().next_timeout().map_or(Poll::Pending, |at| self.alarm.poll(at, context))
    }

    /// Closes the stream, and lets the protocols know
    fn end(&mut self, cause: Cause, context: &mut Context<'_>) {
        let (runs, until) = (self.running.close(), self.alarm.after(GRACE));
        if let Stage::Open { mut stream, .. } = mem::replace(&mut self.stage, Stage::Over { cause, runs, until }) {
            // Nothing waits for the shutdown to complete: the link has nothing more to send.
            _ = Pin::new(&mut stream).poll_shutdown(context);
        }
    }

    /// Takes turns until there is nothing to do
    fn run(&mut self, context: &mut Context<'_>) -> Poll<Cause> {
        for _ in 0..TURNS {
            match self.turn(context) {
                Next::Over(cause) => {
                    self.end(cause, context);
                    return self.finish(context);
                }
                Next::Again => {}
                Next::Wait => ready!(self.wait(context)),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Waits for the protocols; those that take too long are dropped with the driver
    fn finish(&mut self, context: &mut Context<'_>) -> Poll<Cause> {
        let Stage::Over { cause, runs, until } = &mut self.stage else {
            return Poll::Pending;
        };
        runs.retain_mut(|run| poll(run, context).is_pending());
        if !runs.is_empty() {
            ready!(self.alarm.poll(*until, context));
        }
        Poll::Ready(*cause)
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
        this.obey(context);
        match this.stage {
            Stage::Open { .. } => this.run(context),
            Stage::Over { .. } => this.finish(context),
        }
    }
}
