//! Values that are computed from secrets but are not secret themselves
//!
//! `.ci/constant-time` finds branches and addresses that depend on secrets. The library tells the check
//! which values the peer knows, such as the content of a message. Without the feature `__internal` this
//! does nothing.

/// Tells the check that the peer knows these bytes
///
/// The bytes are mutable so that the compiler cannot use an older copy of them afterwards.
#[cfg(not(feature = "__internal"))]
#[inline(always)]
pub(crate) const fn disclosed(_: &mut [u8]) {}

#[cfg(feature = "__internal")]
pub(crate) fn disclosed(bytes: &mut [u8]) {
    if let Some(hook) = HOOK.get() {
        hook(bytes);
    }
}

/// The function that is called with the bytes
#[cfg(feature = "__internal")]
pub(crate) static HOOK: std::sync::OnceLock<fn(&mut [u8])> = std::sync::OnceLock::new();
