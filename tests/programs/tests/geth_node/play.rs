//! A scripted remote with a chain of its own, for tests of `eth`

use devp2p_drivers::eth::fork::ForkId;
use devp2p_drivers::eth::hash::Hash;
use devp2p_drivers::eth::message::{self, BlockRange, GetBlockHeaders, List, Numbered, Origin, Raw};
use devp2p_drivers::eth::status::{Head, Status};
use devp2p_proto::{Cause, DisconnectReason};
use rlp::{Encodable, RlpStream};

use crate::program::{Finished, Program};
use crate::remote::{ETH, Listener, Remote, Seen};

pub const NETWORK: u64 = 1337;
pub const FORK_ID: ForkId = ForkId { checksum: [1, 2, 3, 4], next: 0 };

/// The encoded fields of a header after `parent`, for an empty block
pub fn fields(number: u64, parent: Hash) -> Vec<Vec<u8>> {
    let hash = |hash: Hash| rlp::encode(&hash).to_vec();
    let number_of = |number: u64| rlp::encode(&number).to_vec();
    let bytes = |bytes: &[u8]| rlp::encode(&bytes).to_vec();
    let empty_trie = || hash(Hash::empty_trie());
    vec![
        hash(parent),
        hash(Hash::empty_list()),
        bytes(&[0; 20]),
        empty_trie(),
        empty_trie(),
        empty_trie(),
        bytes(&[0; 256]),
        number_of(0),
        number_of(number),
        number_of(30_000_000),
        number_of(0),
        number_of(number),
        bytes(&[]),
        hash(Hash::default()),
        bytes(&[0; 8]),
    ]
}

pub const TRANSACTIONS_ROOT: usize = 4;
pub const RECEIPTS_ROOT: usize = 5;
pub const GAS_LIMIT: usize = 9;
pub const GAS_USED: usize = 10;
pub const EXTRA_DATA: usize = 12;

pub fn encode(fields: &[Vec<u8>]) -> Raw {
    let mut header = RlpStream::new_list(fields.len());
    for field in fields {
        header.append_raw(field, 1);
    }
    Raw(header.out().to_vec())
}

/// A header after `parent`, for an empty block
pub fn header(number: u64, parent: Hash) -> Raw {
    encode(&fields(number, parent))
}

/// The same with another value in one field
pub fn header_with(number: u64, parent: Hash, field: usize, value: &impl Encodable) -> Raw {
    let mut fields = fields(number, parent);
    fields[field] = rlp::encode(value).to_vec();
    encode(&fields)
}

/// A chain of blocks whose headers have the changed hashes in some fields, in place of those of an empty block
pub fn blocks_with<F: Fn(u64) -> Vec<(usize, Hash)>>(count: u64, changed: F) -> Vec<Raw> {
    let mut parent = Hash::default();
    let next = |number| {
        let mut fields = fields(number, parent);
        for (field, hash) in changed(number) {
            fields[field] = rlp::encode(&hash).to_vec();
        }
        let header = encode(&fields);
        parent = Hash::of(&header.0);
        header
    };
    (0..count).map(next).collect()
}

/// A chain of empty blocks
pub fn blocks(count: u64) -> Vec<Raw> {
    blocks_with(count, |_| Vec::new())
}

pub fn genesis() -> Hash {
    Hash::of(&blocks(1)[0].0)
}

pub fn status() -> Status {
    let chain = blocks(4);
    let head = Head::Range(BlockRange { earliest: 0, latest: 3, latest_hash: Hash::of(&chain[3].0) });
    Status { version: 69, network: NETWORK, genesis: genesis(), fork_id: FORK_ID, head }
}

/// The command line of an `eth` that dials this node, with more arguments
pub fn arguments(listener: &Listener, more: &[&str]) -> Vec<String> {
    let chain = [NETWORK.to_string(), genesis().to_string(), FORK_ID.to_string()];
    let options = ["--network-id", "--genesis-hash", "--fork-id"].map(String::from);
    let chain = options.into_iter().zip(chain).flat_map(|(option, value)| [option, value]);
    let more = more.iter().map(|argument| argument.to_string());
    [listener.url()].into_iter().chain(chain).chain(more).collect()
}

/// Has `eth` dial the remote, runs the script, and returns how each side ended
pub fn play(play: impl FnOnce(&mut Remote)) -> (Finished, Cause) {
    play_with(&[], play)
}

/// The same with more arguments for `eth`
pub fn play_with(more: &[&str], play: impl FnOnce(&mut Remote)) -> (Finished, Cause) {
    let listener = Listener::ethereum();
    let program = Program::start("eth", &arguments(&listener, &[&["--once"], more].concat()));
    let mut remote = listener.meet();
    play(&mut remote);
    let cause = remote.wait_for_end();
    (program.finish(), cause)
}

/// As `play`, after Status and the first requests: for the header of the head, and for headers from genesis on
pub fn play_on(then: impl FnOnce(&mut Remote, u64, u64)) -> (Finished, Cause) {
    play(|remote| {
        let (probe, headers) = begin(remote, &status());
        then(remote, probe, headers);
    })
}

/// Exchanges Status, and returns the ids of the first requests
pub fn begin(remote: &mut Remote, status: &Status) -> (u64, u64) {
    remote.send(ETH, message::STATUS, status);
    remote.expect(ETH, message::STATUS);
    let [probe, headers] = [(); 2].map(|()| request::<GetBlockHeaders>(remote, message::GET_BLOCK_HEADERS));
    assert_eq!((probe.content.amount, headers.content.origin), (1, Origin::Number(0)));
    (probe.id, headers.id)
}

pub fn request<T: rlp::Decodable>(remote: &mut Remote, code: u64) -> Numbered<T> {
    devp2p_proto::rlp::decode(&remote.expect(ETH, code)).expect("a request")
}

pub fn answer<T: Encodable>(remote: &mut Remote, code: u64, id: u64, items: Vec<T>) {
    remote.send(ETH, code, &Numbered { id, content: List(items) });
}

#[track_caller]
pub fn breach((finished, cause): (Finished, Cause), says: &str) {
    finished.assert(6, says);
    assert_eq!(cause, Cause::Remote(DisconnectReason::BREACH_OF_PROTOCOL), "{finished:?}");
}

#[track_caller]
pub fn useless((finished, cause): (Finished, Cause), says: &str) {
    finished.assert(6, says);
    assert_eq!(cause, Cause::Remote(DisconnectReason::USELESS_PEER), "{finished:?}");
}

/// The id of the next request of this kind
pub fn skip_to(remote: &mut Remote, code: u64) -> u64 {
    loop {
        let Seen::Message { protocol, code: is, payload } = remote.next() else {
            panic!("the link ended before code {code}");
        };
        if (protocol, is) == (ETH, code) {
            return devp2p_proto::rlp::decode::<Numbered<Raw>>(&payload).expect("a request").id;
        }
    }
}
