//! Snappy blocks, against the crate `snap`
//!
//! Both must agree on every block and every payload. The length that they read from the start of a block differs in
//! three cases: see `lengths.rs`.

mod lengths;
mod making;
mod received;

use devp2p_proto::SnappyError;
use devp2p_proto::internal::snappy::{compress, decompress, store};

use crate::input::Input;
use crate::sizes;

/// Makes a block or a payload from `data`, and checks how the decompressor or the compressor handles it
pub fn snappy(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = usize::from(input.byte());
    let kind = input.byte();
    let block = match kind % 8 {
        0 => input.rest().to_vec(),
        1..=3 => making::elements(&mut input),
        4 | 5 => making::damaged(&mut input),
        6 => return check_payload(&mut input),
        _ => return check_stored(&mut input),
    };
    // Only few inputs use a link, since a link takes twenty times as long.
    if kind >= 0xf0 {
        received::check(&block, choice);
    } else {
        check_block(&block, LIMITS[choice % LIMITS.len()]);
    }
}

const LIMITS: [usize; 8] = [4096, 4096, 600, 64, 5, 0, 1000, 70_000];

/// Decompresses `block` into `limit` bytes, then into exactly as many bytes as its data has, and into one byte fewer
fn check_block(block: &[u8], limit: usize) {
    lengths::check(block);
    let (mut theirs, mut ours) = (vec![0; limit], vec![0; limit]);
    let reference = snap::raw::Decoder::new().decompress(block, &mut theirs);
    check_decompression(block, &mut ours, reference.as_ref().map(|len| &theirs[..*len]));
    if let Ok(len) = reference {
        check_decompression(block, &mut ours[..len], Ok(&theirs[..len]));
        if len > 0 {
            assert_eq!(decompress(block, &mut ours[..len - 1]), Err(SnappyError::OutputTooSmall));
        }
    }
}

fn check_decompression(block: &[u8], output: &mut [u8], reference: Result<&[u8], &snap::Error>) {
    output.fill(UNTOUCHED);
    let outcome = decompress(block, output);
    let touched = match (reference, outcome) {
        (Ok(data), Ok(len)) => {
            assert!(output[..len] == *data, "the crate decompresses to other data");
            len
        }
        (Err(error), Err(ours)) => {
            assert!(is_named(error, ours), "{ours:?} for {error:?}");
            let declared = snap::raw::decompress_len(block).ok();
            declared.filter(|len| *len <= output.len()).unwrap_or_default()
        }
        (reference, outcome) => panic!("{outcome:?} where the crate says {:?}", reference.map(<[u8]>::len)),
    };
    assert!(output[touched..].iter().all(|byte| *byte == UNTOUCHED), "bytes beyond the data have changed");
}

const UNTOUCHED: u8 = 0xee;

/// Whether our error is the crate's error
///
/// If an element has two faults, each implementation names the one that it checks first. Ours refuses a length that the
/// elements cannot reach, before it reads the elements.
fn is_named(theirs: &snap::Error, ours: SnappyError) -> bool {
    use SnappyError as Ours;
    use snap::Error as Theirs;
    match theirs {
        Theirs::Empty | Theirs::Header | Theirs::TooBig { .. } => ours == Ours::BadLength,
        Theirs::BufferTooSmall { .. } => matches!(ours, Ours::OutputTooSmall | Ours::TooShort),
        Theirs::HeaderMismatch { .. } => ours == Ours::TooShort,
        _ => matches!(ours, Ours::Truncated | Ours::BadOffset | Ours::TooLong | Ours::TooShort),
    }
}

/// Compresses a payload with a table of any length and content, into a buffer of any permitted length
fn check_payload(input: &mut Input<'_>) {
    let mut table = vec![u16::from(input.byte()) * 0x0101; input.pick(&TABLES)];
    let surplus = usize::from(input.byte());
    let payload = making::payload(input);
    let bound = sizes::worst_case(payload.len());
    let mut output = vec![0; bound + surplus];
    let len = compress(&payload, &mut output, &mut table).unwrap();
    assert!(len <= bound, "a block of {len} bytes exceeds its bound {bound}");
    check_reads_as(&output[..len], &payload);

    let mut short = vec![UNTOUCHED; bound - 1 - surplus % bound];
    assert_eq!(compress(&payload, &mut short, &mut table), Err(SnappyError::OutputTooSmall));
    assert!(short.iter().all(|byte| *byte == UNTOUCHED));
}

const TABLES: [usize; 10] = [256, 1024, 0, 255, 300, 512, 16_384, 1, 700, 20_000];

/// Stores a payload uncompressed, in space for a longer one
fn check_stored(input: &mut Input<'_>) {
    let surplus = usize::from(input.byte());
    let payload = making::payload(input);
    let max = payload.len() + input.pick(&[0, 1, 100, 300]);
    let bound = sizes::worst_case(max);
    let mut output = vec![0xee; bound + surplus];
    let fill = |room: &mut [u8]| {
        assert_eq!(room.len(), max);
        room[..payload.len()].copy_from_slice(&payload);
        payload.len()
    };
    let len = store(&mut output, max, fill).unwrap();
    assert!(len <= bound);
    check_reads_as(&output[..len], &payload);
    assert_eq!(store(&mut output, max, |_| max + 1), None);
}

fn check_reads_as(block: &[u8], payload: &[u8]) {
    let theirs = snap::raw::Decoder::new().decompress_vec(block);
    assert!(theirs.is_ok_and(|data| data == payload), "the crate reads something else");
    let mut ours = vec![0; payload.len()];
    assert_eq!(decompress(block, &mut ours), Ok(payload.len()));
    assert!(ours == payload, "our decompressor reads something else");
}
