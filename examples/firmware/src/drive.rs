//! The driver's loop, the same for every transport

use devp2p_proto::{Action, Cause, Instant, PeerState, ProtocolId, Ready};

use crate::clock::Clock;

/// A byte stream to the peer, of which nothing ever blocks but [`wait`](Self::wait)
pub trait Transport {
    /// Lets what carries the stream do its work; called once in every turn
    fn advance(&mut self, _now: Instant) {}

    /// Takes as many bytes as it can and says how many
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Broken>;

    /// Offers bytes that have come to `take`, which says how many it took; returns that
    ///
    /// Must not be called while the link takes nothing.
    fn read(&mut self, take: impl FnOnce(&[u8]) -> usize) -> Result<usize, Broken>;

    /// Sleeps until there may be something to read, room to write, or time has passed
    ///
    /// `sending` says whether room is waited for.
    fn wait(&mut self, sending: bool);
}

/// The stream has ended
#[derive(Debug, Clone, Copy, defmt::Format)]
pub struct Broken;

/// What a link is there for
pub trait Application {
    /// The protocols that both sides have start
    fn begin(&mut self, now: Instant, ready: Ready<'_>);

    /// Takes a message
    fn deliver(&mut self, protocol: ProtocolId, code: u64, payload: &[u8]);

    /// Whether no further message can be taken
    fn is_full(&self) -> bool;

    /// Says what there is to say, as far as there is room; returns whether anything was said
    fn advance(&mut self, link: &mut PeerState<'_>, now: Instant) -> bool;
}

/// Runs a link to its end
#[inline(never)]
pub fn drive(
    link: &mut PeerState<'_>,
    transport: &mut impl Transport,
    clock: &mut Clock,
    application: &mut impl Application,
) -> Cause {
    loop {
        let now = clock.now();
        transport.advance(now);
        // 1. What has become due.
        if link.next_timeout().is_some_and(|due| due <= now) {
            if let Some(timer) = link.next_timer() {
                defmt::debug!("due: {}", timer);
            }
            link.handle_timeout(now);
        }
        // 2. What the link asks for.
        let sent = match carry_out(link, transport, now, application) {
            Progress::Ended(cause) => return cause,
            Progress::Sent(len) => len > 0,
        };
        // 3. What the application wants.
        let said = application.advance(link, now);
        // 4. What has come. A driver that has no room for a message says so, and reads on later.
        link.hold_input(now, application.is_full());
        let received = !application.is_full() && link.wants_input() && receive(link, transport, now);
        // 5. Nothing: sleep.
        if !(sent || said || received) {
            transport.wait(link.unsent().is_empty() == false);
        }
    }
}

enum Progress {
    Sent(usize),
    Ended(Cause),
}

fn carry_out(
    link: &mut PeerState<'_>,
    transport: &mut impl Transport,
    now: Instant,
    application: &mut impl Application,
) -> Progress {
    let mut sent = 0;
    while let Some(action) = link.poll() {
        match action {
            Action::IdentityClaimed(id) => defmt::info!("peer is {}", id),
            Action::Ready(ready) => {
                defmt::info!("peer says {}", ready.hello());
                for shared in ready.shared() {
                    defmt::info!("shared: {}", shared);
                }
                application.begin(now, ready);
            }
            Action::Deliver { protocol, code, payload } => {
                defmt::trace!("{}: code {=u64}, {}", protocol, code, payload);
                application.deliver(protocol, code, &payload);
                break; // it may have no room for another
            }
            Action::Send(bytes) => match transport.write(bytes) {
                Ok(0) => break,
                Ok(len) => {
                    sent += len;
                    // Only more than was offered would be refused.
                    _ = link.sent(now, len);
                }
                Err(Broken) => link.send_failed(now),
            },
            Action::Disconnect(cause) => return Progress::Ended(cause),
            _ => {}
        }
    }
    Progress::Sent(sent)
}

/// Returns whether anything came
fn receive(link: &mut PeerState<'_>, transport: &mut impl Transport, now: Instant) -> bool {
    match transport.read(|bytes| link.receive(now, bytes)) {
        Ok(len) => len > 0,
        Err(Broken) => {
            link.receive_closed(now);
            true
        }
    }
}
