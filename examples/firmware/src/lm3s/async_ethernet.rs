//! The Ethernet controller as a driver for embassy-net, which waits by the controller's interrupt

use core::task::Context;

use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};

use super::HARDWARE;
use super::ethernet::{BASE, Ethernet, FRAME, RECEIVED, Received, Sending};
use crate::asynchronous::Signal;
use crate::register::Register;

static FRAME_HAS_COME: Signal = Signal::new();

/// To be called by the interrupt's handler
pub(super) fn handle_interrupt() {
    // SAFETY: a register of the controller, in which a one clears an interrupt and a zero does nothing
    let mut interrupts = unsafe { Register::at(BASE) };
    // Those of the transmitter are left alone: a frame may be half written.
    interrupts.write(RECEIVED);
    FRAME_HAS_COME.raise();
}

impl Driver for Ethernet {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, context: &mut Context<'_>) -> Option<(Received<'_>, Sending<'_>)> {
        // First the waker, then the look: what comes in between wakes.
        FRAME_HAS_COME.register(context.waker());
        self.receive()
    }

    fn transmit(&mut self, _: &mut Context<'_>) -> Option<Sending<'_>> {
        Some(self.transmit())
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = FRAME;
        capabilities.max_burst_size = Some(1);
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(HARDWARE)
    }
}

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        self.send(len, f)
    }
}
