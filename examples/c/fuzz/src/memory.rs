//! Memory as a program in C would have it

use std::alloc::{Layout, alloc, dealloc};
use std::ffi::c_void;
use std::slice;

use devp2p::{
    Buffers, DEVP2P_CONFIG_ALIGN, DEVP2P_CONFIG_SIZE, DEVP2P_LINK_ALIGN, DEVP2P_LINK_SIZE, DEVP2P_SLOT_ALIGN,
    DEVP2P_SLOT_SIZE,
};
use devp2p_proto::ProtocolSlot;

/// So many bytes, which begin at a multiple of their alignment and are filled with anything
pub(crate) struct Memory {
    start: *mut u8,
    layout: Layout,
}

impl Memory {
    pub(crate) fn new(size: usize, align: usize) -> Self {
        let layout = Layout::from_size_align(size, align).expect("an alignment");
        // SAFETY: no size here is zero
        let start = unsafe { alloc(layout) };
        assert!(!start.is_null(), "there is memory");
        // SAFETY: so many bytes were allocated
        unsafe { start.write_bytes(0xa5, size) };
        Self { start, layout }
    }

    pub(crate) fn for_link() -> Self {
        Self::new(DEVP2P_LINK_SIZE, DEVP2P_LINK_ALIGN)
    }

    pub(crate) fn for_config() -> Self {
        Self::new(DEVP2P_CONFIG_SIZE, DEVP2P_CONFIG_ALIGN)
    }

    pub(crate) fn start<T>(&self) -> *mut T {
        self.start.cast()
    }

    pub(crate) const fn size(&self) -> usize {
        self.layout.size()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: it was allocated with this layout
        unsafe { dealloc(self.start, self.layout) };
    }
}

/// The buffers of one link
pub(crate) struct LinkBuffers {
    receive: Memory,
    transmit: Memory,
    table: Memory,
    slots: Memory,
}

/// Entries of the compressor's table
const TABLE_LEN: usize = 256;

impl LinkBuffers {
    pub(crate) fn new(receive: usize, transmit: usize, protocols: usize) -> Self {
        Self {
            receive: Memory::new(receive, 1),
            transmit: Memory::new(transmit, 1),
            table: Memory::new(TABLE_LEN * 2, 2),
            slots: Memory::new(protocols * DEVP2P_SLOT_SIZE, DEVP2P_SLOT_ALIGN),
        }
    }

    pub(crate) fn given(&self) -> Buffers {
        Buffers {
            receive: self.receive.start(),
            receive_len: self.receive.size(),
            transmit: self.transmit.start(),
            transmit_len: self.transmit.size(),
            table: self.table.start(),
            table_len: TABLE_LEN,
            slots: self.slots.start::<c_void>(),
            slots_size: self.slots.size(),
        }
    }

    /// The same memory for a link in Rust
    ///
    /// # Safety
    /// Only one link at a time uses it, and it is not used after it is dropped.
    pub(crate) unsafe fn lent(&self) -> devp2p_proto::Buffers<'static> {
        let slots = self.slots.start::<ProtocolSlot>();
        let count = self.slots.size() / size_of::<ProtocolSlot>();
        for index in 0..count {
            // SAFETY: so many slots fit into the memory, which begins at a multiple of their alignment
            unsafe { slots.add(index).write(ProtocolSlot::EMPTY) };
        }
        // SAFETY: so many bytes are there and have been written; the caller promises the rest
        let receive = unsafe { slice::from_raw_parts_mut(self.receive.start(), self.receive.size()) };
        // SAFETY: as above
        let transmit = unsafe { slice::from_raw_parts_mut(self.transmit.start(), self.transmit.size()) };
        // SAFETY: as above
        let table = unsafe { slice::from_raw_parts_mut(self.table.start(), TABLE_LEN) };
        // SAFETY: as above
        let slots = unsafe { slice::from_raw_parts_mut(slots, count) };
        devp2p_proto::Buffers::fixed(receive, transmit, table, slots)
    }
}
