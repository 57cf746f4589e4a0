//! TCP as a transport, by smoltcp

use core::time::Duration;

use devp2p_proto::Instant;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet, SocketStorage};
use smoltcp::phy::Device;
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr, Ipv4Address};

use crate::clock::Clock;
use crate::drive::{Awaited, Broken, Transport};

/// Larger than two messages of 1 KiB in frames, so that one travels while the other is read
const BUFFER: usize = 2048;
/// How long a connection may take to come about, and to end
const CONNECT: Duration = Duration::from_secs(10);
const HANG_UP: Duration = Duration::from_secs(1);
/// How long somebody may take who has begun to connect
const HALF_OPEN: Duration = Duration::from_secs(5);
/// Ports for our end (RFC 6335, 6)
const FIRST_LOCAL_PORT: u16 = 49152;

/// A network controller
pub trait Controller: Device {
    /// Sleeps until a frame may have come, or time has passed
    fn wait(&mut self);
}

/// Buffers of the one socket
pub struct Storage {
    socket: [SocketStorage<'static>; 1],
    receive: [u8; BUFFER],
    transmit: [u8; BUFFER],
}

impl Storage {
    pub const fn new() -> Self {
        Self { socket: [SocketStorage::EMPTY], receive: [0; BUFFER], transmit: [0; BUFFER] }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self::new()
    }
}

/// One TCP connection after the other
pub struct Tcp<'a, C> {
    controller: &'a mut C,
    interface: Interface,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
    local_port: u16,
    now: smoltcp::time::Instant,
}

impl<'a, C: Controller> Tcp<'a, C> {
    /// A node in a network of 24 bits; `seed` is random
    #[inline(never)]
    pub fn new(
        controller: &'a mut C,
        hardware: [u8; 6],
        address: Ipv4Address,
        storage: &'static mut Storage,
        seed: u64,
    ) -> Self {
        let mut config = Config::new(EthernetAddress(hardware).into());
        config.random_seed = seed;
        let now = smoltcp::time::Instant::ZERO;
        let mut interface = Interface::new(config, controller, now);
        interface.update_ip_addrs(|addresses| {
            // There is room for one.
            _ = addresses.push(IpCidr::new(IpAddress::Ipv4(address), 24));
        });
        let mut socket =
            Socket::new(SocketBuffer::new(&mut storage.receive[..]), SocketBuffer::new(&mut storage.transmit[..]));
        // Messages are complete when they are written: there is nothing to wait for.
        socket.set_nagle_enabled(false);
        socket.set_ack_delay(None);
        let mut sockets = SocketSet::new(&mut storage.socket[..]);
        let handle = sockets.add(socket);
        // Ports are not used again soon, not even after a reset.
        let local_port = FIRST_LOCAL_PORT | seed as u16;
        Self { controller, interface, sockets, handle, local_port, now }
    }

    /// Connects to a port
    pub fn dial(&mut self, clock: &mut Clock, to: (Ipv4Address, u16)) -> Result<(), Broken> {
        self.local_port = self.local_port.checked_add(1).unwrap_or(FIRST_LOCAL_PORT);
        let local_port = self.local_port;
        let socket = self.sockets.get_mut::<Socket<'_>>(self.handle);
        socket.connect(self.interface.context(), to, local_port).map_err(|_| Broken)?;
        let begun = clock.now();
        self.wait_until(clock, |state, now| match state {
            State::SynSent | State::SynReceived if now.saturating_since(begun) < CONNECT => None,
            State::Established | State::CloseWait => Some(Ok(())),
            _ => Some(Err(Broken)),
        })
    }

    /// Waits for somebody to connect to a port
    ///
    /// Who begins to connect and does not go on is given up after a few seconds, and the next is waited for: there is
    /// one socket, which one packet with a false sender would otherwise take for ever.
    pub fn accept(&mut self, clock: &mut Clock, port: u16) -> Result<(), Broken> {
        self.socket().set_timeout(Some(HALF_OPEN.into()));
        let accepted = self.accept_in_time(clock, port);
        self.socket().set_timeout(None); // the link has timeouts of its own
        accepted
    }

    fn accept_in_time(&mut self, clock: &mut Clock, port: u16) -> Result<(), Broken> {
        loop {
            self.socket().listen(port).map_err(|_| Broken)?;
            let waits = |state| matches!(state, State::Listen | State::SynReceived);
            match self.wait_until(clock, |state, _| (!waits(state)).then_some(state)) {
                State::Established | State::CloseWait => return Ok(()),
                State::Closed => defmt::info!("a connection was begun and not completed"),
                _ => return Err(Broken),
            }
        }
    }

    /// Ends the connection, whatever state it is in
    ///
    /// What is still to be sent gets a moment for it. Then the socket is made ready for the next
    /// connection, where it would rather wait for stray segments (RFC 9293, 3.3.2, TIME-WAIT); the
    /// next has another port for that.
    pub fn hang_up(&mut self, clock: &mut Clock) {
        self.socket().close();
        let begun = clock.now();
        self.wait_until(clock, |state, now| {
            let ended = matches!(state, State::Closed | State::TimeWait | State::Listen);
            (ended || now.saturating_since(begun) >= HANG_UP).then_some(())
        });
        self.socket().abort();
        self.advance(clock.now());
    }

    /// Does nothing for a while
    pub fn pause(&mut self, clock: &mut Clock, duration: Duration) {
        let begun = clock.now();
        self.wait_until(clock, |_, now| (now.saturating_since(begun) >= duration).then_some(()));
    }

    fn wait_until<T>(&mut self, clock: &mut Clock, mut check: impl FnMut(State, Instant) -> Option<T>) -> T {
        loop {
            let now = clock.now();
            self.advance(now);
            if let Some(result) = check(self.socket().state(), now) {
                return result;
            }
            self.sleep();
        }
    }

    /// A segment that has to be sent again may be late by a round of the clock.
    fn sleep(&mut self) {
        let due = self.interface.poll_at(self.now, &self.sockets);
        if due.is_none_or(|due| due > self.now) {
            self.controller.wait();
        }
    }

    fn socket(&mut self) -> &mut Socket<'static> {
        self.sockets.get_mut(self.handle)
    }
}

impl<C: Controller> Transport for Tcp<'_, C> {
    fn advance(&mut self, now: Instant) {
        self.now = smoltcp::time::Instant::from_millis(now.as_millis() as i64);
        self.interface.poll(self.now, self.controller, &mut self.sockets);
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        let socket = self.socket();
        if socket.may_send() { socket.send_slice(bytes).map_err(|_| Broken) } else { Err(Broken) }
    }

    fn read(&mut self, take: impl FnOnce(&[u8]) -> usize) -> Result<usize, Broken> {
        let socket = self.socket();
        if !socket.may_recv() {
            return Err(Broken);
        }
        if !socket.can_recv() {
            return Ok(0);
        }
        let taken = socket.recv(|bytes| {
            let taken = take(bytes);
            (taken, taken)
        });
        taken.map_err(|_| Broken)
    }

    /// Bytes that have come and are not taken wake nobody: a frame does.
    fn wait(&mut self, _: Awaited) {
        self.sleep();
    }
}
