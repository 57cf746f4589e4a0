//! The setup of this node's links

use devp2p_drivers::eth::message;
use devp2p_drivers::journal::{Offer, Setup};

use crate::options::Options;
use crate::snap;

/// The largest message of `eth` or `snap` that the reference client takes
const MAX_MESSAGE: usize = 10 * 1024 * 1024;
const CLIENT_ID: &str = "devp2p-proto-eth/1.0";

/// The link to the node that the chain comes from
pub fn dialled(options: &Options, listen_port: u16) -> Result<Setup, getrandom::Error> {
    let snap = Offer::new("snap", 1, snap::LENGTH, MAX_MESSAGE);
    let setup = Setup::dialled(options.node.node_id, CLIENT_ID, eth(options).chain([snap]).collect())?;
    Ok(Setup { timeouts: options.timeouts, listen_port, ..setup })
}

/// An inbound link
///
/// It does not offer `snap`, since this program has no state to serve.
pub fn accepted(options: &Options, key: [u8; 32], listen_port: u16) -> Result<Setup, getrandom::Error> {
    let setup = Setup::accepted(CLIENT_ID, eth(options).collect())?;
    Ok(Setup { key, timeouts: options.timeouts, listen_port, ..setup })
}

fn eth(options: &Options) -> impl Iterator<Item = Offer> + '_ {
    options.versions.iter().map(|version| Offer::new("eth", *version, message::length(*version), MAX_MESSAGE))
}
