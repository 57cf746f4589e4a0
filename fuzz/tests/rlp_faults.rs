//! The crate `rlp` panics in the cases in which the target `rlp` does not call it

use std::panic::catch_unwind;

use rlp::Rlp;

#[test]
fn the_rlp_crate_panics_where_it_is_spared() {
    assert!(catch_unwind(|| Rlp::new(&[0xc0]).to_string()).is_err());
    assert!(catch_unwind(|| Rlp::new(&[0x82, 0x01]).to_string()).is_err());
    assert!(catch_unwind(|| Rlp::new(&[0x81]).is_int()).is_err());
    assert!(catch_unwind(|| rlp::decode_list::<u64>(&[0xc1, 0xc0]).len()).is_err());
}
