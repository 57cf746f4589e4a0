//! The time since the start, from SysTick (ARMv7-M architecture reference, B3.3)

use core::cell::Cell;
use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::interrupt::{self, Mutex};
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use devp2p_proto::Instant;

/// The counter has 24 bits
const RELOAD: u32 = 0x00ff_ffff;

/// When the clock was last looked at, for the log
static MILLIS: AtomicU32 = AtomicU32::new(0);
defmt::timestamp!("{=u32:ms}", MILLIS.load(Ordering::Relaxed));

/// `None` until the clock is started
static COUNTER: Mutex<Cell<Option<Counter>>> = Mutex::new(Cell::new(None));

/// Counts the processor's cycles
///
/// The counter runs through its whole range and is read, where one might let it interrupt every
/// millisecond and count those: in an emulator on a busy host, or behind a slow handler, such ticks
/// get lost. It must be read once in every round, 0.7 s at 25 MHz, which is why a round's end is an
/// event that [wakes](crate::Transport::wait) the processor. A computation that takes longer loses
/// a round, and a link does not mind if time passes more slowly.
struct Counter {
    systick: SYST,
    rounds: u64,
}

impl Counter {
    fn cycles(&mut self) -> u64 {
        let before = SYST::get_current();
        // Asking takes the answer back, so each round is counted once; one that ended between the
        // two looks at the counter belongs to the second.
        let count = if self.systick.has_wrapped() {
            self.rounds += 1;
            SYST::get_current()
        } else {
            before
        };
        self.rounds * (u64::from(RELOAD) + 1) + u64::from(RELOAD - count)
    }
}

/// Cycles since the clock was started
pub fn cycles() -> u64 {
    interrupt::free(|token| {
        let cell = COUNTER.borrow(token);
        let mut counter = cell.take();
        let cycles = counter.as_mut().map_or(0, Counter::cycles);
        cell.set(counter);
        cycles
    })
}

/// The clock of a processor that runs at so many hertz
pub struct Clock {
    hertz: u64,
}

impl Clock {
    /// Starts the counter
    pub fn start(mut systick: SYST, hertz: u32) -> Self {
        systick.set_clock_source(SystClkSource::Core);
        systick.set_reload(RELOAD);
        systick.clear_current();
        systick.enable_interrupt();
        systick.enable_counter();
        // Zero until the first tick, which would be taken for the end of a round.
        while SYST::get_current() == 0 {}
        interrupt::free(|token| COUNTER.borrow(token).set(Some(Counter { systick, rounds: 0 })));
        Self { hertz: hertz.into() }
    }

    /// Cycles since the start
    pub fn cycles(&mut self) -> u64 {
        cycles()
    }

    /// The time, as links take it
    pub fn now(&mut self) -> Instant {
        let millis = self.cycles() * 1000 / self.hertz;
        MILLIS.store(millis as u32, Ordering::Relaxed);
        Instant::from_millis(millis)
    }
}

/// Raised at the end of each round
#[cfg(feature = "async")]
static ROUND: crate::asynchronous::Signal = crate::asynchronous::Signal::new();

#[cfg(feature = "async")]
#[cortex_m_rt::exception]
fn SysTick() {
    // No round goes uncounted while nobody asks for the time.
    cycles();
    ROUND.raise();
}

/// Waits for the end of the clock's round
#[cfg(feature = "async")]
pub async fn round() {
    let mut first = true;
    ROUND.wait(|| (!core::mem::take(&mut first)).then_some(())).await;
}
