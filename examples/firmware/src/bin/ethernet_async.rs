//! The session of the image `ethernet`, as a task beside that of embassy's network
//!
//! `initiator NODE_ID PORT` dials a port of the host, once. `recipient` waits to be dialled.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use devp2p_firmware::lm3s::{self, HERTZ, HOST, PORT, async_network};
use devp2p_firmware::node::{self, Memory, Role, StartError};
use devp2p_firmware::{Clock, Generator, MAX_MESSAGE, PROTOCOLS, Script, Source, asynchronous, executor};
use devp2p_proto::{Cause, DisconnectReason};
use embassy_executor::Spawner;
use embassy_net::tcp::{State, TcpSocket};
use embassy_time::{Duration, with_timeout};
use static_cell::StaticCell;

/// How long a connection may take to come about, and to end
const CONNECT: Duration = Duration::from_secs(10);
const HANG_UP: Duration = Duration::from_secs(1);
/// How long somebody may take who has begun to connect
const HALF_OPEN: Duration = Duration::from_secs(5);

#[entry]
fn main() -> ! {
    executor::run(|spawner| {
        // It is the only one.
        if let Ok(task) = session(spawner) {
            spawner.spawn(task);
        }
    })
}

#[embassy_executor::task]
async fn session(spawner: Spawner) {
    node::finish(run(spawner).await)
}

/// Returns whether the session went as it should
async fn run(spawner: Spawner) -> Result<bool, StartError> {
    static MEMORY: StaticCell<Memory> = StaticCell::new();
    static MESSAGE: StaticCell<[u8; MAX_MESSAGE]> = StaticCell::new();
    let core = cortex_m::Peripherals::take().ok_or(StartError::Processor)?;
    let mut clock = Clock::start(core.SYST, HERTZ);
    let mut socket = async_network::start(spawner)?;
    let (role, port) = lm3s::command()?;
    let config = node::configure(node::draw_identity()?, &PROTOCOLS, MAX_MESSAGE)?;
    if !connect(&mut socket, role, port).await {
        defmt::info!("no connection");
        return Ok(false);
    }
    defmt::info!("connected");
    let mut generator = Generator::new(Source::Host);
    let memory = MEMORY.init_with(Memory::new);
    let link = node::open_in_place(clock.now(), config, role, &mut generator, memory.buffers())?;
    let mut script = Script::new(MESSAGE.init_with(|| [0; MAX_MESSAGE]));
    let (mut reader, mut writer) = socket.split();
    let cause = asynchronous::drive(link, &mut reader, &mut writer, &mut clock, &mut script).await;
    defmt::info!("ended: {}", cause);
    // What is still to be sent gets a moment for it.
    socket.close();
    _ = with_timeout(HANG_UP, socket.flush()).await;
    Ok(script.is_complete() && cause == Cause::Local(DisconnectReason::CLIENT_QUITTING))
}

async fn connect(socket: &mut TcpSocket<'_>, role: Role, port: u16) -> bool {
    match role {
        Role::Initiator(_) => matches!(with_timeout(CONNECT, socket.connect((HOST, port))).await, Ok(Ok(()))),
        Role::Recipient => {
            defmt::info!("waiting to be dialled");
            accept(socket).await
        }
    }
}

/// Waits for somebody to connect
///
/// Who begins to connect and does not go on is given up after a few seconds, and the next is waited for.
async fn accept(socket: &mut TcpSocket<'_>) -> bool {
    socket.set_timeout(Some(HALF_OPEN));
    let accepted = loop {
        match socket.accept(PORT).await {
            Ok(()) if socket.state() == State::Closed => defmt::info!("a connection was begun and not completed"),
            result => break result.is_ok(),
        }
    };
    socket.set_timeout(None); // the link has timeouts of its own
    accepted
}
