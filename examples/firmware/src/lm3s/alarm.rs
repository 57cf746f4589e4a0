//! Embassy's time: the clock's counter, and a timer that wakes when an alarm is due
//!
//! A general-purpose timer of the chip counts down to the alarm (LM3S6965 data sheet, chapter 10).

use core::cell::RefCell;
use core::task::Waker;

use critical_section::{CriticalSection, Mutex};
use embassy_time_driver::{Driver, TICK_HZ, time_driver_impl};
use embassy_time_queue_utils::Queue;

use super::HERTZ;
use crate::clock::cycles;
use crate::register::Register;

/// Of the registers of timer 0
const BASE: usize = 0x4003_0000;
/// Run mode clock gating control 1 (data sheet, 5.4 register 25): a clock for timer 0
const RCGC1: usize = 0x400f_e104;
const CLOCK: u32 = 1 << 16;
/// One timer of 32 bits, not two of 16
const WHOLE: u32 = 0;
/// Counts down once
const ONE_SHOT: u32 = 1;
/// Has counted down, in the mask and in the register that clears it
const TIMEOUT: u32 = 1 << 0;

const CYCLES_PER_TICK: u64 = HERTZ as u64 / TICK_HZ;

/// The timer's interrupt (data sheet, table 2-9)
#[derive(Clone, Copy)]
pub(super) struct Interrupt;

impl Interrupt {
    pub(super) const NUMBER: u16 = 19;
}

// SAFETY: the number is that of the timer, and used once
unsafe impl cortex_m::interrupt::InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        Self::NUMBER
    }
}

struct Time {
    queue: Mutex<RefCell<Queue>>,
}

time_driver_impl!(static TIME: Time = Time { queue: Mutex::new(RefCell::new(Queue::new())) });

/// Takes the timer into operation
pub fn start() {
    // SAFETY: a register of the system control
    let mut clocks = unsafe { Register::at(RCGC1) };
    clocks.write(clocks.read() | CLOCK);
    register(0x00).write(WHOLE);
    register(0x04).write(ONE_SHOT);
    register(0x18).write(TIMEOUT);
    // SAFETY: no critical section is built on this mask
    unsafe { cortex_m::peripheral::NVIC::unmask(Interrupt) };
}

/// To be called by the interrupt's handler
pub(super) fn handle_interrupt() {
    register(0x24).write(TIMEOUT);
    critical_section::with(|token| TIME.set_alarm(token));
}

fn register(offset: usize) -> Register {
    // SAFETY: the registers of the timer
    unsafe { Register::at(BASE + offset) }
}

impl Time {
    /// Wakes whoever is due, and sets the timer for who is next
    fn set_alarm(&self, token: CriticalSection<'_>) {
        let now = self.now();
        let next = self.queue.borrow_ref_mut(token).next_expiration(now);
        register(0x0c).write(0);
        if next == u64::MAX {
            return;
        }
        // An alarm beyond the timer's range is looked at again when that is through.
        let cycles = (next - now).saturating_mul(CYCLES_PER_TICK);
        register(0x28).write(u32::try_from(cycles).unwrap_or(u32::MAX));
        register(0x0c).write(1);
    }
}

impl Driver for Time {
    fn now(&self) -> u64 {
        cycles() / CYCLES_PER_TICK
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|token| {
            if self.queue.borrow_ref_mut(token).schedule_wake(at, waker) {
                self.set_alarm(token);
            }
        });
    }
}
