//! Receipts that come in pages (EIP-7975): keeps the receipts of a block until its last page has come

use devp2p_drivers::eth::answer::MAX_ITEMS;
use devp2p_drivers::eth::receipt::{Receipt, Receipts};

use crate::failure::Failure;

/// How many bytes the receipts of one block may have
///
/// A byte of a log costs 8 gas, so the logs of a block of 500 million gas are within this limit.
const MAX_BYTES: usize = 64 << 20;

/// The first receipts of the first block that is still wanted
#[derive(Debug, Default)]
pub struct Pages {
    begun: Vec<Receipt>,
    bytes: usize,
}

impl Pages {
    /// The index of the first receipt that has not come
    pub const fn first(&self) -> u64 {
        self.begun.len() as u64
    }

    /// Puts the receipts of earlier pages in front of the first list, and keeps the last list if it goes on
    pub fn join(&mut self, mut lists: Vec<Receipts>, is_incomplete: bool) -> Result<Vec<Receipts>, Failure> {
        let Some(first) = lists.first_mut() else {
            return if is_incomplete { Err(no_progress()) } else { Ok(lists) };
        };
        let new = std::mem::take(&mut first.0);
        let (is_empty, added) = (new.is_empty(), size(&new));
        first.0 = std::mem::take(&mut self.begun);
        first.0.extend(new);
        let begun_before = std::mem::take(&mut self.bytes);
        if !is_incomplete {
            return Ok(lists);
        }
        self.bytes = match lists.len() {
            1 if is_empty => return Err(no_progress()),
            // Only the new receipts are counted: a peer may send one receipt in each page, and counting all each time
            // would take quadratic time.
            1 => begun_before + added,
            _ => lists.last().map_or(0, |last| size(&last.0)),
        };
        self.begun = lists.pop().map_or_else(Vec::new, |last| last.0);
        self.check()?;
        Ok(lists)
    }

    fn check(&self) -> Result<(), Failure> {
        match self.begun.len() > MAX_ITEMS || self.bytes > MAX_BYTES {
            true => Err(Failure::Breach("more receipts in one block than any block can have".to_string())),
            false => Ok(()),
        }
    }
}

fn size(receipts: &[Receipt]) -> usize {
    receipts.iter().map(|receipt| receipt.as_ref().len()).sum()
}

fn no_progress() -> Failure {
    Failure::Breach("an incomplete answer without receipts".to_string())
}
