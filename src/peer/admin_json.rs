//! The JSON of geth's `admin` interface

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use super::admin::{Network, NodeInfo, PeerInfo, ProtocolInfo};
use crate::enode::Enode;
use crate::node_id::NodeHash;
use crate::protocol::{Capability, Name};

macro_rules! serialize_as_text {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )*};
}

serialize_as_text!(Capability, Enode, Enode<&str>, Name, NodeHash);

impl<P: Serialize> Serialize for ProtocolInfo<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Handshake => serializer.serialize_str("handshake"),
            Self::Info(info) => info.serialize(serializer),
        }
    }
}

struct Protocols<'a, P>(&'a [(Name, ProtocolInfo<P>)]);

impl<P: Serialize> Serialize for Protocols<'_, P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0.iter().try_for_each(|(name, info)| map.serialize_entry(name, info))?;
        map.end()
    }
}

struct Connection<'a> {
    network: Network<'a>,
    inbound: bool,
}

impl Serialize for Connection<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("network", 5)?;
        fields.serialize_field("localAddress", self.network.local_address)?;
        fields.serialize_field("remoteAddress", self.network.remote_address)?;
        fields.serialize_field("inbound", &self.inbound)?;
        fields.serialize_field("trusted", &self.network.trusted)?;
        fields.serialize_field("static", &self.network.is_static)?;
        fields.end()
    }
}

impl<P: Serialize> Serialize for PeerInfo<'_, P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("PeerInfo", 6)?;
        fields.serialize_field("enode", &self.enode())?;
        fields.serialize_field("id", &self.id)?;
        fields.serialize_field("name", self.name)?;
        fields.serialize_field("caps", self.capabilities)?;
        fields.serialize_field("network", &Connection { network: self.network, inbound: self.inbound })?;
        fields.serialize_field("protocols", &Protocols(self.protocols()))?;
        fields.end()
    }
}

struct Ports {
    listener: u16,
}

impl Serialize for Ports {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("ports", 2)?;
        // This crate has no discovery; geth shows 0 if discovery is off.
        fields.serialize_field("discovery", &0)?;
        fields.serialize_field("listener", &self.listener)?;
        fields.end()
    }
}

impl<P: Serialize> Serialize for NodeInfo<'_, P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("NodeInfo", 7)?;
        fields.serialize_field("id", &self.id)?;
        fields.serialize_field("name", self.name)?;
        fields.serialize_field("enode", &self.enode())?;
        fields.serialize_field("ip", self.ip)?;
        fields.serialize_field("ports", &Ports { listener: self.listener })?;
        fields.serialize_field("listenAddr", self.listen_address)?;
        fields.serialize_field("protocols", &Protocols(self.protocols()))?;
        fields.end()
    }
}
