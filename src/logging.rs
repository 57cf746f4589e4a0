//! Logging: through `defmt` where it is enabled, else through `log`, else not at all
//!
//! The two features are additive, and `defmt` takes precedence. On a hosted target there is no transport for
//! `defmt`, so there only its `Format` derives are active and events go through `log`.

use core::fmt;

use crate::node_id::NodeId;

macro_rules! event {
    ($level:ident, $text:literal $(, $arg:expr)* $(,)?) => {{
        #[cfg(all(feature = "defmt", target_os = "none"))]
        ::defmt::$level!($text $(, $arg)*);
        #[cfg(all(feature = "log", not(all(feature = "defmt", target_os = "none"))))]
        ::log::$level!($text $(, $arg)*);
        #[cfg(not(any(feature = "log", all(feature = "defmt", target_os = "none"))))]
        { $( let _ = &$arg; )* }
    }};
}

pub(crate) use event;

/// How a log line names a link: by the first eight digits of the remote's id
///
/// Before the remote is known it prints as `unknown`.
pub(crate) struct LinkName(pub(crate) Option<NodeId>);

impl LinkName {
    fn digits(&self) -> Option<u32> {
        self.0?.as_bytes().first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
    }
}

impl fmt::Display for LinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.digits() {
            Some(digits) => write!(f, "{digits:08x}"),
            None => f.write_str("unknown"),
        }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for LinkName {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self.digits() {
            Some(digits) => defmt::write!(f, "{=u32:08x}", digits),
            None => defmt::write!(f, "unknown"),
        }
    }
}
