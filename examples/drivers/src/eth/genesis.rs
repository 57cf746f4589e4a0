//! The chain that a genesis file describes: the form that `geth init` takes and `geth dumpgenesis` gives
//!
//! The file holds the state and the rules; the hash of the genesis block is worked out from them, as every
//! node does for itself.

use rlp::RlpStream;
use serde_json::{Map, Value};

use crate::arguments::hex;
use crate::eth::chain::Chain;
use crate::eth::fork::{Forks, Schedule};
use crate::eth::hash::Hash;
use crate::eth::trie;

/// Of EIP-1559, where genesis itself names none
const INITIAL_BASE_FEE: u64 = 1_000_000_000;
/// SHA-256 of nothing: the hash of no requests (EIP-7685)
const NO_REQUESTS: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// Forks from which on a genesis block would have fields that are not known here
const UNKNOWN_FORKS: [&str; 2] = ["amsterdamTime", "verkleTime"];

/// Reads the file; `network` is the chain's id if not given
pub fn read(path: &str, network: Option<u64>) -> Result<Chain, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let file: Value = serde_json::from_str(&text).map_err(|error| format!("{path}: not JSON: {error}"))?;
    chain(&file, network).map_err(|error| format!("{path}: {error}"))
}

fn chain(file: &Value, network: Option<u64>) -> Result<Chain, String> {
    let file = object(file, "a genesis file")?;
    let config = object(file.get("config").unwrap_or(&Value::Null), "config")?;
    let time = small(file, "timestamp")?;
    let genesis = Hash::of(&header(file, config)?);
    let schedule = Schedule::new(genesis, time, points(config, "Block")?, points(config, "Time")?);
    let network = network.map_or_else(|| small(config, "chainId"), Ok)?;
    Ok(Chain { network, genesis, forks: Forks::Schedule(schedule) })
}

/// Every rule change that the file names, `londonBlock` or `cancunTime`
fn points(config: &Map<String, Value>, kind: &str) -> Result<Vec<u64>, String> {
    let named = config.iter().filter(|(name, value)| name.ends_with(kind) && !value.is_null());
    named.map(|(name, _)| small(config, name)).collect()
}

/// The encoded header of block 0, with the fields that the rules at genesis have added over the years
fn header(file: &Map<String, Value>, config: &Map<String, Value>) -> Result<Vec<u8>, String> {
    let time = small(file, "timestamp")?;
    let active = |name: &str, at: u64| match config.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(_) => small(config, name).map(|fork| fork <= at),
    };
    if let Some(unknown) = UNKNOWN_FORKS.iter().find(|name| active(name, time).unwrap_or(true)) {
        return Err(format!("config.{unknown}: this program does not know this fork"));
    }
    let mut header = RlpStream::new();
    header.begin_unbounded_list();
    header.append(&hash(file, "parentHash")?).append(&Hash::empty_list()).append(&fixed::<20>(file, "coinbase")?);
    header.append(&state_root(file)?).append(&Hash::empty_trie()).append(&Hash::empty_trie()).append(&vec![0; 256]);
    header.append(&number(file, "difficulty")?).append(&number(file, "number")?);
    header.append(&number(file, "gasLimit")?).append(&number(file, "gasUsed")?).append(&number(file, "timestamp")?);
    header.append(&bytes(file, "extraData")?).append(&hash(file, "mixHash")?);
    header.append(&small(file, "nonce")?.to_be_bytes().to_vec());
    if active("londonBlock", 0)? {
        match file.get("baseFeePerGas") {
            None | Some(Value::Null) => header.append(&INITIAL_BASE_FEE),
            Some(_) => header.append(&number(file, "baseFeePerGas")?),
        };
    }
    if active("shanghaiTime", time)? {
        header.append(&Hash::empty_trie());
    }
    if active("cancunTime", time)? {
        header.append(&number(file, "blobGasUsed")?).append(&number(file, "excessBlobGas")?).append(&Hash::default());
    }
    if active("pragueTime", time)? {
        header.append(&NO_REQUESTS.parse::<Hash>()?);
    }
    header.finalize_unbounded_list();
    Ok(header.out().to_vec())
}

fn state_root(file: &Map<String, Value>) -> Result<Hash, String> {
    let accounts = object(file.get("alloc").unwrap_or(&Value::Null), "alloc")?;
    let entry = |(address, account): (&String, &Value)| {
        let at = |error| format!("alloc.{address}: {error}");
        let key = Hash::of(&hex::<20>(address).map_err(at)?);
        Ok((key.0.to_vec(), encoded_account(account).map_err(at)?))
    };
    accounts.iter().map(entry).collect::<Result<_, _>>().map(trie::root)
}

/// `[nonce, balance, storage root, code hash]`
fn encoded_account(account: &Value) -> Result<Vec<u8>, String> {
    let account = object(account, "an account")?;
    let mut encoded = RlpStream::new_list(4);
    encoded.append(&number(account, "nonce")?).append(&number(account, "balance")?);
    encoded.append(&storage_root(account)?).append(&Hash::of(&bytes(account, "code")?));
    Ok(encoded.out().to_vec())
}

fn storage_root(account: &Map<String, Value>) -> Result<Hash, String> {
    let Some(storage) = account.get("storage").filter(|storage| !storage.is_null()) else {
        return Ok(Hash::empty_trie());
    };
    let mut slots = Vec::new();
    for (key, value) in object(storage, "storage")? {
        let value = value.as_str().ok_or_else(|| format!("storage.{key}: not a string of hexadecimal digits"))?;
        let value = word(value).map_err(|error| format!("storage.{key}: {error}"))?;
        let value = trimmed(&value);
        if !value.is_empty() {
            let key = Hash::of(&word(key).map_err(|error| format!("storage.{key}: {error}"))?);
            slots.push((key.0.to_vec(), rlp::encode(&value).to_vec()));
        }
    }
    Ok(trie::root(slots))
}

/// A word of storage, whose leading zeros may be left out
fn word(text: &str) -> Result<[u8; 32], String> {
    hex(&format!("{:0>64}", text.strip_prefix("0x").unwrap_or(text)))
}

fn object<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("{what} must be an object"))
}

fn small(object: &Map<String, Value>, name: &str) -> Result<u64, String> {
    let bytes = number(object, name)?;
    if bytes.len() > size_of::<u64>() {
        return Err(format!("{name}: the number is too large"));
    }
    Ok(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

/// A number of up to 256 bits in the fewest bytes, big-endian; zero if there is none
///
/// Files have them as numbers, as strings of decimal digits, and as hexadecimal ones with `0x`.
fn number(object: &Map<String, Value>, name: &str) -> Result<Vec<u8>, String> {
    let (digits, radix) = match object.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Number(number)) => (number.to_string(), 10),
        Some(Value::String(text)) => match text.strip_prefix("0x") {
            Some(digits) => (digits.to_string(), 16),
            None => (text.clone(), 10),
        },
        Some(_) => return Err(format!("{name}: not a number")),
    };
    let mut value = [0; 32];
    for digit in digits.chars() {
        let digit = digit.to_digit(radix).ok_or_else(|| format!("{name}: {digits:?} is not a number"))?;
        let mut carry = digit;
        for byte in value.iter_mut().rev() {
            carry += u32::from(*byte) * radix;
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry > 0 {
            return Err(format!("{name}: more than 256 bits"));
        }
    }
    Ok(trimmed(&value).to_vec())
}

fn trimmed(value: &[u8]) -> &[u8] {
    &value[value.iter().take_while(|byte| **byte == 0).count()..]
}

fn hash(object: &Map<String, Value>, name: &str) -> Result<Hash, String> {
    fixed::<32>(object, name)?.try_into().map(Hash).map_err(|_| format!("{name}: not 32 bytes"))
}

/// Exactly `N` bytes; zeros if there are none
fn fixed<const N: usize>(object: &Map<String, Value>, name: &str) -> Result<Vec<u8>, String> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(vec![0; N]),
        Some(Value::String(text)) => {
            hex::<N>(text).map(|bytes| bytes.to_vec()).map_err(|error| format!("{name}: {error}"))
        }
        Some(_) => Err(format!("{name}: not a string of hexadecimal digits")),
    }
}

/// Any number of bytes; none if there are none
fn bytes(object: &Map<String, Value>, name: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("{name}: not a string of pairs of hexadecimal digits");
    let text = match object.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(value) => value.as_str().ok_or_else(wrong)?,
    };
    let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
    let pairs = digits.chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2 && !pair.starts_with('+'))?;
        u8::from_str_radix(pair, 16).ok()
    });
    pairs.collect::<Option<_>>().ok_or_else(wrong)
}
