//! Buffers that grow, where there is an allocator to grow them with
//!
//! Without one both types are uninhabited: the code that uses them stays the same, and the compiler
//! drops it.

#[cfg(feature = "alloc")]
pub(super) use with_alloc::{Growable, GrowableTable};
#[cfg(not(feature = "alloc"))]
pub(super) use without_alloc::{Growable, GrowableTable};

#[cfg(feature = "alloc")]
mod with_alloc {
    use alloc::vec::Vec;

    use bytes::BytesMut;

    /// Bytes of which new ones are zero
    ///
    /// The length only shrinks when memory is given back, so that bytes are zeroed once and not for
    /// every message.
    #[derive(Debug, Default)]
    pub(crate) struct Growable(pub(super) BytesMut);

    impl Growable {
        pub(crate) fn bytes(&self) -> &[u8] {
            &self.0
        }

        pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
            &mut self.0
        }

        /// The buffer itself, to give a part of it away
        pub(crate) fn inner_mut(&mut self) -> &mut BytesMut {
            &mut self.0
        }

        /// The first `len` bytes
        pub(crate) fn grow(&mut self, len: usize) -> &mut [u8] {
            if self.0.len() < len {
                self.0.resize(len, 0);
            }
            self.0.get_mut(..len).unwrap_or_default()
        }

        /// Shrinks to `peak` bytes if at least twice as many are there; only the first `kept` stay
        pub(crate) fn trim(&mut self, peak: usize, kept: usize) {
            let peak = peak.max(kept);
            if self.0.capacity() / 2 >= peak && self.0.capacity() > 0 {
                let mut smaller = BytesMut::zeroed(peak);
                crate::wire::copy(&mut smaller, self.0.get(..kept).unwrap_or_default());
                self.0 = smaller;
            }
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

        pub(crate) fn clear(&mut self) {
            self.0 = Vec::new();
        }
    }
}

#[cfg(not(feature = "alloc"))]
mod without_alloc {
    #[derive(Debug)]
    pub(crate) enum Growable {}

    impl Growable {
        pub(crate) fn bytes(&self) -> &[u8] {
            match *self {}
        }

        pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
            match *self {}
        }

        pub(crate) fn grow(&mut self, _len: usize) -> &mut [u8] {
            match *self {}
        }

        pub(crate) fn trim(&mut self, _peak: usize, _kept: usize) {
            match *self {}
        }
    }

    #[derive(Debug)]
    pub(crate) enum GrowableTable {}

    impl GrowableTable {
        pub(crate) fn grow(&mut self, _entries: usize) -> &mut [u16] {
            match *self {}
        }

        pub(crate) fn clear(&mut self) {
            match *self {}
        }
    }
}
