//! Requests of the peer, and what is answered

use devp2p_drivers::eth::hash::Hash;
use devp2p_drivers::eth::message::{self, Hashes, List, Numbered, PAGES_VERSION, Paged};
use devp2p_drivers::eth::serve;
use devp2p_drivers::eth::store::Store;

use crate::failure::{Failure, decode};

/// Whether the code is that of a request; its answer has the next code
pub const fn is_request(code: u64) -> bool {
    matches!(
        code,
        message::GET_BLOCK_HEADERS
            | message::GET_BLOCK_BODIES
            | message::GET_POOLED_TRANSACTIONS
            | message::GET_RECEIPTS
    )
}

/// The payload of the answer
pub fn answer(store: &Store, version: u64, code: u64, payload: &[u8]) -> Result<Vec<u8>, Failure> {
    let name = message::name(code);
    if code == message::GET_BLOCK_HEADERS {
        return Ok(serve::headers(store, &decode(name, payload)?));
    }
    if code == message::GET_RECEIPTS && version >= PAGES_VERSION {
        let Paged { id, page, content: Hashes(blocks) } = decode(name, payload)?;
        return Ok(serve::page_of_receipts(store, id, page, &blocks));
    }
    let Numbered { id, content: Hashes(hashes) } = decode(name, payload)?;
    Ok(match code {
        message::GET_BLOCK_BODIES => serve::bodies(store, id, &hashes),
        message::GET_RECEIPTS => serve::receipts(store, version, id, &hashes),
        // There is no transaction pool, so the answer is an empty list.
        _ => rlp::encode(&Numbered { id, content: List::<Hash>(Vec::new()) }).to_vec(),
    })
}
