//! Log frames go to the debugger, on the host to `defmt-print`
//!
//! Semihosting is the debugger's channel, and QEMU is the debugger here. A device in the field would
//! rather take RTT or a second UART; only this line changes.

use defmt_semihosting as _;
