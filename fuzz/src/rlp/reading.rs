//! How our reader and the crate read any bytes

use std::fmt::Debug;

use devp2p_proto::rlp::{Item, MAX_DEPTH, Reader, RlpError, Writer, decode, validate};
use rlp::{Decodable, Rlp};

use super::faults::{byte_with_length, is_zero_byte, iterated, iterated_beyond_the_end, short_string_in_long_form};
use super::tree::Tree;

pub(super) fn check(bytes: &[u8]) {
    check_sequence(bytes);
    check_beyond_the_end(bytes);
    check_document(bytes);
}

/// Checks every item at every level, as far as our reader gets
fn check_sequence(bytes: &[u8]) {
    let mut reader = Reader::new(bytes);
    loop {
        check_first(reader.remaining());
        match reader.item() {
            Ok(Item::String(_)) => {}
            Ok(Item::List(content)) => check_sequence(content),
            Err(_) => break,
        }
    }
}

/// Checks everything that can be asked about the item at the start of `bytes`
fn check_first(bytes: &[u8]) {
    let item = Reader::new(bytes).item();
    check_header(bytes, item);
    check_string(bytes, item);
    check_uints(bytes);
    if let Ok(Item::List(content)) = item {
        check_list(bytes, content);
    }
    check_moves(bytes);
}

fn check_header(bytes: &[u8], item: Result<Item<'_>, RlpError>) {
    let theirs = Rlp::new(bytes);
    let raw = Reader::new(bytes).raw();
    let expected = raw.ok().or_else(|| byte_with_length(bytes));
    let found = theirs.payload_info().ok();
    assert_eq!(found.as_ref().map(|info| info.total()), expected.map(<[u8]>::len));
    match item {
        Ok(Item::String(string)) => {
            assert!(theirs.is_data());
            assert_eq!(theirs.data(), Ok(string));
        }
        Ok(Item::List(content)) => {
            assert!(theirs.is_list());
            assert_eq!(theirs.data(), Ok(content));
        }
        Err(_) => assert_eq!(theirs.data().ok(), expected.map(|item| &item[1..])),
    }
}

fn check_string(bytes: &[u8], item: Result<Item<'_>, RlpError>) {
    let ours = Reader::new(bytes).bytes();
    let expected = match item {
        Ok(Item::String(string)) => Ok(string),
        Ok(Item::List(_)) => Err(RlpError::ExpectedString),
        Err(error) => Err(error),
    };
    assert_eq!(ours, expected);
    let theirs = Rlp::new(bytes).as_val::<Vec<u8>>().ok();
    assert_eq!(theirs.as_deref(), ours.ok().or_else(|| short_string_in_long_form(bytes)));
    let array = Reader::new(bytes).array::<3>();
    assert_eq!(
        array.ok().map(|array| &array[..]),
        theirs.as_deref().filter(|string| string.len() == 3 && ours.is_ok())
    );
}

fn check_uints(bytes: &[u8]) {
    let ours = Reader::new(bytes).uint();
    // The content of a string that wrongly has the long form
    let expected = ours.ok().or_else(|| uint(short_string_in_long_form(bytes)?));
    check_uint::<u8>(bytes, expected);
    check_uint::<u16>(bytes, expected);
    check_uint::<u32>(bytes, expected);
    check_uint::<u64>(bytes, expected);
    if let Ok(string) = Reader::new(bytes).bytes() {
        let canonical = ours != Err(RlpError::LeadingZero);
        assert_eq!(Rlp::new(bytes).is_int(), canonical || is_zero_byte(bytes));
        assert_eq!(ours == Err(RlpError::IntegerTooLarge), canonical && string.len() > 8);
    }
}

fn check_uint<T: Decodable + TryFrom<u64> + PartialEq + Debug>(bytes: &[u8], expected: Option<u64>) {
    assert_eq!(Rlp::new(bytes).as_val::<T>().ok(), expected.and_then(|value| T::try_from(value).ok()));
}

/// The integer that a string encodes, without a leading zero
fn uint(string: &[u8]) -> Option<u64> {
    let short = string.len() <= 8 && string.first() != Some(&0);
    short.then(|| string.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

fn check_list(bytes: &[u8], content: &[u8]) {
    let list = Reader::new(bytes).raw().unwrap();
    let items = iterated(content);
    check_iteration(list, items.clone());
    let uints: Option<Vec<u64>> = items.map(|item| Reader::new(item).uint().ok()).collect();
    assert_eq!(Rlp::new(list).as_list().ok(), uints);
    if let Some(uints) = uints {
        assert_eq!(rlp::decode_list::<u64>(list), uints);
    }
    let mut reader = Reader::new(bytes);
    assert_eq!(reader.list().map(|list| list.remaining()), Ok(content));
    assert_eq!(Reader::new(bytes).only_list().is_ok(), list.len() == bytes.len());
    assert_eq!(reader.finish().is_ok(), list.len() == bytes.len());
}

/// Checks the iteration over a list with bytes after it; only once, since the iteration goes over all those bytes
fn check_beyond_the_end(bytes: &[u8]) {
    let mut reader = Reader::new(bytes);
    if let Ok(list) = reader.list() {
        let header = bytes.len() - reader.remaining().len() - list.remaining().len();
        check_iteration(bytes, iterated_beyond_the_end(list.remaining(), &bytes[header..]));
    }
}

fn check_iteration<'a>(list: &[u8], expected: impl Iterator<Item = &'a [u8]> + Clone) {
    assert!(Rlp::new(list).iter().map(|item| item.as_raw()).eq(expected.clone()));
    assert_eq!(Rlp::new(list).item_count(), Ok(expected.count()));
}

/// A read moves past the whole item, or fails and does not move
fn check_moves(bytes: &[u8]) {
    let reads: [fn(&mut Reader<'_>) -> bool; 6] = [
        |reader| reader.item().is_ok(),
        |reader| reader.raw().is_ok(),
        |reader| reader.list().is_ok(),
        |reader| reader.bytes().is_ok(),
        |reader| reader.array::<3>().is_ok(),
        |reader| reader.uint().is_ok(),
    ];
    let whole = Reader::new(bytes).raw().map_or(0, <[u8]>::len);
    for read in reads {
        let mut reader = Reader::new(bytes);
        let len = if read(&mut reader) { whole } else { 0 };
        assert_eq!(reader.remaining(), &bytes[len..]);
    }
}

/// Checks `bytes` as exactly one item
fn check_document(bytes: &[u8]) {
    let depth = depth_by_the_crate(bytes);
    match depth {
        Some(depth) if depth > MAX_DEPTH => assert_eq!(validate(bytes), Err(RlpError::TooDeep)),
        Some(_) => assert_eq!(validate(bytes), Ok(())),
        None => assert!(validate(bytes).is_err()),
    }
    let decoded = decode::<Tree>(bytes);
    assert_eq!(decoded.is_ok(), depth.is_some_and(|depth| depth <= MAX_DEPTH));
    let Ok(tree) = decoded else { return };
    assert_eq!(Tree::read(&mut Reader::new(bytes)).as_ref(), Ok(&tree));
    if let Some(text) = tree.displayed() {
        assert_eq!(Rlp::new(bytes).to_string(), text);
    }
    let mut buffer = vec![0; bytes.len()];
    let mut writer = Writer::new(&mut buffer);
    tree.write(&mut writer);
    assert_eq!(writer.finish(), Ok(bytes), "only the canonical form is accepted");
}

/// How deep lists are nested, `None` if the crate finds a fault anywhere or if bytes are left over
fn depth_by_the_crate(bytes: &[u8]) -> Option<usize> {
    let item = Rlp::new(bytes);
    let info = item.payload_info().ok().filter(|info| info.total() == bytes.len())?;
    if item.is_data() {
        return item.as_val::<Vec<u8>>().ok().map(|_| 0);
    }
    let (mut covered, mut deepest) = (info.header_len, 0);
    for inner in &item {
        covered += inner.as_raw().len();
        deepest = deepest.max(depth_by_the_crate(inner.as_raw())?);
    }
    (covered == bytes.len()).then_some(deepest + 1)
}
