//! Answers to requests, from what is in the store
//!
//! However much is asked for, an answer has at most [`HARD_LIMIT`] bytes, and ends soon after [`SOFT_LIMIT`]. Its
//! items are in the order of the request and without a gap: the first item that is not in the store ends the
//! answer.

use rlp::RlpStream;

use crate::eth::hash::Hash;
use crate::eth::header::{Header, MAX_HEADER};
use crate::eth::message::{GetBlockHeaders, MAX_LIST, Numbered, Origin, RANGE_VERSION};
use crate::eth::receipt::Receipt;
use crate::eth::store::Store;

/// An answer ends once it has so many bytes: the specification recommends 2 MiB
pub const SOFT_LIMIT: usize = 2 << 20;
/// The largest answer: what the reference client takes as a message is 10 MiB
pub const HARD_LIMIT: usize = 10 << 20;
/// The bytes of an answer that are not items: two or three headers of lists, the id, and the flag of a page
const ENVELOPE: usize = 64;

// A list of headers is within the limit, even if it has as many as it may have and all are of the largest size.
const _: () = assert!(MAX_LIST * MAX_HEADER <= SOFT_LIMIT);

/// `BlockHeaders`
pub fn headers(store: &Store, request: &Numbered<GetBlockHeaders>) -> Vec<u8> {
    let mut answer = Answer::new(request.id);
    for header in find_headers(store, &request.content) {
        answer.stream.append_raw(header.encoded(), 1);
    }
    answer.finish()
}

fn find_headers<'a>(store: &'a Store, request: &GetBlockHeaders) -> impl Iterator<Item = &'a Header> {
    let origin = match request.origin {
        Origin::Number(number) => Some(number),
        Origin::Hash(hash) => store.number(&hash),
    };
    let amount = usize::try_from(request.amount).map_or(MAX_LIST, |amount| amount.min(MAX_LIST));
    let (skip, reverse) = (request.skip, request.reverse);
    // A step beyond genesis or beyond the highest number ends the answer.
    let step = move |number: &u64| match reverse {
        true => number.checked_sub(skip)?.checked_sub(1),
        false => number.checked_add(skip)?.checked_add(1),
    };
    let numbers = std::iter::successors(origin, step).take(amount);
    numbers.map_while(|number| store.header(number))
}

/// `BlockBodies`
pub fn bodies(store: &Store, id: u64, blocks: &[Hash]) -> Vec<u8> {
    let mut answer = Answer::new(id);
    for body in blocks.iter().take(MAX_LIST).map_while(|hash| store.body(hash)) {
        if answer.is_long() || !answer.has_space(body.len()) {
            break;
        }
        answer.stream.append_raw(body, 1);
    }
    answer.finish()
}

/// `Receipts` up to eth/69: all receipts of a block, or none of them
pub fn receipts(store: &Store, version: u64, id: u64, blocks: &[Hash]) -> Vec<u8> {
    let mut answer = Answer::new(id);
    let append = if version >= RANGE_VERSION { Receipt::append_without_bloom } else { Receipt::append_with_bloom };
    for receipts in blocks.iter().take(MAX_LIST).map_while(|hash| store.receipts(hash)) {
        if answer.is_long() || !answer.has_space(size(receipts)) {
            break;
        }
        answer.stream.begin_list(receipts.len());
        receipts.iter().for_each(|receipt| append(receipt, &mut answer.stream));
    }
    answer.finish()
}

/// `Receipts` from eth/70 on: the receipts of the last block may go on in the next page
///
/// `first` is the index of the first receipt that is wanted of the first block.
pub fn page_of_receipts(store: &Store, id: u64, first: u64, blocks: &[Hash]) -> Vec<u8> {
    let mut page = Page::default();
    let mut first = usize::try_from(first).unwrap_or(usize::MAX);
    for receipts in blocks.iter().take(MAX_LIST).map_while(|hash| store.receipts(hash)) {
        let wanted = receipts.get(std::mem::take(&mut first)..).unwrap_or_default();
        if !page.add(wanted) {
            break;
        }
    }
    page.finish(id)
}

/// An answer to which items are added: `[id, [item, …]]`
struct Answer {
    stream: RlpStream,
}

impl Answer {
    fn new(id: u64) -> Self {
        let mut stream = RlpStream::new_list(2);
        stream.append(&id).begin_unbounded_list();
        Self { stream }
    }

    fn is_long(&self) -> bool {
        self.stream.len() >= SOFT_LIMIT
    }

    fn has_space(&self, more: usize) -> bool {
        self.stream.len().saturating_add(more) <= HARD_LIMIT - ENVELOPE
    }

    fn finish(mut self) -> Vec<u8> {
        self.stream.finalize_unbounded_list();
        self.stream.out().to_vec()
    }
}

/// The lists of receipts in a page, each encoded
#[derive(Default)]
struct Page {
    lists: Vec<u8>,
    /// Whether the receipts of the last block go on in the next page
    is_incomplete: bool,
}

impl Page {
    /// Adds the receipts of a block, as far as there is space, and returns whether there is space for more
    fn add(&mut self, receipts: &[Receipt]) -> bool {
        let mut list = RlpStream::new();
        list.begin_unbounded_list();
        let mut added = 0;
        for receipt in receipts {
            let len = self.lists.len() + list.len();
            // At least one receipt, however large, so that the peer makes progress.
            let is_long = len >= SOFT_LIMIT && added > 0;
            if is_long || len.saturating_add(size(std::slice::from_ref(receipt))) > HARD_LIMIT - ENVELOPE {
                break;
            }
            receipt.append_without_bloom(&mut list);
            added += 1;
        }
        list.finalize_unbounded_list();
        self.is_incomplete = added < receipts.len();
        if self.is_incomplete && added == 0 {
            // Nothing of this block: the answer ends with the block before.
            self.is_incomplete = false;
            return false;
        }
        self.lists.extend_from_slice(&list.out());
        !self.is_incomplete && self.lists.len() < SOFT_LIMIT
    }

    fn finish(self, id: u64) -> Vec<u8> {
        let mut stream = RlpStream::new_list(3);
        stream.append(&id).append(&self.is_incomplete);
        stream.begin_unbounded_list().append_raw(&self.lists, 1);
        stream.finalize_unbounded_list();
        stream.out().to_vec()
    }
}

/// The most bytes that receipts take in a message
fn size(receipts: &[Receipt]) -> usize {
    /// The header of the list, and of a string that is wrapped around it
    const HEADERS: usize = 2 * 9;
    receipts.iter().map(|receipt| receipt.as_ref().len() + HEADERS).sum::<usize>() + HEADERS
}
