//! A TCP proxy that stalls until it is told to go on

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

/// A proxy of one connection
pub struct Proxy {
    /// The address to connect to
    pub address: SocketAddr,
    gate: Arc<Gate>,
}

/// How many directions have stalled, and whether they may continue
#[derive(Default)]
struct Gate {
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Gate {
    fn change(&self, change: impl FnOnce(&mut (usize, bool))) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    fn wait_while(&self, condition: impl Fn(&(usize, bool)) -> bool) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(state, |state| condition(state)));
    }
}

impl Proxy {
    /// Waits until both directions have stalled
    pub fn wait_until_stalled(&self) {
        self.gate.wait_while(|(stalled, _)| *stalled < 2);
    }

    pub fn go_on(&self) {
        self.gate.change(|(_, open)| *open = true);
    }
}

/// Carries one connection to `to`, and stalls in each direction after this many bytes
pub fn stalling(to: SocketAddr, after: u64) -> io::Result<Proxy> {
    let gate = Arc::new(Gate::default());
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (near_gate, far_gate) = (Arc::clone(&gate), Arc::clone(&gate));
    thread::spawn(move || -> io::Result<()> {
        let (near, _) = listener.accept()?;
        let far = TcpStream::connect(to)?;
        let (near_too, far_too) = (near.try_clone()?, far.try_clone()?);
        thread::spawn(move || carry(near, far, after, &near_gate));
        carry(far_too, near_too, after, &far_gate)
    });
    Ok(Proxy { address, gate })
}

fn carry(mut from: TcpStream, mut to: TcpStream, after: u64, gate: &Gate) -> io::Result<()> {
    io::copy(&mut Read::by_ref(&mut from).take(after), &mut to)?;
    to.flush()?;
    gate.change(|(stalled, _)| *stalled += 1);
    gate.wait_while(|(_, open)| !open);
    io::copy(&mut from, &mut to)?;
    to.shutdown(Shutdown::Write)
}
