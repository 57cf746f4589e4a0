//! Enode URLs, by which nodes are dialled

use core::ffi::c_char;
use core::mem::MaybeUninit;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::str;

use devp2p_proto::{Enode as Url, ParseEnodeError};

use crate::given;
use crate::status::{Status, status};
use crate::text::Id;

/// A node and where it listens, as an enode URL names it
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Enode {
    /// The id of the node
    pub id: Id,
    /// The IP address, big-endian; an IPv4 address in its first 4 bytes, and zeros
    pub address: [u8; 16],
    /// Bytes of the address: 4 for IPv4, 16 for IPv6
    pub address_len: usize,
    /// The port
    pub port: u16,
}

/// Reads an enode URL, `enode://ID@ADDRESS:PORT`, with a numeric address
///
/// `len` is the length of `url` without a zero at its end, which is not needed. The query `discport` is accepted and
/// dropped, and so is the zone of an IPv6 address.
///
/// # Safety
/// Each pointer is NULL or points to what its type and this text say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn devp2p_enode_parse(
    url: *const c_char,
    len: usize,
    enode: Option<&mut MaybeUninit<Enode>>,
) -> Status {
    // SAFETY: the caller promises that the bytes are there.
    let url = unsafe { given::items(url.cast::<u8>(), len) };
    status(url.and_then(|url| {
        let enode = enode.ok_or(Status::NullPointer)?;
        let url: Url = str::from_utf8(url).map_err(|_| Status::InvalidEnodeScheme)?.parse()?;
        enode.write(url.into());
        Ok(())
    }))
}

/// Writes the enode URL of a node, with a zero at its end
///
/// `size` is the size of `text`; 192 bytes are always enough. `*len` is the length of the URL without its zero, also if
/// the call returns `DEVP2P_STATUS_TOO_SHORT`; then `text` has as much of it as fits. `len` may be NULL.
/// `DEVP2P_STATUS_INVALID_ENODE_ADDRESS` if the length of the address is neither 4 nor 16.
///
/// # Safety
/// Each pointer is NULL or points to what its type and this text say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn devp2p_enode_text(
    enode: Option<&Enode>,
    text: *mut c_char,
    size: usize,
    len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    status(enode.ok_or(Status::NullPointer).and_then(Enode::url).and_then(|url| {
        // SAFETY: the caller promises that the room is there.
        unsafe { given::write_text(text, size, len, url) }
    }))
}

impl Enode {
    fn url(&self) -> Result<Url, Status> {
        let [a, b, c, d, ..] = self.address;
        let address = match self.address_len {
            4 => IpAddr::from([a, b, c, d]),
            16 => IpAddr::from(self.address),
            _ => return Err(Status::InvalidEnodeAddress),
        };
        Ok(Url { node_id: (&self.id).into(), address: SocketAddr::new(address, self.port) })
    }
}

impl From<Url> for Enode {
    fn from(url: Url) -> Self {
        let (address, address_len) = match url.address.ip() {
            IpAddr::V4(address) => (from_v4(address), 4),
            IpAddr::V6(address) => (Ipv6Addr::octets(&address), 16),
        };
        Self { id: url.node_id.into(), address, address_len, port: url.address.port() }
    }
}

fn from_v4(address: Ipv4Addr) -> [u8; 16] {
    let [a, b, c, d] = address.octets();
    [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

impl From<ParseEnodeError> for Status {
    fn from(error: ParseEnodeError) -> Self {
        match error {
            ParseEnodeError::Scheme => Self::InvalidEnodeScheme,
            ParseEnodeError::NodeId => Self::InvalidEnodeId,
            ParseEnodeError::Address => Self::InvalidEnodeAddress,
            ParseEnodeError::Query => Self::InvalidEnodeQuery,
            _ => Self::Refused,
        }
    }
}
