//! Embassy's executor, which sleeps while no task can go on
//!
//! Its own for this processor sleeps by WFE, which QEMU takes for a pause of no length at all.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, Ordering};

use cortex_m::{asm, interrupt};
use embassy_executor::Spawner;
use embassy_executor::raw::Executor;
use static_cell::StaticCell;

/// Whether a task can go on
static WOKEN: AtomicBool = AtomicBool::new(false);

/// Called by embassy, from tasks and interrupts
#[unsafe(export_name = "__pender")]
fn pender(_: *mut ()) {
    WOKEN.store(true, Ordering::Relaxed);
}

/// Runs tasks for ever, the first of which `start` spawns
pub fn run(start: impl FnOnce(Spawner)) -> ! {
    static EXECUTOR: StaticCell<Executor> = StaticCell::new();
    let executor = EXECUTOR.init(Executor::new(null_mut()));
    start(executor.spawner());
    loop {
        // SAFETY: called here alone, and by nothing that it calls
        unsafe { executor.poll() };
        // An interrupt wakes the processor even while it is masked, so none is missed between the look
        // and the sleep; it is handled right after (ARMv7-M architecture reference, B1.5.19).
        interrupt::free(|_| {
            if !WOKEN.swap(false, Ordering::Relaxed) {
                asm::wfi();
            }
        });
    }
}
