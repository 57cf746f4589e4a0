//! The protocols of this node, as async functions

use std::sync::{Arc, Mutex, PoisonError};

use devp2p_drivers::app::{Hearing, Message, Report, Speech, Summary};
use devp2p_drivers::link::RecordedLink;
use devp2p_proto::{Notice, Out, ProtocolError, SharedProtocol};
use devp2p_tokio::{Host, Io, RawMessage, Receiver, Run, Sender};
use tokio::sync::Barrier;
use tokio::time::sleep;
use tokio::try_join;

/// What all protocols of one link share
#[derive(Clone)]
pub struct Echo {
    report: Report,
    summary: Arc<Mutex<Summary>>,
    /// The link ends with the first protocol that does, so each waits for all
    finish: Arc<Barrier>,
}

impl Echo {
    pub fn new(report: Report) -> Self {
        Self { report, summary: Arc::default(), finish: Arc::new(Barrier::new(0)) }
    }

    async fn run(self, io: Io, mut speech: Speech, mut hearing: Hearing) -> Result<(), ProtocolError> {
        let (mut sender, mut receiver) = io.split();
        let outcome = match hearing.echoes() {
            true => self.echo(&mut sender, &mut receiver, &mut hearing).await,
            false => try_join!(say(&mut speech, &mut sender), self.hear(&mut hearing, &mut receiver)).map(|_| ()),
        };
        self.summary.lock().unwrap_or_else(PoisonError::into_inner).add(&speech, &hearing);
        outcome?;
        if self.report.parts() {
            self.finish.wait().await;
        } else if receiver.recv().await?.is_some() {
            return Err(ProtocolError::BadMessage);
        }
        Ok(())
    }

    /// Sends back what comes until the link has ended
    async fn echo(
        &self,
        sender: &mut Sender,
        receiver: &mut Receiver,
        hearing: &mut Hearing,
    ) -> Result<(), ProtocolError> {
        while let Some(message) = receiver.recv().await? {
            self.work().await;
            if let Some(Message { code, payload }) = hearing.hear(received(message))? {
                sender.send(RawMessage { code, payload }).await?;
            }
        }
        Ok(())
    }

    /// Takes messages until all have come or the link has ended
    async fn hear(&self, hearing: &mut Hearing, receiver: &mut Receiver) -> Result<(), ProtocolError> {
        while !hearing.is_complete()
            && let Some(message) = receiver.recv().await?
        {
            self.work().await;
            hearing.hear(received(message))?;
        }
        Ok(())
    }

    /// The time that a message takes
    async fn work(&self) {
        if let Some(slow) = self.report.node().options.slow {
            sleep(slow).await;
        }
    }

    pub fn summary(&self) -> Summary {
        *self.summary.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host<RecordedLink> for Echo {
    fn note(&mut self, notice: &Notice, out: &mut Out<'_, RecordedLink>) {
        self.report.note(notice, out.link());
        if matches!(notice, Notice::Ready) {
            self.finish = Arc::new(Barrier::new(out.link().shared().count()));
        }
    }

    fn start(&mut self, shared: SharedProtocol, io: Io) -> Run {
        let (speech, hearing) = self.report.talk(&shared);
        Box::pin(self.clone().run(io, speech, hearing))
    }
}

fn received(RawMessage { code, payload }: RawMessage) -> Message {
    Message { code, payload }
}

async fn say(speech: &mut Speech, sender: &mut Sender) -> Result<(), ProtocolError> {
    for Message { code, payload } in speech {
        sender.send(RawMessage { code, payload }).await?;
    }
    Ok(())
}
