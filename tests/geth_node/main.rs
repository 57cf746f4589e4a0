//! The programs `ping`, `eth` and `replay` as processes: against a whole geth node, against geth's
//! `p2p.Server`, and against a remote of our own that misbehaves
//!
//! What needs geth is ignored by default: `tests/geth_node/run` installs it and runs everything. It looks for
//!
//! - `GETH`: the geth binary, whose chain `tests/geth_node/chain` makes
//! - `GETH_PEER`: the program in `tests/interop/geth`
//!
//! The programs are those that `cargo test` has built; with `--test geth_node` alone, run
//! `cargo build --examples` before.
#![allow(dead_code, reason = "modules of the examples, of which the tests need a part")]

mod arguments_refused;
mod breaches;
mod endings;
mod node;
mod parts;
mod program;
mod recordings;
mod remote;
mod whole_node;

#[path = "../../examples/common/arguments.rs"]
mod arguments;
#[path = "../../examples/eth/body.rs"]
mod body;
#[path = "../../examples/eth/chain.rs"]
mod chain;
#[path = "../../examples/common/enode.rs"]
mod enode;
#[path = "../../examples/eth/fork.rs"]
mod fork;
#[path = "../../examples/eth/genesis.rs"]
mod genesis;
#[path = "../../examples/eth/hash.rs"]
mod hash;
#[path = "../../examples/eth/header.rs"]
mod header;
#[path = "../../examples/common/journal.rs"]
mod journal;
#[path = "../../examples/eth/message.rs"]
mod message;
#[path = "../../examples/eth/receipt.rs"]
mod receipt;
#[path = "../../examples/eth/status.rs"]
mod status;
#[path = "../../examples/eth/trie.rs"]
mod trie;
