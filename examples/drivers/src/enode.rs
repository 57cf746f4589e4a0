//! Where a node is and who it is: `enode://<128 hex digits>@<IP address>:<TCP port>[?discport=<UDP port>]`
//!
//! See enode.md of the devp2p specifications. The host is an address and not a name, as written there.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use devp2p_proto::NodeId;

/// A node to dial; prints as its URL
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enode {
    pub id: NodeId,
    pub address: SocketAddr,
}

/// What is wrong with a URL, and where
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnodeError {
    Scheme,
    NoAt,
    IdLength(usize),
    /// The position of the character, from 1
    IdDigit(usize, char),
    NullId,
    Host(String),
    NoPort,
    Port(String),
    DiscoveryPort(String),
    Parameter(String),
}

impl FromStr for Enode {
    type Err = EnodeError;

    fn from_str(url: &str) -> Result<Self, EnodeError> {
        let rest = url.strip_prefix("enode://").ok_or(EnodeError::Scheme)?;
        let (id, rest) = rest.split_once('@').ok_or(EnodeError::NoAt)?;
        let (place, query) = match rest.split_once('?') {
            Some((place, query)) => (place, Some(query)),
            None => (rest, None),
        };
        query.map_or(Ok(()), check_query)?;
        Ok(Self { id: node_id(id)?, address: address(place)? })
    }
}

fn node_id(digits: &str) -> Result<NodeId, EnodeError> {
    let foreign = digits.chars().enumerate().find(|(_, digit)| !digit.is_ascii_hexdigit());
    if let Some((index, digit)) = foreign {
        return Err(EnodeError::IdDigit(index + 1, digit));
    }
    let id: NodeId = digits.parse().map_err(|_| EnodeError::IdLength(digits.len()))?;
    if id.is_zero() { Err(EnodeError::NullId) } else { Ok(id) }
}

fn address(place: &str) -> Result<SocketAddr, EnodeError> {
    let (host, port) = match place.rsplit_once(':') {
        // The last colon of a bracketed address may be one of its own.
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => return Err(EnodeError::NoPort),
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let ip: IpAddr = bare.parse().map_err(|_| EnodeError::Host(host.to_string()))?;
    if ip.is_ipv6() && bare.len() == host.len() {
        return Err(EnodeError::Host(host.to_string()));
    }
    Ok(SocketAddr::new(ip, nonzero_port(port).ok_or_else(|| EnodeError::Port(port.to_string()))?))
}

/// The UDP port is of no use here, but a wrong one is a sign of a damaged URL; 0 says that there is none
fn check_query(query: &str) -> Result<(), EnodeError> {
    match query.split_once('=') {
        Some(("discport", port)) if port.parse::<u16>().is_ok() => Ok(()),
        Some(("discport", port)) => Err(EnodeError::DiscoveryPort(port.to_string())),
        _ => Err(EnodeError::Parameter(query.to_string())),
    }
}

fn nonzero_port(port: &str) -> Option<u16> {
    port.parse().ok().filter(|port| *port > 0)
}

impl fmt::Display for Enode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "enode://{}@{}", self.id, self.address)
    }
}

impl fmt::Display for EnodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme => f.write_str("a node's URL begins with enode://"),
            Self::NoAt => f.write_str("no @ between node id and address"),
            Self::IdLength(len) => write!(f, "the node id has {len} hexadecimal digits instead of 128"),
            Self::IdDigit(position, digit) => {
                write!(f, "character {position} of the node id is {digit:?}, which is no hexadecimal digit")
            }
            Self::NullId => f.write_str("the node id is zero, which names nobody"),
            Self::Host(host) => write!(f, "the host {host:?} is neither an IPv4 address nor an IPv6 one in brackets"),
            Self::NoPort => f.write_str("no port after the address"),
            Self::Port(port) => write!(f, "the port {port:?} is not a number from 1 to 65535"),
            Self::DiscoveryPort(port) => write!(f, "the discport {port:?} is not a number from 0 to 65535"),
            Self::Parameter(parameter) => write!(f, "{parameter:?} is not discport=PORT"),
        }
    }
}

impl std::error::Error for EnodeError {}
