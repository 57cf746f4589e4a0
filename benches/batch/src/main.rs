//! Many links together beside the same links one by one, in memory, for `benches/batch/run`
//!
//! ```text
//! link-batch lacks                    what the processor lacks for this build, or nothing
//! link-batch write FILE LINKS COUNT   processor time of one message to all links, in nanoseconds: one by one, together
//! link-batch open FILE LINKS COUNT    processor time of one message from each link: one by one, together
//! ```
//!
//! Messages are sealed, or opened, one by one and together in turns, by the same links.

use std::error::Error;
use std::hint::black_box;

use devp2p_link_bench::{deliver, processor_time};
use devp2p_proto::batch;
use devp2p_testing::{ALPHA, Pair};

/// Each message begins one byte further into the file than the one before, up to this many bytes
///
/// So that a message differs from its neighbours. `benches/geth/rlpx` does the same.
const SHIFTS: usize = 256;

type Links = Vec<Pair<'static>>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["lacks"] => println!("{}", lacks()),
        ["write", file, links, count] => {
            let write = Step { alone: write_alone, together: write_together, before: |_, _| {}, after: sent };
            measure(&write, &std::fs::read(file)?, links.parse()?, count.parse()?);
        }
        ["open", file, links, count] => {
            let open = Step { alone: open_alone, together: open_together, before: write_theirs, after: sent_theirs };
            measure(&open, &std::fs::read(file)?, links.parse()?, count.parse()?);
        }
        _ => return Err("lacks | write FILE LINKS COUNT | open FILE LINKS COUNT".into()),
    }
    Ok(())
}

/// What is measured, in both ways, and what has to happen before and after each time
struct Step {
    alone: fn(&mut Links, &[u8]),
    together: fn(&mut Links, &[u8]),
    before: fn(&mut Links, &[u8]),
    after: fn(&mut Links, &[u8]),
}

fn measure(step: &Step, payload: &[u8], links: usize, count: usize) {
    let mut links: Links = (0..links).map(|_| Pair::running()).collect();
    let size = payload.len() - SHIFTS;
    let mut round = |count: usize| {
        let mut times = [0, 0];
        for index in 0..2 * count {
            let payload = &payload[index % SHIFTS..][..size];
            let way = if index % 2 == 0 { step.alone } else { step.together };
            (step.before)(&mut links, payload);
            let before = processor_time();
            way(&mut links, payload);
            times[index % 2] += processor_time() - before;
            (step.after)(&mut links, payload);
        }
        times.map(|time| time / count as u64)
    };
    round(count / 10 + 1);
    let [alone, together] = round(count);
    println!("{alone} {together}");
}

fn write_alone(links: &mut Links, payload: &[u8]) {
    for pair in links {
        black_box(pair.initiator.link.write(pair.now, ALPHA, 0, payload)).expect("nothing is unsent");
    }
}

fn write_together(links: &mut Links, payload: &[u8]) {
    let now = links[0].now;
    let links = links.iter_mut().map(|pair| ((), &mut pair.initiator.link, ALPHA));
    batch::write(now, links, 0, payload, |(), outcome| _ = black_box(outcome).expect("nothing is unsent"));
}

/// Frames are as long one by one as together
fn sent(links: &mut Links, payload: &[u8]) {
    for pair in links {
        let len = pair.initiator.link.unsent().len();
        assert!(len > 64 && len < payload.len() + payload.len() / 64 + 128, "one message");
        pair.initiator.link.sent(pair.now, len).expect("it is unsent");
    }
}

fn write_theirs(links: &mut Links, payload: &[u8]) {
    for pair in links {
        pair.recipient.link.write(pair.now, ALPHA, 0, payload).expect("nothing is unsent");
    }
}

fn open_alone(links: &mut Links, payload: &[u8]) {
    for Pair { now, initiator, recipient, .. } in links {
        assert_eq!(initiator.link.receive(*now, recipient.link.unsent()), recipient.link.unsent().len());
        assert_eq!(deliver(&mut initiator.link), Some(payload.len()));
    }
}

fn open_together(links: &mut Links, payload: &[u8]) {
    let now = links[0].now;
    let input = links.iter_mut().map(|Pair { initiator, recipient, .. }| {
        let frame = recipient.link.unsent();
        (frame.len(), &mut initiator.link, frame)
    });
    batch::receive(now, input, |offered, taken| assert_eq!(offered, taken));
    for pair in links {
        assert_eq!(deliver(&mut pair.initiator.link), Some(payload.len()));
    }
}

fn sent_theirs(links: &mut Links, _: &[u8]) {
    for pair in links {
        let len = pair.recipient.link.unsent().len();
        pair.recipient.link.sent(pair.now, len).expect("it is unsent");
    }
}

/// The instructions that this build is about, if the processor lacks them
fn lacks() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        if cfg!(devp2p_keccak = "avx2") {
            return if has!("avx2") { "" } else { "AVX2" };
        } else if has!("avx512f") && has!("avx512vl") {
            return "";
        }
    }
    "AVX-512"
}
