//! `snap`, beside `eth` on the same link: accounts of the state, with a proof (caps/snap.md)
//!
//! Asks for the accounts under one state root, checks them, then asks for the code of those that have some. A
//! second protocol needs nothing but a second place in the list of the configuration.

use devp2p_drivers::eth::hash::Hash;
use devp2p_drivers::eth::header::Header;
use devp2p_drivers::eth::message::{List, Numbered, Raw, expect_fields, list_of_at_most};
use devp2p_drivers::eth::trie::{self, Proof};
use devp2p_proto::Instant;
use rlp::{Decodable, DecoderError, Encodable, Rlp, RlpStream};

use crate::failure::{Failure, decode};
use crate::port::Port;
use crate::request::{Patience, Request};

pub const LENGTH: u64 = 8;

const GET_ACCOUNT_RANGE: u64 = 0;
const ACCOUNT_RANGE: u64 = 1;
const GET_STORAGE_RANGES: u64 = 2;
const GET_BYTE_CODES: u64 = 4;
const BYTE_CODES: u64 = 5;
const GET_TRIE_NODES: u64 = 6;

/// How many bytes an answer may have, roughly
const ANSWER_BYTES: u64 = 500_000;
/// How many accounts one answer may have: four times as many as fit into `ANSWER_BYTES`
const MAX_ACCOUNTS: usize = 1 << 16;
/// How many nodes a proof may have: two paths, each of up to 64 inner nodes and a leaf
const MAX_PROOF: usize = 2 * 65;
/// How many codes are asked for
const CODES: usize = 64;

pub struct Snap {
    next_id: u64,
    accounts: Request<Header>,
    codes: Request<(Report, Vec<Hash>)>,
    report: Option<Report>,
}

/// What was asked, answered and found right
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// The block whose state it is
    pub block: u64,
    pub state_root: Hash,
    pub accounts: usize,
    /// Whether these are all accounts that there are: the root was built from them
    pub whole: bool,
    pub proof_nodes: usize,
    pub codes: usize,
}

impl Snap {
    pub const fn new(Patience { answer, .. }: Patience) -> Self {
        Self {
            next_id: 1,
            accounts: Request::new("accounts", answer),
            codes: Request::new("codes", answer),
            report: None,
        }
    }

    /// Asks for the accounts in the state after a block
    pub fn ask(&mut self, now: Instant, block: Header, out: &mut Port<'_>) -> Result<(), Failure> {
        let id = self.new_id();
        let (first, last) = (Hash::default(), Hash([0xff; 32]));
        out.send(GET_ACCOUNT_RANGE, GetAccountRange { id, root: block.state_root, first, last, bytes: ANSWER_BYTES })?;
        self.accounts.open(id, now, block);
        Ok(())
    }

    pub fn handle(&mut self, now: Instant, code: u64, payload: &[u8], out: &mut Port<'_>) -> Result<(), Failure> {
        match code {
            ACCOUNT_RANGE => self.take_accounts(now, decode("AccountRange", payload)?, out),
            BYTE_CODES => self.take_codes(decode("ByteCodes", payload)?),
            // There is no state here to give.
            GET_ACCOUNT_RANGE | GET_STORAGE_RANGES => answer_nothing(code, payload, 2, out),
            GET_BYTE_CODES | GET_TRIE_NODES => answer_nothing(code, payload, 1, out),
            _ => Err(Failure::Breach(format!("snap code {code:#04x}, which answers no request"))),
        }
    }

    pub fn check_time(&self, now: Instant) -> Result<(), Failure> {
        self.accounts.check(now)?;
        self.codes.check(now)
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.accounts.deadline().or(self.codes.deadline())
    }

    /// What has come out, once
    pub const fn take_report(&mut self) -> Option<Report> {
        self.report.take()
    }

    /// Whether an answer is waited for
    pub const fn is_busy(&self) -> bool {
        self.accounts.is_open() || self.codes.is_open()
    }

    fn take_accounts(&mut self, now: Instant, answer: AccountRange, out: &mut Port<'_>) -> Result<(), Failure> {
        let block = self.accounts.close(answer.id)?;
        if answer.accounts.is_empty() {
            return Err(Failure::Useless(format!("it does not have the state of block {}", block.number)));
        }
        let whole = check_accounts(&block, &answer)?;
        let (accounts, proof_nodes) = (answer.accounts.len(), answer.proof.len());
        let report =
            Report { block: block.number, state_root: block.state_root, accounts, whole, proof_nodes, codes: 0 };
        let mut codes: Vec<_> = answer.accounts.iter().map(|account| account.code).collect();
        codes.sort_unstable();
        codes.dedup();
        codes.retain(|code| *code != Hash::empty_code());
        codes.truncate(CODES);
        if codes.is_empty() {
            self.report = Some(report);
            return Ok(());
        }
        let id = self.new_id();
        out.send(GET_BYTE_CODES, GetByteCodes { id, hashes: codes.clone(), bytes: ANSWER_BYTES })?;
        self.codes.open(id, now, (report, codes));
        Ok(())
    }

    /// Codes come in the order of the request; those that the peer does not have are left out
    fn take_codes(&mut self, answer: Numbered<List<Vec<u8>>>) -> Result<(), Failure> {
        let (report, asked) = self.codes.close(answer.id)?;
        let mut asked = asked.into_iter();
        for code in &answer.content.0 {
            let hash = Hash::of(code);
            if !asked.any(|asked| asked == hash) {
                return Err(Failure::Breach(format!(
                    "a code with the hash {hash}, which was not requested or is out of order"
                )));
            }
        }
        self.report = Some(Report { codes: answer.content.0.len(), ..report });
        Ok(())
    }

    const fn new_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }
}

/// Checks accounts against the state root of a block, and returns whether they are all that there are
///
/// The first and the last must be proven. If the root can be built from what came, nothing is missing either.
fn check_accounts(block: &Header, answer: &AccountRange) -> Result<bool, Failure> {
    let accounts = &answer.accounts;
    if let Some(pair) = accounts.windows(2).find(|pair| pair[0].hash >= pair[1].hash) {
        return Err(Failure::Breach(format!("account {} after {}", pair[1].hash, pair[0].hash)));
    }
    let proof = Proof::new(&answer.proof);
    for account in [accounts.first(), accounts.last()].into_iter().flatten() {
        let proven = proof.look_up(block.state_root, &account.hash.0);
        if proven.as_ref().ok() != Some(&Some(account.encoded.clone())) {
            let why = proven.err().map(|error| format!(": {error}")).unwrap_or_default();
            return Err(Failure::Breach(format!("account {} is not proven{why}", account.hash)));
        }
    }
    let entries = accounts.iter().map(|account| (account.hash.0.to_vec(), &account.encoded[..]));
    Ok(trie::root(entries.collect()) == block.state_root)
}

fn answer_nothing(code: u64, payload: &[u8], lists: usize, out: &mut Port<'_>) -> Result<(), Failure> {
    let request: RequestId = decode("a request of snap", payload)?;
    out.send(code + 1, Nothing { id: request.0, lists })
}

/// `[id, root, first, last, bytes]`
struct GetAccountRange {
    id: u64,
    root: Hash,
    first: Hash,
    last: Hash,
    bytes: u64,
}

impl Encodable for GetAccountRange {
    fn rlp_append(&self, stream: &mut RlpStream) {
        stream.begin_list(5).append(&self.id).append(&self.root).append(&self.first).append(&self.last);
        stream.append(&self.bytes);
    }
}

/// `[id, [[hash, account], …], [node, …]]`
struct AccountRange {
    id: u64,
    accounts: Vec<Account>,
    proof: Vec<Vec<u8>>,
}

impl Decodable for AccountRange {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        expect_fields(rlp, 3)?;
        let accounts = list_of_at_most(MAX_ACCOUNTS, &rlp.at(1)?)?;
        Ok(Self { id: rlp.val_at(0)?, accounts, proof: list_of_at_most(MAX_PROOF, &rlp.at(2)?)? })
    }
}

struct Account {
    /// Of its address
    hash: Hash,
    code: Hash,
    /// As the state trie has it
    encoded: Vec<u8>,
}

impl Decodable for Account {
    /// On the wire, hashes that stand for no storage and no code are left out
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        expect_fields(rlp, 2)?;
        let slim = rlp.at(1)?;
        expect_fields(&slim, 4)?;
        let or = |index, empty: Hash| match slim.at(index)? {
            field if field.is_empty() => Ok(empty),
            field => field.as_val(),
        };
        let (storage, code) = (or(2, Hash::empty_trie())?, or(3, Hash::empty_code())?);
        let mut encoded = RlpStream::new_list(4);
        encoded.append_raw(slim.at(0)?.as_raw(), 1).append_raw(slim.at(1)?.as_raw(), 1);
        encoded.append(&storage).append(&code);
        Ok(Self { hash: rlp.val_at(0)?, code, encoded: encoded.out().to_vec() })
    }
}

/// `[id, [hash, …], bytes]`
struct GetByteCodes {
    id: u64,
    hashes: Vec<Hash>,
    bytes: u64,
}

impl Encodable for GetByteCodes {
    fn rlp_append(&self, stream: &mut RlpStream) {
        stream.begin_list(3).append(&self.id).append_list(&self.hashes).append(&self.bytes);
    }
}

/// The one field that all requests have in common
struct RequestId(u64);

impl Decodable for RequestId {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        let Raw(_) = rlp.val_at(1)?;
        rlp.val_at(0).map(Self)
    }
}

/// An answer with empty lists
struct Nothing {
    id: u64,
    lists: usize,
}

impl Encodable for Nothing {
    fn rlp_append(&self, stream: &mut RlpStream) {
        stream.begin_list(1 + self.lists).append(&self.id);
        for _ in 0..self.lists {
            stream.begin_list(0);
        }
    }
}
