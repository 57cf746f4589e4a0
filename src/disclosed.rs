//! Values that were computed from secrets and are no secrets
//!
//! `.ci/constant-time` finds branches and addresses that depend on secrets. It has to be told where a value is known
//! to the peer, such as the content of a message. In a user's build nothing of this exists.

/// Tells the check that the peer knows these bytes
///
/// They are mutable so that the compiler cannot go on with an older copy of them.
#[cfg(not(feature = "__internal"))]
#[inline(always)]
pub(crate) const fn disclosed(_: &mut [u8]) {}

#[cfg(feature = "__internal")]
pub(crate) fn disclosed(bytes: &mut [u8]) {
    if let Some(hook) = HOOK.get() {
        hook(bytes);
    }
}

/// What is called with the bytes
#[cfg(feature = "__internal")]
pub(crate) static HOOK: std::sync::OnceLock<fn(&mut [u8])> = std::sync::OnceLock::new();
