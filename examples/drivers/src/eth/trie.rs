//! The Merkle Patricia trie: the root of a set of entries, and proofs of single ones
//!
//! Yellow Paper, appendix D. A root says everything about its entries, so that what a peer sends is checked
//! by building the trie again and comparing one hash.

use std::collections::HashMap;

use rlp::{DecoderError, Rlp, RlpStream};

use crate::eth::hash::Hash;

/// The root over items by their position, as transactions, receipts and withdrawals are kept in a block
pub fn ordered_root<T: AsRef<[u8]>>(items: &[T]) -> Hash {
    let entries = items.iter().enumerate();
    root(entries.map(|(index, item)| (rlp::encode(&index).to_vec(), item.as_ref())).collect())
}

/// The root over keys and values; of entries with the same key, only the first in order counts
pub fn root<V: AsRef<[u8]> + Ord>(entries: Vec<(Vec<u8>, V)>) -> Hash {
    let mut entries: Vec<_> = entries.into_iter().map(|(key, value)| (nibbles(&key), value)).collect();
    entries.sort();
    entries.dedup_by(|a, b| a.0 == b.0);
    Hash::of(&node(&entries, 0))
}

/// The encoded node over sorted entries whose keys agree in the first `depth` nibbles
fn node<V: AsRef<[u8]>>(entries: &[(Vec<u8>, V)], depth: usize) -> Vec<u8> {
    match entries {
        [] => vec![0x80],
        [(key, value)] => {
            let mut leaf = RlpStream::new_list(2);
            leaf.append(&path(&key[depth..], true)).append(&value.as_ref());
            leaf.out().to_vec()
        }
        [(first, _), .., (last, _)] => match shared_prefix(&first[depth..], &last[depth..]) {
            0 => branch(entries, depth),
            shared => {
                let mut extension = RlpStream::new_list(2);
                extension.append(&path(&first[depth..depth + shared], false));
                append_child(&mut extension, &node(entries, depth + shared));
                extension.out().to_vec()
            }
        },
    }
}

fn branch<V: AsRef<[u8]>>(entries: &[(Vec<u8>, V)], depth: usize) -> Vec<u8> {
    // A key that ends here sorts before those that go on.
    let ends = entries[0].0.len() == depth;
    let (here, mut rest) = entries.split_at(usize::from(ends));
    let mut branch = RlpStream::new_list(17);
    for nibble in 0..16 {
        let below = rest.iter().take_while(|(key, _)| key[depth] == nibble).count();
        let (child, others) = rest.split_at(below);
        match child {
            [] => branch.append_empty_data(),
            child => append_child(&mut branch, &node(child, depth + 1)),
        };
        rest = others;
    }
    branch.append(&here.first().map_or(&[][..], |(_, value)| value.as_ref()));
    branch.out().to_vec()
}

/// A node stands in its parent itself if it is short, and by its hash otherwise
fn append_child<'a>(parent: &'a mut RlpStream, child: &[u8]) -> &'a mut RlpStream {
    if child.len() < 32 { parent.append_raw(child, 1) } else { parent.append(&Hash::of(child)) }
}

/// Nibbles in bytes ("hex prefix"): the first nibble says whether a leaf ends here and whether the number of
/// nibbles is odd
fn path(nibbles: &[u8], leaf: bool) -> Vec<u8> {
    let odd = nibbles.len() % 2;
    let flag = 2 * u8::from(leaf) + odd as u8;
    let (head, pairs) = nibbles.split_at(odd);
    let mut path = vec![flag << 4 | head.first().unwrap_or(&0)];
    path.extend(pairs.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]));
    path
}

fn nibbles(key: &[u8]) -> Vec<u8> {
    key.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).collect()
}

fn shared_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// The nodes of a proof, found by their hashes
pub struct Proof<'a>(HashMap<Hash, &'a [u8]>);

impl<'a> Proof<'a> {
    pub fn new(nodes: &'a [Vec<u8>]) -> Self {
        Self(nodes.iter().map(|node| (Hash::of(node), node.as_slice())).collect())
    }

    /// What the trie with this root has at `key`, `None` if it has nothing there
    ///
    /// # Errors
    /// A node on the way is missing from the proof, or is no node.
    pub fn look_up(&self, root: Hash, key: &[u8]) -> Result<Option<Vec<u8>>, DecoderError> {
        let key = nibbles(key);
        let (mut node, mut rest) = (self.node(root)?, &key[..]);
        loop {
            let child = match node.item_count()? {
                17 => match rest.split_first() {
                    None => return Ok(Some(node.at(16)?.data()?.to_vec()).filter(|value| !value.is_empty())),
                    Some((nibble, below)) => {
                        rest = below;
                        node.at(usize::from(*nibble))?
                    }
                },
                2 => {
                    let (part, leaf) = read_path(node.at(0)?.data()?)?;
                    match rest.strip_prefix(&part[..]) {
                        Some([]) if leaf => return Ok(Some(node.at(1)?.data()?.to_vec())),
                        Some(below) if !leaf => {
                            rest = below;
                            node.at(1)?
                        }
                        _ => return Ok(None),
                    }
                }
                _ => return Err(DecoderError::RlpIncorrectListLen),
            };
            node = match child.is_list() {
                true => child,
                false if child.is_empty() => return Ok(None),
                false => self.node(child.as_val()?)?,
            };
        }
    }

    fn node(&self, hash: Hash) -> Result<Rlp<'a>, DecoderError> {
        self.0.get(&hash).map(|node| Rlp::new(node)).ok_or(DecoderError::Custom("a node of the proof is missing"))
    }
}

fn read_path(path: &[u8]) -> Result<(Vec<u8>, bool), DecoderError> {
    let all = nibbles(path);
    match all.as_slice() {
        [flag @ (0 | 2), 0, nibbles @ ..] | [flag @ (1 | 3), nibbles @ ..] => Ok((nibbles.to_vec(), *flag >= 2)),
        _ => Err(DecoderError::Custom("a path in the proof has a wrong flag")),
    }
}
