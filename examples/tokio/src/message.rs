//! What protocols send and receive

use bytes::Bytes;
use devp2p_proto::ProtocolError;

/// A message of a subprotocol, as a type of its own
pub trait Message: Sized + Send + 'static {
    /// The message for the wire
    fn into_raw(self) -> RawMessage;

    /// The message that has come from the peer
    ///
    /// # Errors
    /// [`ProtocolError::BadMessage`] if this is no message of the protocol. [`Io::recv`](crate::Io::recv) returns the
    /// error, so that the protocol can return it and so end the link.
    fn from_raw(raw: RawMessage) -> Result<Self, ProtocolError>;
}

/// A message as its code and its payload; also the [`Message`] of protocols that do their own encoding
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawMessage {
    /// The message code, relative to the protocol
    pub code: u64,
    /// The payload, not compressed
    pub payload: Bytes,
}

impl RawMessage {
    /// A message with this payload
    pub fn new(code: u64, payload: impl Into<Bytes>) -> Self {
        Self { code, payload: payload.into() }
    }

    /// A message whose payload the `rlp` crate encodes
    #[cfg(feature = "rlp")]
    pub fn rlp(code: u64, content: &impl rlp::Encodable) -> Self {
        Self { code, payload: rlp::encode(content).freeze() }
    }

    /// Decodes the payload with the `rlp` crate
    ///
    /// # Errors
    /// [`ProtocolError::BadMessage`] if the payload is not exactly one canonical item of that type.
    #[cfg(feature = "rlp")]
    pub fn decode<T: rlp::Decodable>(&self) -> Result<T, ProtocolError> {
        devp2p_proto::rlp::decode(&self.payload).map_err(|_| ProtocolError::BadMessage)
    }
}

impl Message for RawMessage {
    fn into_raw(self) -> RawMessage {
        self
    }

    fn from_raw(raw: RawMessage) -> Result<Self, ProtocolError> {
        Ok(raw)
    }
}
