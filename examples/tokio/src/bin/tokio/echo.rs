//! The protocols of this node, written as tasks

use std::sync::{Arc, Mutex, PoisonError};

use devp2p_drivers::app::{Hearing, Report, Speech, Summary};
use devp2p_proto::{Action, Instant, ProtocolError, Ready};
use devp2p_tokio::drive::Service;
use devp2p_tokio::protocols::{Handle, Protocols, Reader, Writer};
use tokio::sync::Barrier;
use tokio::time::sleep;
use tokio::try_join;

/// What all protocols of one link share
#[derive(Clone)]
pub struct Echo {
    report: Report,
    summary: Arc<Mutex<Summary>>,
}

impl Echo {
    pub fn new(report: Report) -> Self {
        Self { report, summary: Arc::default() }
    }

    async fn run(
        self,
        mut handle: Handle,
        mut speech: Speech,
        mut hearing: Hearing,
        finish: Arc<Barrier>,
    ) -> Result<(), ProtocolError> {
        let outcome = match hearing.echoes() {
            true => self.echo(&mut handle, &mut hearing).await,
            false => {
                let (reader, writer) = handle.split();
                try_join!(say(&mut speech, writer), self.hear(&mut hearing, reader)).map(|_| ())
            }
        };
        self.summary.lock().unwrap_or_else(PoisonError::into_inner).add(&speech, &hearing);
        outcome?;
        if self.report.parts() {
            finish.wait().await;
        } else if handle.read().await.is_some() {
            return Err(ProtocolError::BadMessage);
        }
        Ok(())
    }

    /// Sends back what comes until the link has ended
    async fn echo(&self, handle: &mut Handle, hearing: &mut Hearing) -> Result<(), ProtocolError> {
        while let Some(message) = handle.read().await {
            self.work().await;
            if let Some(answer) = hearing.hear(message)? {
                handle.write(answer).await?;
            }
        }
        Ok(())
    }

    /// Takes messages until all have come or the link has ended
    async fn hear(&self, hearing: &mut Hearing, reader: &mut Reader) -> Result<(), ProtocolError> {
        while !hearing.is_complete() {
            let Some(message) = reader.read().await else {
                break;
            };
            self.work().await;
            hearing.hear(message)?;
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

impl Service for Echo {
    fn now(&self) -> Instant {
        self.report.node().now()
    }

    fn start(&self, ready: &Ready<'_>, protocols: &mut Protocols) {
        // The link ends with the first protocol that does, so each waits for all.
        let finish = Arc::new(Barrier::new(ready.shared().count()));
        for shared in ready.shared() {
            let (speech, hearing) = self.report.talk(&shared);
            let (echo, finish) = (self.clone(), Arc::clone(&finish));
            protocols.start(shared.protocol, |handle| echo.run(handle, speech, hearing, finish));
        }
    }

    fn note(&self, action: &Action<'_>) {
        self.report.note_action(action);
    }
}

async fn say(speech: &mut Speech, writer: &Writer) -> Result<(), ProtocolError> {
    for message in speech {
        writer.write(message).await?;
    }
    Ok(())
}
