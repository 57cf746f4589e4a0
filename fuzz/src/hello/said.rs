//! The content of a Hello, and its faults

use devp2p_proto::rlp::RlpError;
use devp2p_proto::{MAX_CLIENT_ID, MAX_PROTOCOLS, NodeId, RemoteHello, Violation};

use super::numbers::number;
use super::own_id;
use crate::input::Input;
use crate::items::{list, string, uint};
use crate::settings::{Local, Side, key};

#[derive(Debug)]
pub(super) struct Said {
    pub(super) payload: Vec<u8>,
    pub(super) version: u64,
    client_id: Vec<u8>,
    pub(super) capabilities: Vec<(Vec<u8>, u64)>,
    port: u64,
    /// The node id as bytes; empty if there is none
    id: Vec<u8>,
    /// The faults in its form
    malformed: Vec<RlpError>,
}

impl Said {
    pub(super) fn from_input(input: &mut Input<'_>, locals: &[Local]) -> Self {
        let mut malformed = Vec::new();
        let (version, version_item) = number(input, &[5, 5, 4, 6, 3, 0, u64::MAX], &mut malformed);
        let (capabilities, capabilities_item) = capabilities(input, locals, &mut malformed);
        let (port, port_item) = number(input, &[30303, 0, 65_535, 70_000], &mut malformed);
        let (id, id_item) = node_id(input, &mut malformed);
        let (client_id, client_item) = client_id(input, &mut malformed);
        let mut items = vec![version_item, client_item, capabilities_item, port_item];
        if let Some(item) = id_item {
            items.push(item);
            // What follows the five items is ignored, whatever it is (EIP-8).
            items.push(input.bytes().to_vec());
        }
        let (payload, fault) = whole(input, list(&items.concat()));
        let malformed = fault.map_or(malformed, |fault| vec![fault]);
        Self { payload, version, client_id, capabilities, port, id, malformed }
    }

    /// The violations of this Hello, any of which the link may name; none if it is a valid Hello of `remote`
    pub(super) fn violations(&self, remote: NodeId) -> Vec<Violation> {
        if !self.malformed.is_empty() {
            return self.malformed.iter().map(|error| Violation::MalformedHello(*error)).collect();
        }
        let faults = [
            (self.version < 4, Violation::IncompatibleVersion(self.version)),
            (self.is_null(), Violation::NullIdentity),
            (!self.is_null() && self.id != remote.as_bytes(), Violation::UnexpectedIdentity),
            (self.id == own_id().as_bytes() && remote == own_id(), Violation::ConnectedToSelf),
        ];
        faults.into_iter().filter_map(|(applies, violation)| applies.then_some(violation)).collect()
    }

    /// An id that is missing or has another length counts as null
    fn is_null(&self) -> bool {
        self.id.len() != 64 || self.id.iter().all(|byte| *byte == 0)
    }

    /// Checks what the link tells the driver about the remote
    pub(super) fn check_what_is_kept(&self, kept: &RemoteHello) {
        let possible = |name: &[u8]| matches!(name.len(), 1..=8) && name.iter().all(|byte| matches!(byte, b'!'..=b'~'));
        let listed: Vec<_> = self.capabilities.iter().filter(|(name, _)| possible(name)).collect();
        let shown = kept.capabilities().iter().map(|capability| (capability.name.as_bytes(), capability.version));
        assert!(shown.eq(listed.iter().take(MAX_PROTOCOLS).map(|(name, version)| (&name[..], *version))));
        assert_eq!(kept.omitted_capabilities(), listed.len().saturating_sub(MAX_PROTOCOLS));
        let printable = self.client_id.iter().map(|byte| if matches!(byte, b' '..=b'~') { *byte } else { b'?' });
        assert!(kept.client_id().bytes().eq(printable.take(MAX_CLIENT_ID)));
        assert_eq!((kept.version(), kept.listen_port()), (self.version, self.port));
    }
}

/// The list of capabilities, and those that are well-formed
fn capabilities(
    input: &mut Input<'_>,
    locals: &[Local],
    malformed: &mut Vec<RlpError>,
) -> (Vec<(Vec<u8>, u64)>, Vec<u8>) {
    let count = input.byte();
    let (mut listed, mut content) = (Vec::new(), Vec::new());
    match count {
        // A string where the list should be
        0xff => {
            malformed.push(RlpError::ExpectedList);
            return (listed, vec![0x80]);
        }
        // More capabilities than a link keeps
        0xf0.. => {
            let name = locals[0].0.as_bytes();
            let first = u64::from(input.byte());
            for version in first..first + u64::from(input.byte()) {
                content.extend(list(&[string(name), uint(version)].concat()));
                listed.push((name.to_vec(), version));
            }
        }
        _ => {}
    }
    for _ in 0..count % 9 {
        let name = name(input, locals);
        let (version, item) = number(input, &locals.iter().map(|local| local.1).collect::<Vec<_>>(), malformed);
        content.extend(entry(input, &string(&name), &item, malformed));
        listed.push((name, version));
    }
    (listed, list(&content))
}

/// One of our names, a similar name, or any bytes
fn name(input: &mut Input<'_>, locals: &[Local]) -> Vec<u8> {
    let choice = input.byte();
    let ours = locals[usize::from(choice & 0x0f) % locals.len()].0.as_bytes();
    match choice >> 4 {
        0..=9 => ours.to_vec(),
        10 => [ours, &[0]].concat(),
        11 => ours.to_ascii_uppercase(),
        12 => ours[1..].to_vec(),
        13 => ours.repeat(9),
        _ => input.bytes().to_vec(),
    }
}

/// An entry of the list; one that is malformed has one more fault than its parts
fn entry(input: &mut Input<'_>, name: &[u8], version: &[u8], malformed: &mut Vec<RlpError>) -> Vec<u8> {
    let (entry, fault) = match input.byte() {
        0xf8 => (vec![0x83, b'e', b't', b'h'], RlpError::ExpectedList),
        0xf9 => (vec![0xc0], RlpError::Truncated),
        0xfa => (list(name), RlpError::Truncated),
        0xfb => (list(&[name, &[0x01, 0x80]].concat()), RlpError::TrailingBytes),
        0xfc => (list(&[0xc0, 0x01]), RlpError::ExpectedString),
        // The name or the version extends beyond the end of the entry.
        0xfd => (vec![0xc3, 0x83, b'e', b't'], RlpError::Truncated),
        0xfe => (vec![0xc2, b'a', 0x82], RlpError::Truncated),
        0xff => (vec![0xf8, 0x02, b'a', 0x01], RlpError::NonCanonicalLength),
        _ => return list(&[name, version].concat()),
    };
    malformed.push(fault);
    entry
}

/// A node id as bytes and as item, `None` if the list ends before it
fn node_id(input: &mut Input<'_>, malformed: &mut Vec<RlpError>) -> (Vec<u8>, Option<Vec<u8>>) {
    let right = key(Side::Remote).node_id().as_bytes().to_vec();
    let id = match input.byte() {
        0xf0 => return (Vec::new(), None),
        0xf1 => {
            malformed.push(RlpError::ExpectedString);
            return (Vec::new(), Some(list(&string(&right))));
        }
        0xf2 => vec![0; 64],
        0xf3 => right[..usize::from(input.byte()) % 64].to_vec(),
        0xf4 => [&right[..], &[0]].concat(),
        0xf5 => key(Side::Stranger).node_id().as_bytes().to_vec(),
        0xf6.. => own_id().as_bytes().to_vec(),
        0xe0..=0xef => {
            let mut wrong = right;
            wrong[usize::from(input.byte()) % 64] ^= 1 << (input.byte() % 8);
            wrong
        }
        _ => right,
    };
    let item = string(&id);
    (id, Some(item))
}

fn client_id(input: &mut Input<'_>, malformed: &mut Vec<RlpError>) -> (Vec<u8>, Vec<u8>) {
    if input.byte() == 0xff {
        malformed.push(RlpError::ExpectedString);
        return (Vec::new(), vec![0xc0]);
    }
    let id = input.bytes();
    (id.to_vec(), string(id))
}

/// The payload, and the fault that hides all others
fn whole(input: &mut Input<'_>, payload: Vec<u8>) -> (Vec<u8>, Option<RlpError>) {
    match input.byte() {
        0xf0..=0xf7 => {
            let len = usize::from(input.u16()) % payload.len();
            (payload[..len].to_vec(), Some(RlpError::Truncated))
        }
        0xf8..=0xfb => (string(&payload), Some(RlpError::ExpectedList)),
        // Bytes after the list are ignored, as are additional items in the list.
        0xfc..=0xff => ([&payload[..], input.bytes()].concat(), None),
        _ => (payload, None),
    }
}
