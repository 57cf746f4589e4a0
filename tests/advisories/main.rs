//! Published weaknesses of links of this kind, each a test of that name
//!
//! Each test says what happened elsewhere, and what must hold here. What the tests are known to notice,
//! from changes of `src` that bring the weakness back:
//!
//! | test | change that it notices |
//! |---|---|
//! | `cve_2022_29177` | a reason without a name panics in `Display` or `Debug`; a reason beyond 64 bits reads as 0 |
//! | `cve_2023_40591` | a Pong is sealed although the one before it is unsent |
//! | `cve_2025_24883` | the key in auth, in ack, of the envelope or of the dialled node is not validated; another form of key is taken |
//! | `ghsa_2gjw_fg97_vg3r` | coordinates are reduced by the prime; r and s are not checked; an r without a point; a recovery id up to 3 |
//! | `cve_2026_22862` | no smallest size, or one more; no largest size; the claimed size is allocated; the tag is not checked |
//! | `ghsa_m6j8_rg6r_7mv8` | an invalid key is found at the tag only; the tag is not checked |
//! | `geth_30029` | no largest size of a packet, or one byte more |
//! | `core_geth_694` | the same |
//! | `besu_8957` | a link that was refused goes on taking packets |
//! | `ghsa_689v_6xwf_5jf3` | the claimed size of a frame is allocated; a buffer grows before the limit is checked; a length is claimed that the block cannot make; memory is not given back |
//! | `eip_706` | no limit for the claimed length; a block that makes less than it claims passes |
//! | `reth_22508_and_23718_and_ethrex_6956` | every body is stored; frames are limited by the configuration and not by the protocols |
//! | `ethrex_6900` | no limit of a share; no limit of `Outbox` |
//! | `ethereumjs_1442_and_1484` | Ping and Pong, or Disconnect, are not compressed; compression begins at version 6; Disconnect is read in one form only |
//! | `geth_30855` | our Disconnect is a bare integer; one of the forms is not read |
//! | `rlp_0_6_hello` | capabilities end at the first malformed one; a capability with three fields; leading zeros; lengths that are not canonical; integers beyond 64 bits; a missing version |
//! | `rlp_0_6_handshake` | a missing version in auth and ack |
//! | `rlp_0_6_other_messages` | bytes behind a Disconnect |
//! | `rlp_0_6_payloads` | a payload is decoded without being validated |
//! | `myotis_287` | a protocol without messages takes an id; the lowest version wins; a code equal to the length is routed |

mod floods;
mod handshake;
mod memory;
mod messages;
mod metered;
mod offsets;
mod pings;
mod reasons;

use devp2p_proto::{Cause, Instant, PeerState, Violation};
use devp2p_testing::config;
use devp2p_testing::remote::{LINK, Scene, initiator, recipient};

/// A link in each role that waits for the packet of its peer
fn waiting_links() -> [PeerState<'static>; 2] {
    let config = config(LINK, devp2p_testing::PROTOCOLS);
    let mut dialling = initiator(&config);
    // Auth is sealed by the first poll.
    let Some(devp2p_proto::Action::Send(auth)) = dialling.poll() else { panic!("auth is to be sent") };
    let len = auth.len();
    dialling.sent(Instant::ZERO, len).unwrap();
    [recipient(&config), dialling]
}

/// The violation by which the link ends; every other cause is a failure of the test
fn violation(link: &PeerState<'_>) -> Option<Violation> {
    match link.cause()? {
        Cause::Violation(violation) => Some(violation),
        other => panic!("{other}"),
    }
}

/// Gives the node one frame with this body
fn receive(scene: &mut Scene<'_>, body: &[u8]) {
    scene.send_body(body);
    scene.settle();
}
