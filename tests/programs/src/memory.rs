//! What Linux reports about a process

use std::fs;

/// A process, by its id
pub struct Process(pub u32);

impl Process {
    /// The resident memory, in KiB
    pub fn resident(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The peak of the resident memory since the last [`forget_peak`](Self::forget_peak), in KiB
    pub fn peak(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// Resets the peak
    pub fn forget_peak(&self) {
        fs::write(self.path("clear_refs"), "5").expect("our own child");
    }

    pub fn open_files(&self) -> usize {
        fs::read_dir(self.path("fd")).expect("it runs").count()
    }

    fn status(&self, name: &str) -> u64 {
        let status = fs::read_to_string(self.path("status")).expect("it runs");
        let value = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux reports it");
        value.trim().trim_end_matches("kB").trim().parse().expect("a number")
    }

    fn path(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.0)
    }
}
