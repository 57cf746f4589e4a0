//! Payloads that the driver has taken out and keeps, and the memory that each of them holds

use devp2p_proto::Payload;

/// What a payload may hold beyond twice its own length
const SLACK: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// The driver takes payloads out
    pub(crate) wanted: bool,
    payloads: Vec<bytes::Bytes>,
}

impl Kept {
    /// Takes a payload out of the link, and returns what is in it
    pub(super) fn take(&mut self, payload: Payload<'_>) -> Vec<u8> {
        let bytes = payload.into_bytes();
        let content = bytes.to_vec();
        self.payloads.truncate(3);
        self.payloads.insert(0, bytes);
        content
    }

    pub(crate) fn drop_all(&mut self) {
        self.payloads.clear();
    }

    /// Panics if the smallest of the payloads holds much more memory than it needs
    ///
    /// The link must be dropped before, and the other payloads are dropped here: only the sole owner of an
    /// allocation can learn its size.
    pub(crate) fn check(mut self) {
        self.payloads.sort_by_key(bytes::Bytes::len);
        self.payloads.truncate(1);
        let Some(smallest) = self.payloads.pop() else {
            return;
        };
        let len = smallest.len();
        let capacity = match smallest.try_into_mut() {
            Ok(memory) => memory.capacity(),
            Err(shared) => {
                assert!(shared.is_empty(), "another owner holds the payload");
                return;
            }
        };
        assert!(capacity <= 2 * len + SLACK, "{len} bytes of payload hold {capacity} bytes of memory");
    }
}
