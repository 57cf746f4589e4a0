//! A structure, as our writer writes it

use devp2p_proto::rlp::{MAX_DEPTH, Reader, RlpError, Writer, uint_len, validate};
use rlp::Rlp;

use super::tree::Tree;
use crate::input::Input;

pub(super) fn check(input: &mut Input<'_>) {
    let cut = usize::from(input.u16());
    let tree = Tree::from_input(input);
    let reference = rlp::encode(&tree);
    let mut buffer = vec![0; reference.len()];
    let mut writer = Writer::new(&mut buffer);
    tree.write(&mut writer);
    let written = writer.finish().expect("the buffer is as long as what is written");
    assert!(written == reference, "the crate writes something else");
    assert_eq!(validate(written), if tree.depth() > MAX_DEPTH { Err(RlpError::TooDeep) } else { Ok(()) });
    let mut reader = Reader::new(written);
    assert!(tree.is_next_in(&mut reader) && reader.is_empty(), "our reader reads something else");
    assert!(tree.is_in(&Rlp::new(written)), "the crate reads something else");
    if let Tree::Uint(value) = tree {
        assert_eq!(uint_len(value), written.len());
    }
    check_short_buffer(&tree, cut % reference.len());
    check_raw(&tree, &reference);
}

/// A buffer that is too short gives an error, wherever it ends
fn check_short_buffer(tree: &Tree, len: usize) {
    let mut buffer = vec![0; len];
    let mut writer = Writer::new(&mut buffer);
    tree.write(&mut writer);
    writer.bytes(&[]);
    assert_eq!(writer.finish(), Err(RlpError::BufferFull));
}

/// Items that are already encoded are copied
fn check_raw(tree: &Tree, reference: &[u8]) {
    let Tree::List(items) = tree else { return };
    let mut buffer = vec![0; reference.len()];
    let mut writer = Writer::new(&mut buffer);
    writer.list(|list| items.iter().for_each(|item| list.raw(&rlp::encode(item))));
    assert!(writer.finish() == Ok(reference));
}
