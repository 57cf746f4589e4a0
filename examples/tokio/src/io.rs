//! How a protocol sends and receives

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use devp2p_proto::ProtocolError;
use futures_core::Stream;
use futures_sink::Sink;

use crate::message::{Message, RawMessage};
use crate::queue::{Gone, Reader, Writer};

/// Both directions of a protocol: a [`Stream`] of the peer's messages and a [`Sink`] for our own
///
/// Each direction has a queue that is bounded in bytes. While the queue of received messages is full, the link takes no
/// input; while that of sent messages is full, [`send`](Self::send) waits. A protocol that drops both halves has
/// finished.
#[derive(Debug)]
pub struct Io<M = RawMessage> {
    sender: Sender<M>,
    receiver: Receiver<M>,
}

/// The half of an [`Io`] that sends
pub struct Sender<M = RawMessage> {
    writer: Writer,
    message: PhantomData<fn(M)>,
}

/// The half of an [`Io`] that receives
pub struct Receiver<M = RawMessage> {
    reader: Reader,
    message: PhantomData<fn() -> M>,
}

/// The link has ended, or the sender was closed
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

impl<M: Message> Io<M> {
    pub(crate) const fn new(writer: Writer, reader: Reader) -> Self {
        Self { sender: Sender { writer, message: PhantomData }, receiver: Receiver { reader, message: PhantomData } }
    }

    /// The same queues, for messages of another type
    pub fn cast<N: Message>(self) -> Io<N> {
        Io::new(self.sender.writer, self.receiver.reader)
    }

    /// Both halves, for two futures that send and receive at the same time
    pub fn split(self) -> (Sender<M>, Receiver<M>) {
        (self.sender, self.receiver)
    }

    /// As [`Sender::send`]
    ///
    /// # Errors
    /// As for [`Sender::send`].
    pub async fn send(&mut self, message: M) -> Result<(), Closed> {
        self.sender.send(message).await
    }

    /// As [`Receiver::recv`]
    ///
    /// # Errors
    /// As for [`Receiver::recv`].
    pub async fn recv(&mut self) -> Result<Option<M>, ProtocolError> {
        self.receiver.recv().await
    }
}

impl<M: Message> Sender<M> {
    /// Sends a message as soon as there is room for it
    ///
    /// If the future is dropped before it is ready, the message is not sent. Otherwise all of it is sent, after the
    /// messages before it. A message that the link can never send, because of its code or its length, ends the link.
    ///
    /// # Errors
    /// [`Closed`] when the link has ended.
    pub async fn send(&mut self, message: M) -> Result<(), Closed> {
        let mut message = Some(message.into_raw());
        poll_fn(|context| self.writer.poll_push(&mut message, context.waker())).await.map_err(|Gone| Closed)
    }
}

impl<M: Message> Receiver<M> {
    /// The next message; `None` when the link has ended
    ///
    /// No message is lost if the future is dropped before it is ready.
    ///
    /// # Errors
    /// The error of [`Message::from_raw`] for this message.
    pub async fn recv(&mut self) -> Result<Option<M>, ProtocolError> {
        poll_fn(|context| self.poll_recv(context)).await.transpose()
    }

    fn poll_recv(&mut self, context: &Context<'_>) -> Poll<Option<Result<M, ProtocolError>>> {
        self.reader.poll_next(context.waker()).map(|raw| raw.map(M::from_raw))
    }
}

impl<M: Message> Stream for Receiver<M> {
    type Item = Result<M, ProtocolError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_recv(context)
    }
}

/// A message that was accepted is sent without a flush, so flushing does nothing
impl<M: Message> Sink<M> for Sender<M> {
    type Error = Closed;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        Poll::Ready(ready!(self.writer.poll_ready(context.waker())).map_err(|Gone| Closed))
    }

    fn start_send(self: Pin<&mut Self>, message: M) -> Result<(), Closed> {
        self.writer.push(message.into_raw()).map_err(|Gone| Closed)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        self.writer.close();
        Poll::Ready(Ok(()))
    }
}

impl<M: Message> Stream for Io<M> {
    type Item = Result<M, ProtocolError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.get_mut().receiver).poll_next(context)
    }
}

impl<M: Message> Sink<M> for Io<M> {
    type Error = Closed;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        Pin::new(&mut self.get_mut().sender).poll_ready(context)
    }

    fn start_send(self: Pin<&mut Self>, message: M) -> Result<(), Closed> {
        Pin::new(&mut self.get_mut().sender).start_send(message)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        Pin::new(&mut self.get_mut().sender).poll_flush(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        Pin::new(&mut self.get_mut().sender).poll_close(context)
    }
}

impl<M> fmt::Debug for Sender<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl<M> fmt::Debug for Receiver<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the link has ended")
    }
}

impl Error for Closed {}

/// A protocol may return this error: the link already has its cause
impl From<Closed> for ProtocolError {
    fn from(Closed: Closed) -> Self {
        Self::Other
    }
}
