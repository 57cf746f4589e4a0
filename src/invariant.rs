//! What must hold by construction, and is checked where a failure helps somebody
//!
//! A user's build never panics: where such a condition does not hold there, the code goes on with an
//! empty slice or a default. That would hide a mistake of ours, so the tests and fuzz targets of this
//! repository stop at it.

/// Fails under the tests and fuzz targets of this repository if the condition does not hold
macro_rules! invariant {
    ($condition:expr, $why:literal) => {
        if cfg!(any(test, feature = "__internal")) {
            assert!($condition, $why);
        }
    };
}

pub(crate) use invariant;

/// The value, which is there by construction; a default in a user's build if it is not
#[inline(always)]
pub(crate) fn must<T: Default>(value: Option<T>, why: &'static str) -> T {
    if cfg!(any(test, feature = "__internal")) {
        assert!(value.is_some(), "{why}");
    }
    value.unwrap_or_default()
}
