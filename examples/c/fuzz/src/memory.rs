//! Memory as a program in C would have it

use std::alloc::{Layout, alloc, dealloc};
use std::ffi::c_void;

use devp2p::{
    Buffers, DEVP2P_CONFIG_ALIGN, DEVP2P_CONFIG_SIZE, DEVP2P_LINK_ALIGN, DEVP2P_LINK_SIZE, DEVP2P_SLOT_ALIGN,
    DEVP2P_SLOT_SIZE,
};

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
}
