//! The least that a node must send when `eth` and `snap` are shared
//!
//! A node that offers nothing known is useless to geth, and one that shares `eth` but sends no Status within
//! five seconds is dropped, which would end every longer measurement. So a Status is answered with the
//! Status of a node that is on the same chain and has only the genesis block. It claims no other block, so no
//! other block should be requested. Every request is answered with empty lists, as the `eth` specification
//! says for data that a node does not have.

use std::time::Duration;

use devp2p_proto::Capability;
use devp2p_proto::rlp::{Reader, RlpError, Writer};

/// What this program calls itself
pub const NAME: &str = "devp2p-proto-ping/1.0";

/// From Hello to the first Ping
///
/// ethrex 24 ends a link whose first message after Hello is anything but Status. A node that wants a Status sends
/// its own at once, and has our answer by then.
pub const PAUSE: Duration = Duration::from_millis(500);

/// What to answer to a message, and under which code; `None` where nothing needs an answer
pub fn answer(capability: Capability, code: u64, payload: &[u8]) -> Option<(u64, Vec<u8>)> {
    let mut buffer = vec![0; payload.len() + 16];
    let mut writer = Writer::new(&mut buffer);
    // This program is no judge of what a peer may say: what cannot be read is not answered.
    let code = match (capability.name.as_str(), code) {
        ("eth", 0) => status(capability.version, payload, &mut writer).ok()?,
        // GetBlockHeaders, GetBlockBodies, GetPooledTransactions, GetReceipts
        ("eth", 0x03 | 0x05 | 0x09 | 0x0f) => nothing(payload, &mut writer, code, 1).ok()?,
        // GetAccountRange and GetStorageRanges, whose answers also hold a proof
        ("snap", 0 | 2) => nothing(payload, &mut writer, code, 2).ok()?,
        // GetByteCodes, GetTrieNodes
        ("snap", 4 | 6) => nothing(payload, &mut writer, code, 1).ok()?,
        _ => return None,
    };
    let len = writer.finish().ok()?.len();
    buffer.truncate(len);
    Some((code, buffer))
}

/// The Status of a node with the same genesis and nothing else
///
/// Up to eth/68 `[version, network, total difficulty, head, genesis, fork id]`, from eth/69 on (EIP-7642)
/// `[version, network, genesis, fork id, earliest, latest, latest hash]`.
fn status(version: u64, payload: &[u8], writer: &mut Writer<'_>) -> Result<u64, RlpError> {
    let mut theirs = Reader::new(payload).only_list()?;
    let (spoken, network) = (theirs.uint()?, theirs.uint()?);
    if version < 69 {
        theirs.raw()?;
        theirs.raw()?;
    }
    let (genesis, fork_id) = (theirs.array::<32>()?, theirs.raw()?);
    writer.list(|ours| {
        ours.uint(spoken);
        ours.uint(network);
        if version < 69 {
            ours.uint(0);
            ours.bytes(genesis);
        }
        ours.bytes(genesis);
        ours.raw(fork_id);
        if version >= 69 {
            ours.uint(0);
            ours.uint(0);
            ours.bytes(genesis);
        }
    });
    Ok(0)
}

/// The answer to a request: its id and empty lists
fn nothing(payload: &[u8], writer: &mut Writer<'_>, code: u64, lists: usize) -> Result<u64, RlpError> {
    let id = Reader::new(payload).only_list()?.uint()?;
    writer.list(|answer| {
        answer.uint(id);
        (0..lists).for_each(|_| answer.list(|_| {}));
    });
    Ok(code + 1)
}
