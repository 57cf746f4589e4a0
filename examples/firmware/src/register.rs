//! A device's register, 32 bits wide

/// One register
pub struct Register(*mut u32);

impl Register {
    /// The register at `address`
    ///
    /// # Safety
    /// It must be a register of a device, so that no access touches memory that Rust knows of.
    pub const unsafe fn at(address: usize) -> Self {
        Self(address as *mut u32)
    }

    pub fn read(&self) -> u32 {
        // SAFETY: a register, by the contract of `at`
        unsafe { self.0.read_volatile() }
    }

    pub fn write(&mut self, value: u32) {
        // SAFETY: a register, by the contract of `at`
        unsafe { self.0.write_volatile(value) }
    }
}
