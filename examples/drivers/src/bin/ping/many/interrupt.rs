//! Ctrl-C: the first one asks the program to end, the second one ends it

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mio::Waker;

/// Makes the first Ctrl-C set the flag that is returned, and wake the loop
pub fn wake_on_interrupt(waker: Waker) -> io::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    let handler = move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        // A loop that is over need not be woken.
        let _ = waker.wake();
    };
    ctrlc::set_handler(handler).map_err(io::Error::other)?;
    Ok(interrupted)
}
