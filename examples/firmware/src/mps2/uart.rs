//! The UART (ARM DDI 0479, Cortex-M System Design Kit, 4.3 "APB UART")
//!
//! It has no FIFO: one byte each way. Nothing is lost as long as the sender waits for the receiver,
//! as QEMU does; on a real line that takes hardware flow control, or an interrupt handler with a ring
//! buffer that has room for as long as the longest computation takes.

use cortex_m::peripheral::{NVIC, SCB};

use crate::drive::{Awaited, Broken, Transport};
use crate::register::Register;

/// UART0 (ARM DAI 0386, memory map)
pub(super) const BASE: usize = 0x4000_4000;

pub(super) const TRANSMIT_FULL: u32 = 1 << 0;
pub(super) const RECEIVE_FULL: u32 = 1 << 1;
/// Transmit, receive, and an interrupt for each
const ENABLE_ALL: u32 = 0b1111;
/// The interrupts, in the register that shows them and clears them where ones are written
const BOTH: u32 = 0b11;
/// 16 is the smallest divisor
const DIVISOR: u32 = 16;

/// The interrupts of UART0 (ARM DAI 0386, interrupts)
#[derive(Clone, Copy)]
pub(super) enum Interrupt {
    Receive = 0,
    Transmit = 1,
}

// SAFETY: the numbers are those of the board, and each is used once
unsafe impl cortex_m::interrupt::InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self as u16
    }
}

/// UART0, to which QEMU connects the peer
pub struct Uart {
    data: Register,
    state: Register,
    interrupts: Register,
}

impl Uart {
    /// Takes the UART into operation
    ///
    /// Interrupts are events here, they have no handlers: they stay masked in the processor, which
    /// wakes for them nevertheless (ARMv7-M architecture reference, B1.5.19). What they announce
    /// is then found by looking.
    pub fn start() -> Self {
        cortex_m::interrupt::disable();
        // SAFETY: the registers of UART0
        let register = |offset| unsafe { Register::at(BASE + offset) };
        let uart = Self { data: register(0x00), state: register(0x04), interrupts: register(0x0c) };
        register(0x10).write(DIVISOR);
        register(0x08).write(ENABLE_ALL);
        for interrupt in [Interrupt::Receive, Interrupt::Transmit] {
            // SAFETY: no critical section is built on this mask
            unsafe { NVIC::unmask(interrupt) };
        }
        uart
    }

    fn is(&self, condition: u32) -> bool {
        self.state.read() & condition != 0
    }
}

impl Transport for Uart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        let mut taken = 0;
        for byte in bytes {
            if self.is(TRANSMIT_FULL) {
                break;
            }
            self.data.write(u32::from(*byte));
            taken += 1;
        }
        Ok(taken)
    }

    fn read(&mut self, take: impl FnOnce(&[u8]) -> usize) -> Result<usize, Broken> {
        if !self.is(RECEIVE_FULL) {
            return Ok(0);
        }
        Ok(take(&[self.data.read() as u8]))
    }

    fn wait(&mut self, awaited: Awaited) {
        // Forget what has been announced, look once more, and only then sleep: what is announced
        // from here on wakes.
        self.interrupts.write(BOTH);
        NVIC::unpend(Interrupt::Receive);
        NVIC::unpend(Interrupt::Transmit);
        SCB::clear_pendst();
        let input = awaited.input && self.is(RECEIVE_FULL);
        let room = awaited.room && !self.is(TRANSMIT_FULL);
        if !(input || room) {
            cortex_m::asm::wfi();
        }
    }
}
