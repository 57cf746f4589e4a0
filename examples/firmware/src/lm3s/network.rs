//! The board in its network

use static_cell::StaticCell;

use super::{ADDRESS, Ethernet, HARDWARE};
use crate::entropy::{EntropyError, fill_random};
use crate::tcp::{Storage, Tcp};

pub type Network = Tcp<'static, Ethernet>;

/// The network, in the place where it stays; once
#[inline(never)]
pub fn start() -> Result<&'static mut Network, EntropyError> {
    static STORAGE: StaticCell<Storage> = StaticCell::new();
    static ETHERNET: StaticCell<Ethernet> = StaticCell::new();
    static NETWORK: StaticCell<Network> = StaticCell::new();
    let mut seed = [0; 8];
    fill_random(&mut seed)?;
    let ethernet = ETHERNET.init_with(|| Ethernet::start(HARDWARE));
    let storage = STORAGE.init_with(Storage::new);
    Ok(NETWORK.init_with(|| Tcp::new(ethernet, HARDWARE, ADDRESS, storage, u64::from_le_bytes(seed))))
}
