//! The reader and the writer, against examples and against the `rlp` crate

use super::*;
use proptest::prelude::*;
use std::vec::Vec;

#[test]
fn non_canonical_forms_are_named() {
    for (bytes, error) in [
        (&[][..], RlpError::Truncated),
        (&[0x81], RlpError::Truncated),
        (&[0x81, 0x05], RlpError::NonCanonicalLength),
        (&[0xb8, 0x37], RlpError::NonCanonicalLength),
        (&[0xb9, 0x00, 0x40], RlpError::NonCanonicalLength),
        (&[0xf8, 0x37], RlpError::NonCanonicalLength),
        (&[0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], RlpError::Truncated),
        (&[0xc2, 0x01], RlpError::Truncated),
        (&[0xc2, 0x82, 0x01], RlpError::Truncated),
        (&[0xc0, 0xc0], RlpError::TrailingBytes),
    ] {
        assert_eq!(validate(bytes), Err(error), "{bytes:02x?}");
    }
}

#[test]
fn integers_are_canonical_or_refused() {
    for (bytes, value) in [
        (&[0x80][..], Ok(0)),
        (&[0x01], Ok(1)),
        (&[0x7f], Ok(0x7f)),
        (&[0x81, 0x80], Ok(0x80)),
        (&[0x82, 0x01, 0x00], Ok(0x100)),
        (&[0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Ok(u64::MAX)),
        (&[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0], Err(RlpError::IntegerTooLarge)),
        (&[0x00], Err(RlpError::LeadingZero)),
        (&[0x82, 0x00, 0x01], Err(RlpError::LeadingZero)),
        (&[0xc0], Err(RlpError::ExpectedString)),
    ] {
        assert_eq!(Reader::new(bytes).uint(), value, "{bytes:02x?}");
    }
}

#[test]
fn an_item_that_is_not_read_is_passed_whole() {
    let bytes = [0x05, 0x82, 1, 2, 0xc3, 0x01, 0xc1, 0x80, 0x80];
    let mut reader = Reader::new(&bytes);
    for item in [&bytes[..1], &bytes[1..4], &bytes[4..8], &bytes[8..]] {
        assert_eq!(reader.raw(), Ok(item));
    }
    assert_eq!(reader.raw(), Err(RlpError::Truncated));
    let mut cut = Reader::new(&bytes[1..3]);
    assert_eq!(cut.raw(), Err(RlpError::Truncated));
    assert_eq!(cut.remaining(), &bytes[1..3], "an error reads nothing");
}

#[test]
fn nesting_is_bounded() {
    assert_eq!(validate(&nested(MAX_DEPTH)), Ok(()));
    assert_eq!(validate(&nested(MAX_DEPTH + 1)), Err(RlpError::TooDeep));
    assert_eq!(validate(&nested(1_000)), Err(RlpError::TooDeep));
}

/// `depth` lists, each in the one before
fn nested(depth: usize) -> Vec<u8> {
    let mut buffer = std::vec![0; depth * 4];
    let mut writer = Writer::new(&mut buffer);
    fn nest(writer: &mut Writer<'_>, depth: usize) {
        writer.list(|list| {
            if depth > 1 {
                nest(list, depth - 1);
            }
        });
    }
    nest(&mut writer, depth);
    writer.finish().unwrap().to_vec()
}

#[test]
fn a_failed_read_moves_nothing() {
    let mut reader = Reader::new(&[0x82, 0x00, 0x01]);
    assert_eq!(reader.uint(), Err(RlpError::LeadingZero));
    assert_eq!(reader.array::<3>(), Err(RlpError::WrongLength));
    assert!(matches!(reader.list(), Err(RlpError::ExpectedList)));
    assert_eq!(reader.bytes(), Ok(&[0x00, 0x01][..]));
}

#[test]
fn an_overflow_is_told_at_the_end() {
    let mut buffer = [0; 4];
    let mut writer = Writer::new(&mut buffer);
    writer.list(|list| list.bytes(b"four"));
    assert_eq!(writer.finish(), Err(RlpError::BufferFull));
}

/// A tree of items, to be written by the `rlp` crate and by ours
#[derive(Debug, Clone)]
enum Tree {
    Bytes(Vec<u8>),
    Uint(u64),
    List(Vec<Tree>),
}

impl rlp::Encodable for Tree {
    fn rlp_append(&self, stream: &mut rlp::RlpStream) {
        match self {
            Self::Bytes(bytes) => bytes.rlp_append(stream),
            Self::Uint(value) => value.rlp_append(stream),
            Self::List(items) => _ = stream.append_list::<Tree, Tree>(items),
        }
    }
}

impl Tree {
    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Bytes(bytes) => writer.bytes(bytes),
            Self::Uint(value) => writer.uint(*value),
            Self::List(items) => writer.list(|list| items.iter().for_each(|item| item.write(list))),
        }
    }

    fn check(&self, reader: &mut Reader<'_>) {
        match self {
            Self::Bytes(bytes) => assert_eq!(reader.bytes(), Ok(&bytes[..])),
            Self::Uint(value) => assert_eq!(reader.uint(), Ok(*value)),
            Self::List(items) => {
                let mut list = reader.list().unwrap();
                items.iter().for_each(|item| item.check(&mut list));
                list.finish().unwrap();
            }
        }
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80).prop_map(Tree::Bytes),
        any::<u64>().prop_map(Tree::Uint),
        (0u64..300).prop_map(Tree::Uint),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| prop::collection::vec(inner, 0..8).prop_map(Tree::List))
}

proptest! {
    #[test]
    fn writes_what_the_rlp_crate_writes_and_reads_it_back(tree in tree()) {
        let oracle = rlp::encode(&tree);
        let mut buffer = std::vec![0; oracle.len()];
        let mut writer = Writer::new(&mut buffer);
        tree.write(&mut writer);
        let written = writer.finish().unwrap();
        prop_assert_eq!(written, &oracle[..]);
        prop_assert_eq!(validate(written), Ok(()));
        let mut reader = Reader::new(written);
        tree.check(&mut reader);
        prop_assert!(reader.is_empty());
    }

    #[test]
    fn what_is_accepted_is_the_canonical_form(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
        if validate(&bytes).is_ok() {
            let mut buffer = std::vec![0; bytes.len()];
            let mut writer = Writer::new(&mut buffer);
            rewrite(&mut Reader::new(&bytes), &mut writer);
            prop_assert_eq!(writer.finish(), Ok(&bytes[..]));
        }
    }

    #[test]
    fn an_integer_takes_as_many_bytes_as_announced(value in prop_oneof![any::<u64>(), 0u64..0x200]) {
        let mut buffer = [0; 9];
        let mut writer = Writer::new(&mut buffer);
        writer.uint(value);
        prop_assert_eq!(writer.finish().unwrap().len(), uint_len(value));
    }
}

fn rewrite(reader: &mut Reader<'_>, writer: &mut Writer<'_>) {
    while !reader.is_empty() {
        match reader.item().unwrap() {
            Item::String(bytes) => writer.bytes(bytes),
            Item::List(payload) => writer.list(|list| rewrite(&mut Reader::new(payload), list)),
        }
    }
}

#[cfg(feature = "rlp")]
#[test]
fn what_is_not_canonical_is_not_decoded() {
    use ::rlp::DecoderError;
    let too_deep = DecoderError::Custom("lists are nested too deeply");
    let refusals = [
        (std::vec![0x01, 0x01], DecoderError::RlpIsTooBig),
        (std::vec![0x82, 0x01], DecoderError::RlpIsTooShort),
        (nested(MAX_DEPTH + 1), too_deep),
        (std::vec![0x81, 0x01], DecoderError::RlpInvalidIndirection),
    ];
    for (bytes, error) in refusals {
        assert_eq!(decode::<u64>(&bytes), Err(error), "{bytes:02x?}");
    }
    assert_eq!(decode::<u64>(&[0x82, 0x01, 0x00]), Ok(256));
}
