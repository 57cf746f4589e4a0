//! The four drivers as processes: against each other, against scripted peers that misbehave, and against geth
//!
//! The programs are the examples, which `cargo test` builds. Those with real geth are run by
//! `tests/interop/run`.
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

/// What the loop of the `tokio` example takes from the rest of it
mod app {
    pub use crate::outbox::Outbox;
    pub use crate::talk::Message;
}
#[path = "../../examples/tokio/drive.rs"]
mod drive;
mod endings;
mod geth;
#[path = "../../examples/common/journal.rs"]
mod journal;
#[path = "../../examples/common/link.rs"]
mod link;
#[path = "../../examples/common/app/outbox.rs"]
mod outbox;
#[expect(dead_code, reason = "made for another test")]
#[path = "../interop/process.rs"]
mod process;
mod program;
#[expect(dead_code, reason = "made for an example")]
#[path = "../../examples/tokio/protocols.rs"]
mod protocols;
mod proxy;
mod recordings;
#[expect(dead_code, reason = "made for another test")]
#[path = "../interop/driver.rs"]
mod remote;
#[expect(dead_code, reason = "made for an example")]
#[path = "../../examples/common/app/talk.rs"]
mod talk;
mod tasks;
mod traffic;

use devp2p_testing as support;
