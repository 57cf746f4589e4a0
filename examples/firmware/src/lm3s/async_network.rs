//! The board in its network, by tasks

use embassy_executor::Spawner;
use embassy_net::tcp::TcpSocket;
use embassy_net::{Config, Ipv4Cidr, Runner, Stack, StackResources, StaticConfigV4};
use static_cell::StaticCell;

use super::{ADDRESS, Ethernet, HARDWARE, alarm};
use crate::entropy::{EntropyError, fill_random};

/// As in `tcp.rs`
const BUFFER: usize = 2048;

/// Starts the task that carries the network on, and returns its one socket; once
pub fn start(spawner: Spawner) -> Result<TcpSocket<'static>, EntropyError> {
    static BUFFERS: StaticCell<([u8; BUFFER], [u8; BUFFER])> = StaticCell::new();
    let stack = stack(spawner)?;
    let (receive, transmit) = BUFFERS.init_with(|| ([0; BUFFER], [0; BUFFER]));
    let mut socket = TcpSocket::new(stack, receive, transmit);
    // Messages are complete when they are written: there is nothing to wait for.
    socket.set_nagle_enabled(false);
    Ok(socket)
}

#[inline(never)]
fn stack(spawner: Spawner) -> Result<Stack<'static>, EntropyError> {
    static ETHERNET: StaticCell<Ethernet> = StaticCell::new();
    static RESOURCES: StaticCell<StackResources<1>> = StaticCell::new();
    let mut seed = [0; 8];
    fill_random(&mut seed)?;
    let ethernet = ETHERNET.init_with(|| Ethernet::start(HARDWARE));
    alarm::start();
    let config = Config::ipv4_static(StaticConfigV4 {
        address: Ipv4Cidr::new(ADDRESS, 24),
        gateway: None,
        dns_servers: Default::default(),
    });
    let resources = RESOURCES.init_with(StackResources::new);
    let (stack, runner) = embassy_net::new(ethernet, config, resources, u64::from_le_bytes(seed));
    // It is the only one.
    if let Ok(task) = carry_on(runner) {
        spawner.spawn(task);
    }
    // SAFETY: the handlers of the board touch nothing but signals, and the queue in its critical section
    unsafe { cortex_m::interrupt::enable() };
    Ok(stack)
}

#[embassy_executor::task]
async fn carry_on(mut runner: Runner<'static, &'static mut Ethernet>) -> ! {
    runner.run().await
}
