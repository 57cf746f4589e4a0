//! Conditions that hold by construction, and are checked only in the tests of this repository
//!
//! A user's build never panics: if such a condition does not hold there, the code continues with an
//! empty slice or a default. That would hide our own mistake, so the tests and fuzz targets of this
//! repository panic.

/// Panics in the tests and fuzz targets of this repository if the condition does not hold
macro_rules! invariant {
    ($condition:expr, $why:literal) => {
        if cfg!(any(test, feature = "__internal")) {
            assert!($condition, $why);
        }
    };
}

pub(crate) use invariant;

/// The value, which is present by construction; a default in a user's build if it is absent
#[inline(always)]
pub(crate) fn must<T: Default>(value: Option<T>, why: &'static str) -> T {
    if cfg!(any(test, feature = "__internal")) {
        assert!(value.is_some(), "{why}");
    }
    value.unwrap_or_default()
}
