//! The Hello of the remote, and the protocols that both sides share after it

use devp2p_proto::rlp::Writer;
use devp2p_proto::{NodeId, ProtocolId, SharedProtocol};

use crate::input::Input;
use crate::settings::{Local, Side, key};

/// A protocol that both have, and where its messages begin
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) protocol: ProtocolId,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

impl Agreed {
    pub(crate) const fn is(&self, shared: &SharedProtocol) -> bool {
        let Self { protocol, offset, length, .. } = self;
        protocol.0 == shared.protocol.0 && *offset == shared.offset && *length == shared.length
    }
}

/// A Hello of any kind
#[derive(Debug, Default)]
pub(crate) struct Hello {
    pub(super) version: u64,
    pub(super) capabilities: Vec<(Vec<u8>, u64)>,
    /// The side whose id it carries, zeros for `None`; by default the remote's own
    wrong_id: Option<Option<Side>>,
    tail: Vec<u8>,
    truncated: bool,
}

impl Hello {
    /// A valid Hello
    pub(crate) fn good(version: u64, capabilities: impl Iterator<Item = (Vec<u8>, u64)>) -> Self {
        Self { version, capabilities: capabilities.collect(), ..Self::default() }
    }

    pub(super) fn read(locals: &[Local], input: &mut Input<'_>) -> Self {
        let version = input.pick(&[5, 4, 5, 4, 3, 6, u64::MAX]);
        let mask = input.byte();
        let chosen = locals.iter().enumerate().filter(|(index, _)| mask >> (index % 8) & 1 == 0);
        let mut capabilities: Vec<_> = chosen.map(|(_, local)| (local.0.as_bytes().to_vec(), local.1)).collect();
        match input.byte() % 8 {
            1 => capabilities.extend([(b"waytoolong".to_vec(), 1), (Vec::new(), 2), (b"\xff".to_vec(), 3)]),
            2 => capabilities.extend_from_within(..),
            3 => capabilities.extend((0..input.byte()).map(|version| (b"alpha".to_vec(), version.into()))),
            4 => capabilities.push((input.bytes().to_vec(), input.byte().into())),
            5 => capabilities.insert(0, (b"alpha".to_vec(), u64::MAX)),
            _ => {}
        }
        let wrong_id = match input.byte() {
            1 => Some(None),
            2 => Some(Some(Side::Link)),
            3 => Some(Some(Side::Stranger)),
            _ => None,
        };
        let (tail, truncated) = match input.byte() {
            1 => (input.bytes().to_vec(), false),
            2 => (Vec::new(), true),
            _ => (Vec::new(), false),
        };
        Self { version, capabilities, wrong_id, tail, truncated }
    }

    pub(super) const fn is_refused(&self) -> bool {
        self.version < 4 || self.wrong_id.is_some() || self.truncated
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let id = match self.wrong_id {
            None => key(Side::Remote).node_id(),
            Some(None) => NodeId::new([0; 64]),
            Some(Some(side)) => key(side).node_id(),
        };
        let mut buffer = vec![0; 8192];
        let mut writer = Writer::new(&mut buffer);
        writer.list(|list| {
            list.uint(self.version);
            list.bytes(b"fuzz/remote\x1b[31m");
            list.list(|list| {
                for (name, version) in &self.capabilities {
                    list.list(|list| {
                        list.bytes(name);
                        list.uint(*version);
                    });
                }
            });
            list.uint(30303);
            list.bytes(id.as_bytes());
            list.raw(&self.tail);
        });
        let mut payload = writer.finish().unwrap().to_vec();
        if self.truncated {
            payload.pop();
        }
        payload
    }
}

/// What both have: the highest common version of every name, in the order of names (rlpx.md)
pub(crate) fn agree(locals: &[Local], remote: &[(Vec<u8>, u64)]) -> Vec<Agreed> {
    let has = |local: &Local| remote.contains(&(local.0.as_bytes().to_vec(), local.1));
    let common: Vec<_> = locals.iter().enumerate().filter(|(_, local)| has(local)).collect();
    let beaten = |local: &Local| common.iter().any(|(_, other)| other.0 == local.0 && other.1 > local.1);
    let mut winners: Vec<_> = common.iter().filter(|(_, local)| !beaten(local)).collect();
    winners.sort_by_key(|(_, local)| local.0);
    let mut offset = 16;
    let mut agreed = Vec::new();
    for (index, (_, _, length, _)) in winners {
        agreed.push(Agreed { protocol: ProtocolId(*index), offset, length: *length });
        offset += length;
    }
    agreed
}
