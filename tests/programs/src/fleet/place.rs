//! Where a node listens, and its identity

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use devp2p_proto::{Config, Enode};
use mio::net::TcpListener;

use super::Kind;
use crate::driver::{new_key, patient};

pub struct Place {
    pub kind: Kind,
    pub config: Config,
    /// `None` for a node that is absent
    pub listener: Option<TcpListener>,
    /// What its URL says
    pub node: Enode,
}

impl Place {
    pub fn new(kind: Kind) -> io::Result<Self> {
        let mut timeouts = patient();
        // Only the peer sends Pings, so what this node sends does not depend on the time.
        timeouts.ping = std::time::Duration::MAX;
        timeouts.linger = crate::NEVER;
        let config = Config::new(new_key(), kind.name(), &kind.protocols());
        let config = config.and_then(|config| config.with_timeouts(timeouts)).expect("a configuration");
        let node_id = match kind {
            Kind::WrongKey => new_key().node_id(),
            Kind::Web | Kind::Noise | Kind::WrongMac | Kind::Impostor | Kind::Oversized => super::script::id(),
            _ => config.node_id(),
        };
        // Port 1 belongs to a service that nobody runs. Another process might soon take any other free port.
        let absent = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let listener = match kind {
            Kind::Absent => None,
            _ => Some(TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?),
        };
        let address = listener.as_ref().map_or(Ok(absent), TcpListener::local_addr)?;
        Ok(Self { kind, config, listener, node: Enode { node_id, address } })
    }
}
