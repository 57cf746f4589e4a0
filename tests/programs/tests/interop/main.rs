//! The link against real clients: geth's own `p2p.Server` and `@ethereumjs/devp2p`
//!
//! `tests/programs/interop/run` builds the two programs and runs all of this. The programs speak lines of
//! JSON, which `geth/main.go` and `ethereumjs/peer.mjs` explain at their tops. Every case is a
//! [`meeting::Meeting`] of one such process with one link of ours; a case that fails prints what
//! both sides saw.

/// Makes two tests of each function: the one role and the other
macro_rules! both_roles {
    ($($case:ident),* $(,)?) => {$(
        mod $case {
            use devp2p_proto::Role;

            #[test]
            #[ignore = "needs the real clients: tests/programs/interop/run"]
            fn we_dial() {
                super::$case(Role::Initiator);
            }

            #[test]
            #[ignore = "needs the real clients: tests/programs/interop/run"]
            fn it_dials() {
                super::$case(Role::Recipient);
            }
        }
    )*};
}

mod ethereumjs;
mod geth;
mod geth_endings;
mod geth_refusals;
mod meeting;
