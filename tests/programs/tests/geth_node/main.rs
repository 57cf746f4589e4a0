//! The programs `ping`, `eth` and `replay` as processes: against a full geth node, against geth's
//! `p2p.Server`, and against a remote of our own that misbehaves
//!
//! What needs geth is ignored by default: `tests/programs/geth_node/run` installs it and runs everything. It
//! looks for
//!
//! - `GETH`: the geth binary, whose chain `tests/programs/geth_node/chain` makes
//! - `GETH_PEER`: the program in `tests/programs/interop/geth`

mod arguments_refused;
mod breaches;
mod endings;
mod full_node;
mod hostile_recordings;
mod keeping;
mod limits;
mod node;
mod pages;
mod parts;
mod plain_text;
mod play;
mod program;
mod recordings;
mod remote;
mod serving;
mod source;
mod staying;
