//! The UART in two halves, each of which waits by an interrupt of its own

use core::convert::Infallible;

use cortex_m_rt::exception;
use embedded_io_async::{ErrorType, Read, Write};

use super::uart::{BASE, Interrupt, RECEIVE_FULL, TRANSMIT_FULL, Uart};
use crate::asynchronous::Signal;
use crate::register::Register;

static RECEIVED: Signal = Signal::new();
static SENT: Signal = Signal::new();

/// The half that receives
pub struct Receiver {
    data: Register,
    state: Register,
}

/// The half that sends
pub struct Sender {
    data: Register,
    state: Register,
}

impl Uart {
    /// Takes the UART apart, and lets its interrupts through
    pub fn split(self) -> (Receiver, Sender) {
        // SAFETY: the registers of UART0. Both halves look at the state, which changes nothing, and
        // the data register is one for writing and another for reading.
        let register = |offset| unsafe { Register::at(BASE + offset) };
        let receiver = Receiver { data: register(0x00), state: register(0x04) };
        let sender = Sender { data: register(0x00), state: register(0x04) };
        // SAFETY: the handlers below touch nothing but their signals, which are made for that
        unsafe { cortex_m::interrupt::enable() };
        (receiver, sender)
    }
}

/// All interrupts of the board come here, as nothing else names them.
///
/// # Safety
/// It is called by the processor, at most once at a time.
#[exception]
unsafe fn DefaultHandler(number: i16) {
    // SAFETY: a register of UART0, in which a one clears an interrupt and a zero does nothing
    let mut interrupts = unsafe { Register::at(BASE + 0x0c) };
    if number == Interrupt::Receive as i16 {
        interrupts.write(1 << 1);
        RECEIVED.raise();
    } else if number == Interrupt::Transmit as i16 {
        interrupts.write(1 << 0);
        SENT.raise();
    }
}

impl ErrorType for Receiver {
    type Error = Infallible;
}

impl Read for Receiver {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let Some(first) = buffer.first_mut() else {
            return Ok(0);
        };
        *first = RECEIVED.wait(|| (self.state.read() & RECEIVE_FULL != 0).then(|| self.data.read() as u8)).await;
        Ok(1)
    }
}

impl ErrorType for Sender {
    type Error = Infallible;
}

impl Write for Sender {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let Some(first) = bytes.first() else {
            return Ok(0);
        };
        SENT.wait(|| (self.state.read() & TRANSMIT_FULL == 0).then(|| self.data.write(u32::from(*first)))).await;
        Ok(1)
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        SENT.wait(|| (self.state.read() & TRANSMIT_FULL == 0).then_some(())).await;
        Ok(())
    }
}
