//! Logging shim: `defmt` where it is enabled, else `log`, else nothing
//!
//! The two features are additive and defmt wins. On a hosted target there is no defmt transport to
//! write to, so there only the `Format` derives are active and `log` keeps the events.

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
