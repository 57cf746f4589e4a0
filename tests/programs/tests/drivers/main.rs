//! The four drivers and the node in C as processes: against each other, against scripted peers that misbehave, and against geth
//!
//! Those with real geth are run by `tests/programs/interop/run`.
#![cfg(unix)]

/// Makes a test of each function for each driver, `poll` in C included, with the attributes in brackets
macro_rules! every_driver {
    ($attributes:tt $($case:ident),* $(,)?) => {
        $(every_driver!(@ $attributes $case: blocking epoll tokio smol poll);)*
    };
    (@ $attributes:tt $case:ident: $($driver:ident)*) => {
        mod $case {
            $(every_driver!(@ $attributes $case $driver);)*
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

/// The same for what only the drivers in Rust do
macro_rules! every_driver_in_rust {
    ($attributes:tt $($case:ident),* $(,)?) => {
        $(every_driver!(@ $attributes $case: blocking epoll tokio smol);)*
    };
}

mod endings;
mod geth;
mod proxy;
mod recordings;
mod traffic;
