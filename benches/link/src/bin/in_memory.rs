//! Two links that exchange messages in memory, for `benches/link/beside_geth`
//!
//! ```text
//! link-in-memory facts                     the processor, and what the library chooses on it
//! link-in-memory payload KIND SIZE         the bytes of payloads, to standard output
//! link-in-memory exchange FILE COUNT       processor time of one message on both sides, in nanoseconds
//! ```

use std::error::Error;
use std::io::Write;

use devp2p_link_bench::{Kind, deliver, processor_time};
use devp2p_proto::Action;
use devp2p_testing::{ALPHA, Pair};

/// Each message begins one byte further into the file than the one before, up to this many bytes
///
/// So that a message differs from its neighbours. `benches/geth/rlpx` does the same.
const SHIFTS: usize = 256;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["facts"] => println!("{}; {}", processor(), permutation()),
        ["payload", kind, size] => std::io::stdout().write_all(&payload(kind, size.parse()?)?)?,
        ["exchange", file, count] => println!("{}", exchange(&std::fs::read(file)?, count.parse()?)),
        _ => return Err("facts | payload KIND SIZE | exchange FILE COUNT".into()),
    }
    Ok(())
}

fn payload(kind: &str, size: usize) -> Result<Vec<u8>, String> {
    let kind = Kind::ALL.into_iter().find(|known| known.name() == kind).ok_or("random or compressible")?;
    Ok(kind.payload(size + SHIFTS))
}

fn exchange(payload: &[u8], count: usize) -> u64 {
    let mut pair = Pair::running();
    messages(&mut pair, payload, count / 10 + 1);
    let before = processor_time();
    messages(&mut pair, payload, count);
    (processor_time() - before) / count as u64
}

/// The link's bytes go through a buffer, as geth's do
fn messages(pair: &mut Pair<'_>, payload: &[u8], count: usize) {
    let size = payload.len() - SHIFTS;
    let (sender, receiver) = (&mut pair.initiator.link, &mut pair.recipient.link);
    let mut wire = Vec::new();
    for index in 0..count {
        let payload = &payload[index % SHIFTS..][..size];
        sender.write(pair.now, ALPHA, index as u64 % 4, payload).expect("nothing is unsent");
        let Some(Action::Send(bytes)) = sender.poll() else { panic!("there is something to send") };
        wire.clear();
        wire.extend_from_slice(bytes);
        sender.sent(pair.now, wire.len()).expect("it is unsent");
        let taken = receiver.receive(pair.now, &wire);
        assert_eq!(taken, wire.len(), "one message");
        assert_eq!(deliver(receiver), Some(size), "the message");
    }
}

fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name| info.lines().find_map(|line| Some(line.strip_prefix(name)?.split_once(": ")?.1));
    let numbers = [field("cpu family").unwrap_or("?"), field("model\t").unwrap_or("?")];
    format!("{} (family {}, model {})", field("model name").unwrap_or("unknown processor"), numbers[0], numbers[1])
}

/// The Keccak permutation that the library chooses here: the same conditions as in `src/keccak/select.rs`
fn permutation() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        let any = cfg!(not(any(devp2p_keccak = "avx2", devp2p_keccak = "bmi", devp2p_keccak = "portable")));
        if any && has!("sse4a") && has!("avx512f") && has!("avx512vl") {
            return "permutation: AVX-512VL";
        } else if cfg!(not(devp2p_keccak = "portable")) && has!("bmi1") && has!("bmi2") {
            return "permutation: BMI";
        }
    }
    "permutation: portable"
}
