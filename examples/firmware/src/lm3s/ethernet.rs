//! The Ethernet controller (LM3S6965 data sheet, chapter 16), polled, with its interrupt as wake-up

use cortex_m::peripheral::{NVIC, SCB};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

use crate::register::Register;
use crate::tcp::Controller;

/// Of the controller's registers
pub(super) const BASE: usize = 0x4004_8000;
/// Run mode clock gating control 2 (data sheet, 5.4 register 26): clocks for MAC and PHY
const RCGC2: usize = 0x400f_e108;
const CLOCKS: u32 = 1 << 28 | 1 << 30;

/// Receive control: the FIFO is emptied; then frames with a bad CRC are dropped, the others taken
const RECEIVE_RESET: u32 = 1 << 4;
const RECEIVE: u32 = 1 << 3 | 1 << 0;
/// Transmit control: CRC and padding by the controller, transmitter on
const TRANSMIT: u32 = 1 << 2 | 1 << 1 | 1 << 0;
/// Transmission begins when the frame is complete
const THRESHOLD: u32 = 0x3f;
/// All interrupts, where ones clear them
const ALL: u32 = 0x7f;
/// A frame has come, in the mask and in the register that shows interrupts
pub(super) const RECEIVED: u32 = 1 << 0;

/// The largest frame, without its CRC
pub(super) const FRAME: usize = 1514;
const HEADER: usize = 14;
/// What the length in the receive FIFO counts besides the frame: itself and the CRC
const LENGTH_AND_CRC: usize = 6;

/// The controller's interrupt (data sheet, table 2-9)
#[derive(Clone, Copy)]
pub(super) struct Interrupt;

impl Interrupt {
    pub(super) const NUMBER: u16 = 42;
}

// SAFETY: the number is that of the controller, and used once
unsafe impl cortex_m::interrupt::InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        Self::NUMBER
    }
}

/// The controller, and one frame for each direction
pub struct Ethernet {
    registers: Registers,
    received: [u8; FRAME],
    sending: [u8; FRAME],
}

struct Registers {
    acknowledge: Register,
    data: Register,
    waiting: Register,
    transmit: Register,
}

impl Ethernet {
    /// Takes the controller into operation
    ///
    /// Its interrupt wakes the processor, which masks it and, as with the UART, needs no handler; the driver for
    /// embassy-net has one, and lifts the mask when all is in its place.
    pub fn start(address: [u8; 6]) -> Self {
        cortex_m::interrupt::disable();
        // SAFETY: a register of the system control
        let mut clocks = unsafe { Register::at(RCGC2) };
        clocks.write(clocks.read() | CLOCKS);
        // SAFETY: the registers of the controller
        let register = |offset| unsafe { Register::at(BASE + offset) };
        register(0x04).write(0);
        register(0x08).write(RECEIVE_RESET);
        register(0x08).write(RECEIVE);
        register(0x0c).write(TRANSMIT);
        let [a, b, c, d, e, f] = address;
        register(0x14).write(u32::from_le_bytes([a, b, c, d]));
        register(0x18).write(u32::from_le_bytes([e, f, 0, 0]));
        register(0x1c).write(THRESHOLD);
        register(0x00).write(ALL);
        register(0x04).write(RECEIVED);
        // SAFETY: no critical section is built on this mask
        unsafe { NVIC::unmask(Interrupt) };
        let registers = Registers {
            acknowledge: register(0x00),
            data: register(0x10),
            waiting: register(0x34),
            transmit: register(0x38),
        };
        Self { registers, received: [0; FRAME], sending: [0; FRAME] }
    }

    /// A frame that has come, and room for the answer
    pub(super) fn receive(&mut self) -> Option<(Received<'_>, Sending<'_>)> {
        let Self { registers, received, sending } = self;
        let frame = registers.receive(received)?;
        Some((Received(frame), Sending { registers, frame: sending }))
    }

    /// Room for a frame
    pub(super) fn transmit(&mut self) -> Sending<'_> {
        Sending { registers: &mut self.registers, frame: &mut self.sending }
    }
}

impl Registers {
    /// Takes the first frame that fits out of the FIFO; `None` if there is none
    ///
    /// One that does not is passed over: no interrupt announces once more what came after it.
    fn receive<'frame>(&mut self, frame: &'frame mut [u8; FRAME]) -> Option<&'frame mut [u8]> {
        while self.waiting.read() != 0 {
            let len = self.take(frame);
            if len <= FRAME {
                return frame.get_mut(..len);
            }
        }
        None
    }

    /// Takes a frame out of the FIFO, as much of it as there is room for, and returns its length
    ///
    /// The FIFO is read by words, and the frame begins in the middle of the first.
    fn take(&mut self, frame: &mut [u8; FRAME]) -> usize {
        let [low, high, first, second] = self.data.read().to_le_bytes();
        let total = usize::from(u16::from_le_bytes([low, high]));
        let len = total.saturating_sub(LENGTH_AND_CRC);
        let (start, rest) = frame.split_at_mut(2);
        start.copy_from_slice(&[first, second]);
        let mut words = rest.chunks_exact_mut(4);
        for _ in 1..total.div_ceil(4) {
            let bytes = self.data.read().to_le_bytes();
            // What is beyond the buffer has to be read nevertheless.
            if let Some(word) = words.next() {
                word.copy_from_slice(&bytes);
            }
        }
        len
    }

    fn send(&mut self, frame: &[u8]) {
        // A frame on its way has to leave first.
        while self.transmit.read() & 1 != 0 {}
        let [low, high] = (frame.len().saturating_sub(HEADER) as u16).to_le_bytes();
        let (start, rest) = frame.split_at(frame.len().min(2));
        let mut first = [low, high, 0, 0];
        first[2..][..start.len()].copy_from_slice(start);
        self.data.write(u32::from_le_bytes(first));
        for bytes in rest.chunks(4) {
            let mut word = [0; 4];
            word[..bytes.len()].copy_from_slice(bytes);
            self.data.write(u32::from_le_bytes(word));
        }
        self.transmit.write(1);
    }
}

impl Controller for Ethernet {
    fn wait(&mut self) {
        // Forget what has been announced, look once more, and only then sleep.
        self.registers.acknowledge.write(ALL);
        NVIC::unpend(Interrupt);
        SCB::clear_pendst();
        if self.registers.waiting.read() == 0 {
            cortex_m::asm::wfi();
        }
    }
}

impl Device for Ethernet {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, Sending<'_>)> {
        self.receive()
    }

    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        Some(self.transmit())
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME;
        capabilities.max_burst_size = Some(1);
        capabilities
    }
}

/// A frame that has come
pub struct Received<'a>(pub(super) &'a mut [u8]);

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

/// Room for a frame
pub struct Sending<'a> {
    registers: &'a mut Registers,
    frame: &'a mut [u8; FRAME],
}

impl Sending<'_> {
    /// Sends what `f` makes of `len` bytes
    pub(super) fn send<R>(self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        // Never more than the network was told, as it promises
        let frame = &mut self.frame[..len.min(FRAME)];
        let result = f(frame);
        self.registers.send(frame);
        result
    }
}

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        self.send(len, f)
    }
}
