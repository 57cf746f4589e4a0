//! A TCP connection in the middle that carries nothing for a while

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// When, in each direction, and for how long
#[derive(Debug, Clone, Copy)]
pub struct Stall {
    pub after: u64,
    pub pause: Duration,
}

/// Carries one connection to `to`; returns where to connect instead
pub fn stalling(to: SocketAddr, stall: Stall) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || -> io::Result<()> {
        let (near, _) = listener.accept()?;
        let far = TcpStream::connect(to)?;
        let (near_too, far_too) = (near.try_clone()?, far.try_clone()?);
        thread::spawn(move || carry(near, far, stall));
        carry(far_too, near_too, stall)
    });
    Ok(address)
}

fn carry(mut from: TcpStream, mut to: TcpStream, stall: Stall) -> io::Result<()> {
    io::copy(&mut Read::by_ref(&mut from).take(stall.after), &mut to)?;
    to.flush()?;
    thread::sleep(stall.pause);
    io::copy(&mut from, &mut to)?;
    to.shutdown(Shutdown::Write)
}
