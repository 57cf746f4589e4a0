//! The four drivers as processes: against each other, against scripted peers that misbehave, and against geth
//!
//! Those with real geth are run by `tests/programs/interop/run`.
#![cfg(unix)]

/// Makes a test of each function for each driver, with the attributes in brackets
macro_rules! every_driver {
    ($attributes:tt $($case:ident),* $(,)?) => {
        $(every_driver!(@ $attributes $case);)*
    };
    (@ [$($attribute:tt)*] $case:ident) => {
        mod $case {
            every_driver!(@ [$($attribute)*] $case blocking);
            every_driver!(@ [$($attribute)*] $case epoll);
            every_driver!(@ [$($attribute)*] $case tokio);
            every_driver!(@ [$($attribute)*] $case smol);
        }
    };
    (@ [$($attribute:tt)*] $case:ident $driver:ident) => {
        #[test]
        $($attribute)*
        fn $driver() {
            super::$case(stringify!($driver));
        }
    };
}

mod endings;
mod geth;
mod proxy;
mod recordings;
mod tasks;
mod traffic;
