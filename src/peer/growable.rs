//! Buffers that grow, if there is an allocator
//!
//! Without an allocator these types are uninhabited: the code that uses them stays the same, and the
//! compiler drops it.

#[cfg(feature = "alloc")]
pub(super) use with_alloc::{Growable, GrowableSlots, GrowableTable};
#[cfg(not(feature = "alloc"))]
pub(super) use without_alloc::{Growable, GrowableSlots, GrowableTable};

#[cfg(feature = "alloc")]
mod with_alloc {
    use alloc::vec::Vec;
    use core::ops::Range;

    use bytes::{Buf, Bytes, BytesMut};

    use crate::invariant::must;
    use crate::peer::protocols::ProtocolSlot;
    use crate::wire::copy;

    /// How much memory a payload may hold beyond twice its own length
    const SLACK: usize = 4096;

    /// Bytes that grow by zeros
    ///
    /// The length only shrinks when memory is given back, so that bytes are zeroed once and not for
    /// every message.
    #[derive(Debug, Default)]
    pub(crate) struct Growable {
        bytes: BytesMut,
        /// The size of the allocation that holds `bytes`; a part of it may have been handed over
        allocated: usize,
    }

    impl Growable {
        pub(crate) fn bytes(&self) -> &[u8] {
            &self.bytes
        }

        pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
            &mut self.bytes
        }

        /// How much memory the buffer occupies
        pub(crate) fn allocated(&self) -> usize {
            self.allocated
        }

        /// The first `len` bytes
        pub(crate) fn grow(&mut self, len: usize) -> &mut [u8] {
            self.grow_within(len, usize::MAX)
        }

        /// The first `len` bytes; capacity beyond `len` stays within `limit`
        ///
        /// The allocation doubles, so that all copies together are linear in the final length.
        pub(crate) fn grow_within(&mut self, len: usize, limit: usize) -> &mut [u8] {
            if self.bytes.len() < len {
                self.extend(len, limit);
            }
            must(self.bytes.get_mut(..len), "the buffer has grown")
        }

        #[cold]
        fn extend(&mut self, len: usize, limit: usize) {
            let missing = len.saturating_sub(self.bytes.len());
            if self.bytes.capacity() < len && !self.bytes.try_reclaim(missing) {
                let capacity = len.max(self.bytes.len().saturating_mul(2).min(limit));
                let mut larger = BytesMut::with_capacity(capacity);
                larger.extend_from_slice(&self.bytes);
                self.bytes = larger;
                self.allocated = self.bytes.capacity();
            }
            self.bytes.resize(len, 0);
        }

        /// Hands a part over, without a copy unless the part would hold far more memory than it needs
        pub(crate) fn give(&mut self, range: Range<usize>) -> Bytes {
            let part = must(self.bytes.get(range.clone()), "the payload lies in the buffer");
            if self.allocated > part.len().saturating_mul(2).saturating_add(SLACK) {
                return Bytes::copy_from_slice(part);
            }
            let end = range.end.min(self.bytes.len());
            let mut given = self.bytes.split_to(end).freeze();
            given.advance(range.start.min(end));
            given
        }

        /// Shrinks to `peak` bytes if the buffer occupies at least twice as many; `kept` moves to the front
        pub(crate) fn trim(&mut self, peak: usize, kept: Range<usize>) -> bool {
            let peak = peak.max(kept.len());
            if self.allocated == 0 || self.allocated / 2 < peak {
                return false;
            }
            let mut smaller = BytesMut::zeroed(peak);
            copy(&mut smaller, must(self.bytes.get(kept), "what is kept lies in the buffer"));
            *self = Self { allocated: smaller.capacity(), bytes: smaller };
            true
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct GrowableTable(Vec<u16>);

    impl GrowableTable {
        pub(crate) fn grow(&mut self, entries: usize) -> &mut [u16] {
            if self.0.len() < entries {
                self.0.resize(entries, 0);
            }
            &mut self.0
        }

        /// How much memory the table occupies
        pub(crate) fn allocated(&self) -> usize {
            self.0.capacity().saturating_mul(size_of::<u16>())
        }

        pub(crate) fn clear(&mut self) {
            self.0 = Vec::new();
        }
    }

    /// As many slots as a link has protocols
    #[derive(Debug, Default)]
    pub(crate) struct GrowableSlots(Vec<ProtocolSlot>);

    impl GrowableSlots {
        pub(crate) fn get(&self) -> &[ProtocolSlot] {
            &self.0
        }

        pub(crate) fn get_mut(&mut self) -> &mut [ProtocolSlot] {
            &mut self.0
        }

        /// Makes exactly `protocols` slots, all of them empty
        pub(crate) fn renew(&mut self, protocols: usize) {
            self.0 = Vec::new();
            // `reserve_exact` has a panic in its machine code. Without memory, `resize` aborts as every allocation does.
            _ = self.0.try_reserve_exact(protocols);
            self.0.resize(protocols, ProtocolSlot::EMPTY);
        }
    }
}

#[cfg(not(feature = "alloc"))]
mod without_alloc {
    use core::ops::Range;

    use crate::peer::protocols::ProtocolSlot;

    #[derive(Debug)]
    pub(crate) enum Growable {}

    impl Growable {
        pub(crate) fn bytes(&self) -> &[u8] {
            match *self {}
        }

        pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
            match *self {}
        }

        pub(crate) fn allocated(&self) -> usize {
            match *self {}
        }

        pub(crate) fn grow(&mut self, _len: usize) -> &mut [u8] {
            match *self {}
        }

        pub(crate) fn grow_within(&mut self, _len: usize, _limit: usize) -> &mut [u8] {
            match *self {}
        }

        pub(crate) fn trim(&mut self, _peak: usize, _kept: Range<usize>) -> bool {
            match *self {}
        }
    }

    #[derive(Debug)]
    pub(crate) enum GrowableTable {}

    impl GrowableTable {
        pub(crate) fn grow(&mut self, _entries: usize) -> &mut [u16] {
            match *self {}
        }

        pub(crate) fn allocated(&self) -> usize {
            match *self {}
        }

        pub(crate) fn clear(&mut self) {
            match *self {}
        }
    }

    #[derive(Debug)]
    pub(crate) enum GrowableSlots {}

    impl GrowableSlots {
        pub(crate) fn get(&self) -> &[ProtocolSlot] {
            match *self {}
        }

        pub(crate) fn get_mut(&mut self) -> &mut [ProtocolSlot] {
            match *self {}
        }

        pub(crate) fn renew(&mut self, _protocols: usize) {
            match *self {}
        }
    }
}
