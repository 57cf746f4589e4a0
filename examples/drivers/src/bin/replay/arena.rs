//! Memory of the kind and size that the recorded link had

use devp2p_drivers::journal::Memory;
use devp2p_proto::{Buffers, MAX_PROTOCOLS, ProtocolSlot};

pub struct Arena {
    memory: Memory,
    receive: Vec<u8>,
    transmit: Vec<u8>,
    table: Vec<u16>,
    slots: Vec<ProtocolSlot>,
}

impl Arena {
    /// `None` if the buffers are larger than any link needs: the lengths come from a file, which may be wrong
    pub fn new(memory: Memory) -> Option<Self> {
        memory.size().filter(|size| *size <= Memory::LARGEST)?;
        let (receive, transmit, table) = match memory {
            Memory::Growable => (0, 0, 0),
            Memory::Fixed { receive, transmit, table } => (receive, transmit, table),
        };
        Some(Self {
            memory,
            receive: vec![0; receive],
            transmit: vec![0; transmit],
            table: vec![0; table],
            slots: vec![ProtocolSlot::EMPTY; MAX_PROTOCOLS],
        })
    }

    pub fn buffers(&mut self) -> Buffers<'_> {
        match self.memory {
            Memory::Growable => Buffers::growable(),
            Memory::Fixed { .. } => {
                Buffers::fixed(&mut self.receive, &mut self.transmit, &mut self.table, &mut self.slots)
            }
        }
    }
}
