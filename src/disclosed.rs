//! Values that are computed from secrets but are not secret themselves
//!
//! `.ci/constant-time` finds branches and addresses that depend on secrets. The library tells the
//! check which values the peer knows, such as the content of a message. Without the feature
//! `__internal` the functions of this module do nothing.

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

#[cfg(all(test, feature = "__internal"))]
mod tests {
    use super::*;

    /// Other tests of this process disclose values, too
    const VALUE: [u8; 8] = *b"a value!";

    #[test]
    fn the_check_sees_what_is_disclosed() {
        HOOK.set(|bytes| {
            if bytes == VALUE {
                bytes.reverse();
            }
        })
        .unwrap();
        let mut bytes = VALUE;
        disclosed(&mut bytes);
        assert_eq!(&bytes, b"!eulav a");
    }
}
