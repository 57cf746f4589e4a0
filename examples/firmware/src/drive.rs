//! The driver's loop, the same for every transport

use core::ops::ControlFlow;

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

    /// Sleeps until something of what is awaited may be there, or time has passed
    fn wait(&mut self, awaited: Awaited);
}

/// What a driver waits for, besides time
#[derive(Debug, Clone, Copy)]
pub struct Awaited {
    /// Bytes from the peer; not while the link takes none, or what has come would wake the driver at once
    pub input: bool,
    /// Room for bytes to the peer
    pub room: bool,
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

    /// Called when a message was skipped that had `wire_len` bytes on the wire
    fn skip(&mut self, _wire_len: usize) {}

    /// Whether no further message can be taken
    fn is_full(&self) -> bool;

    /// Says what there is to say, as far as there is room; returns whether anything was said
    ///
    /// Called in every turn, so again after `Writable` for what the link has refused.
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
        handle_due(link, now);
        // 2. What the application wants.
        let said = application.advance(link, now);
        // 3. What the link asks for.
        let acted = match carry_out(link, now, application) {
            ControlFlow::Continue(acted) => acted,
            ControlFlow::Break(cause) => return cause,
        };
        // 4. What is to be sent, and what has come.
        let sent = send(link, transport, now);
        let received = link.wants_input() && receive(link, transport, now);
        // 5. Nothing: sleep.
        if !(said || acted || sent || received) {
            transport.wait(Awaited { input: link.wants_input(), room: !link.unsent().is_empty() });
        }
    }
}

/// Tells the link of time that has passed, if it waits for that
pub(crate) fn handle_due(link: &mut PeerState<'_>, now: Instant) {
    if link.next_timeout().is_some_and(|due| due <= now) {
        if let Some(timer) = link.next_timer() {
            defmt::debug!("due: {}", timer);
        }
        link.handle_timeout(now);
    }
}

/// Does what the link asks for, up to what is to be sent; returns whether there was anything, or how the link ended
///
/// While the application has no room for a message, the link keeps the next one and goes on with the rest.
pub(crate) fn carry_out(
    link: &mut PeerState<'_>,
    now: Instant,
    application: &mut impl Application,
) -> ControlFlow<Cause, bool> {
    let mut acted = false;
    loop {
        link.hold_input(now, application.is_full());
        match link.poll() {
            Some(Action::IdentityClaimed(id)) => defmt::info!("peer claims to be {}", id),
            Some(Action::Ready(ready)) => {
                defmt::info!("peer says {}", ready.hello());
                for shared in ready.shared() {
                    defmt::info!("shared: {}", shared);
                }
                application.begin(now, ready);
            }
            Some(Action::Deliver { protocol, code, payload }) => {
                defmt::trace!("{}: code {=u64}, {}", protocol, code, payload);
                application.deliver(protocol, code, &payload);
            }
            Some(Action::Skipped { protocol, code, size, wire_len }) => {
                defmt::info!(
                    "skipped: {}, code {=u64}, {=usize} bytes by its claim, {=usize} bytes on the wire",
                    protocol,
                    code,
                    size,
                    wire_len
                );
                application.skip(wire_len);
            }
            Some(Action::Disconnect(cause)) => return ControlFlow::Break(cause),
            Some(Action::Send(_)) | None => return ControlFlow::Continue(acted),
            Some(_) => {}
        }
        acted = true;
    }
}

/// Returns whether anything left
fn send(link: &mut PeerState<'_>, transport: &mut impl Transport, now: Instant) -> bool {
    if link.unsent().is_empty() {
        return false;
    }
    match transport.write(link.unsent()) {
        Ok(len) => {
            // Only more than was offered would be refused.
            _ = link.sent(now, len);
            len > 0
        }
        Err(Broken) => {
            link.send_failed(now);
            true
        }
    }
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
