//! Any structure of RLP items

use devp2p_proto::rlp::{Item, Reader, RlpError, Writer};
use rlp::{Decodable, DecoderError, Encodable, Rlp, RlpStream};

use crate::input::Input;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tree {
    Bytes(Vec<u8>),
    Uint(u64),
    List(Vec<Tree>),
}

/// Lengths on both sides of every change in the form of a length; the last two are rarely chosen, since they cost time
const LENGTHS: [usize; 8] = [0, 1, 2, 54, 55, 56, 255, 256];
const LONG_LENGTHS: [usize; 2] = [65_535, 65_536];

/// A depth beyond the limit of the reader
const DEEPEST: usize = 36;

impl Tree {
    /// The structure that the input describes
    pub(super) fn from_input(input: &mut Input<'_>) -> Self {
        Self::nested_from_input(input, DEEPEST, &mut 1)
    }

    fn nested_from_input(input: &mut Input<'_>, depth: usize, long: &mut usize) -> Self {
        match input.byte() % 16 {
            0..=3 => Self::Bytes(input.bytes().to_vec()),
            4 => Self::Bytes(vec![input.byte(); input.pick(&LENGTHS)]),
            5 if *long > 0 => {
                *long -= 1;
                Self::Bytes(vec![input.byte(); input.pick(&LONG_LENGTHS)])
            }
            6 => Self::Uint(input.byte().into()),
            7 => Self::Uint(input.u16().into()),
            8 => Self::Uint(u64::MAX >> (input.byte() % 64)),
            9.. if depth > 0 => {
                let count = [1, 2, 1, 3, 0, 1, 8, 60][usize::from(input.byte() % 8)];
                let mut items = Vec::new();
                while items.len() < count && !input.rest().is_empty() {
                    items.push(Self::nested_from_input(input, depth - 1, long));
                }
                Self::List(items)
            }
            _ => Self::Bytes(Vec::new()),
        }
    }

    /// How deep its lists are nested
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Bytes(_) | Self::Uint(_) => 0,
            Self::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or_default(),
        }
    }

    /// Writes it by our writer
    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Bytes(bytes) => writer.bytes(bytes),
            Self::Uint(value) => writer.uint(*value),
            Self::List(items) => writer.list(|list| items.iter().for_each(|item| item.write(list))),
        }
    }

    /// Reads the content of the next item by our reader, without integers
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, RlpError> {
        match reader.item()? {
            Item::String(bytes) => Ok(Self::Bytes(bytes.to_vec())),
            Item::List(content) => {
                let (mut content, mut items) = (Reader::new(content), Vec::new());
                while !content.is_empty() {
                    items.push(Self::read(&mut content)?);
                }
                Ok(Self::List(items))
            }
        }
    }

    /// Whether our reader finds exactly this as its next item
    pub(super) fn is_next_in(&self, reader: &mut Reader<'_>) -> bool {
        match self {
            Self::Bytes(bytes) => reader.bytes() == Ok(bytes),
            Self::Uint(value) => reader.uint() == Ok(*value),
            Self::List(items) => reader
                .list()
                .is_ok_and(|mut list| items.iter().all(|item| item.is_next_in(&mut list)) && list.is_empty()),
        }
    }

    /// Whether the crate finds exactly this in `item`
    pub(super) fn is_in(&self, item: &Rlp<'_>) -> bool {
        match self {
            Self::Bytes(bytes) => item.as_val() == Ok(bytes.clone()),
            Self::Uint(value) => item.as_val() == Ok(*value),
            Self::List(items) => {
                item.item_count() == Ok(items.len()) && items.iter().zip(item).all(|(tree, item)| tree.is_in(&item))
            }
        }
    }

    /// The output of the crate's `Display`, or `None` where it panics
    pub(super) fn displayed(&self) -> Option<String> {
        match self {
            Self::Bytes(bytes) => {
                let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                Some(format!("\"0x{digits}\""))
            }
            Self::List(items) if !items.is_empty() => {
                let items: Option<Vec<_>> = items.iter().map(Self::displayed).collect();
                Some(format!("[{}]", items?.join(", ")))
            }
            Self::List(_) | Self::Uint(_) => None,
        }
    }
}

impl Encodable for Tree {
    fn rlp_append(&self, stream: &mut RlpStream) {
        match self {
            Self::Bytes(bytes) => bytes.rlp_append(stream),
            Self::Uint(value) => value.rlp_append(stream),
            Self::List(items) => _ = stream.append_list::<Self, Self>(items),
        }
    }
}

/// Reads in the way of most code that uses the crate: it trusts the item count
impl Decodable for Tree {
    fn decode(rlp: &Rlp<'_>) -> Result<Self, DecoderError> {
        if rlp.is_list() { rlp.as_list().map(Self::List) } else { rlp.as_val().map(Self::Bytes) }
    }
}
