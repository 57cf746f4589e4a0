//! What happens if the impossible happens

use core::panic::PanicInfo;

/// Ends the run as a failure
///
/// The message is not printed: that would keep every message and the formatting machinery in the
/// image, some twenty kilobytes.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    defmt::error!("panic");
    semihosting::process::exit(101)
}
