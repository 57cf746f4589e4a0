//! The cost of hostile bytes: the work of a link for the bytes of a hostile peer
//!
//! `benches/hostile/run` runs this program in callgrind, and prints a table of the counts.

mod blocks;
mod frames;
mod handshakes;

use std::hint::black_box;

use devp2p_proto::{Action, Instant, PeerState};
use devp2p_valgrind::callgrind;

fn main() {
    assert!(devp2p_valgrind::is_running(), "this program must be run by benches/hostile/run");
    handshakes::all();
    frames::all();
    blocks::all();
}

/// A row of the table: `what` the peer sends, its length in bytes, and how many times `attack` sends it
fn row(what: &str, bytes: usize, times: usize, attack: impl FnOnce()) {
    callgrind::count(&format!("{what}\t{bytes}\t{times}"), attack);
}

/// Gives a link all these bytes in pieces of this size, and does the actions of the link as its driver
fn feed(link: &mut PeerState<'_>, bytes: &[u8], piece: usize) {
    for mut piece in bytes.chunks(piece) {
        while !piece.is_empty() {
            let taken = link.receive(Instant::ZERO, piece);
            assert!(taken > 0, "every action is done, so the link takes input");
            piece = &piece[taken..];
            act(link);
        }
    }
}

/// Does every action of the link; the socket takes everything
fn act(link: &mut PeerState<'_>) {
    while let Some(action) = link.poll() {
        if let Action::Send(bytes) = black_box(action) {
            let len = bytes.len();
            link.sent(Instant::ZERO, len).expect("no more than is unsent");
        }
    }
}
