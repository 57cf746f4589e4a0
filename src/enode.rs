//! Enode URLs, by which nodes are dialled

use core::error::Error;
use core::fmt;
use core::net::SocketAddr;
use core::str::FromStr;

use crate::node_id::NodeId;

/// An enode URL: `enode://ID@ADDRESS`
///
/// Parses with a numeric address and port, as in `enode://…@127.0.0.1:30303`. The query `discport`,
/// which is about discovery, is accepted and dropped. Prints with any address that can be displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Enode<A = SocketAddr> {
    /// The key of the node
    pub node_id: NodeId,
    /// Where the node listens for connections
    pub address: A,
}

impl<A: fmt::Display> fmt::Display for Enode<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "enode://{}@{}", self.node_id, self.address)
    }
}

impl FromStr for Enode {
    type Err = ParseEnodeError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let rest = url.strip_prefix("enode://").ok_or(ParseEnodeError::Scheme)?;
        let (id, rest) = rest.split_once('@').ok_or(ParseEnodeError::NodeId)?;
        let (address, query) = rest.split_once('?').unwrap_or((rest, "discport=0"));
        let node_id = id.parse().map_err(|_| ParseEnodeError::NodeId)?;
        let address = address.parse().map_err(|_| ParseEnodeError::Address)?;
        let port = query.strip_prefix("discport=").ok_or(ParseEnodeError::Query)?;
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        port.parse::<u16>().ok().filter(|_| digits).ok_or(ParseEnodeError::Query)?;
        Ok(Self { node_id, address })
    }
}

/// Which part of an enode URL is wrong
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ParseEnodeError {
    /// It does not begin with `enode://`
    Scheme,
    /// The part before `@` is not 128 hexadecimal digits
    NodeId,
    /// The part after `@` is not an IP address with a port
    Address,
    /// The query is not `discport` with a port
    Query,
}

impl fmt::Display for ParseEnodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "an enode URL begins with enode://",
            Self::NodeId => "an enode URL has 128 hexadecimal digits before the @",
            Self::Address => "an enode URL has an IP address and a port after the @",
            Self::Query => "the query of an enode URL is discport and a port",
        })
    }
}

impl Error for ParseEnodeError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::ToString;

    #[test]
    fn a_url_reads_as_it_prints() {
        let id = "ab".repeat(64);
        for address in ["127.0.0.1:30303", "[::1]:1", "255.255.255.255:65535"] {
            let url = format!("enode://{id}@{address}");
            let enode: Enode = url.parse().unwrap();
            assert_eq!(enode.to_string(), url);
            assert_eq!(format!("{url}?discport=30301").parse(), Ok(enode));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let id = "ab".repeat(64);
        for (url, error) in [
            (format!("http://{id}@127.0.0.1:1"), ParseEnodeError::Scheme),
            (format!("enode://{id}"), ParseEnodeError::NodeId),
            (format!("enode://{}@127.0.0.1:1", &id[1..]), ParseEnodeError::NodeId),
            (format!("enode://{id}@localhost:1"), ParseEnodeError::Address),
            (format!("enode://{id}@127.0.0.1"), ParseEnodeError::Address),
            (format!("enode://{id}@127.0.0.1:1?discport=x"), ParseEnodeError::Query),
            (format!("enode://{id}@127.0.0.1:1?v4=1"), ParseEnodeError::Query),
            (format!("enode://{id}@127.0.0.1:1?discport=+5"), ParseEnodeError::Query),
        ] {
            assert_eq!(url.parse::<Enode>(), Err(error), "{url}");
        }
    }
}
