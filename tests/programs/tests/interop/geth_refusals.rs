//! Links with geth v1.17.10 that never come up, and what each side makes of it

use devp2p_program_tests::driver::{Driver, Leave, Seen, new_key, node};
use devp2p_program_tests::process::Process;
use devp2p_proto::{Cause, Config, DisconnectReason, Protocol, Role, SecretKey, Violation};
use serde_json::Value;

use crate::geth::geth;
use crate::geth_endings::remote;
use crate::meeting::{By, Meeting, PROTOCOLS, each};

both_roles!(no_room, of_a_link_that_never_ran);

/// Its Disconnect takes the place of Hello, and it hangs up before it has read ours
///
/// A hesitant writer finds the connection reset half-way through its Hello, and has to go on reading.
fn no_room(role: Role) {
    let rounds = [("at once", false), ("hesitant", true)];
    each(rounds.iter().cycle().take(20).copied(), |hesitant| {
        let config = node(PROTOCOLS);
        let it = Process::geth(&["-max-peers", "0"]);
        let (its, ours) = (it.id, config.node_id());
        let mut meeting = Meeting::with_ids(role, &config, it, By::Connect, its, ours);
        meeting.us.hesitant = hesitant;
        assert_eq!(meeting.cause(), remote(4));
        assert!(!hesitant || meeting.us.failed_writes > 0, "no write failed, so nothing is shown");
        assert_eq!(meeting.us.seen, [Seen::IdentityClaimed(its), Seen::Disconnect(remote(4))], "no Hello came");
        check_log(&mut meeting, role, "Rejected peer", "too many peers");
    });
}

/// Waits for geth's log record, and for what it says of its own attempt if it dialled past its dialer
fn check_log(meeting: &mut Meeting, role: Role, msg: &str, err: &str) {
    let what = format!("{msg:?} {err:?} in its log");
    meeting.until(&what, |_, it| it.find(|e| e["event"] == "log" && e["msg"] == msg && starts(&e["err"], err)));
    if role == Role::Recipient {
        let outcome = meeting.event("connected");
        assert!(outcome["error"].as_str().is_some_and(|error| error.contains(err)), "expected {err:?}: {outcome}");
    }
}

fn starts(value: &Value, prefix: &str) -> bool {
    value.as_str().is_some_and(|text| text.starts_with(prefix))
}

/// How a link ends that was never up on both sides, and what each side makes of it
struct Refusal {
    what: &'static str,
    setup: Setup,
    /// Our cause when we dial, and when it does
    ours: [Cause; 2],
    /// Message and error in geth's log when we dial, and when it does
    its: [(&'static str, &'static str); 2],
}

#[derive(Clone, Copy)]
enum Setup {
    Leave(Leave),
    NothingShared,
    /// Whoever dials takes the other for somebody else
    WrongId,
    /// Our key is its key
    Self_,
    /// There is another link between the two
    Twice,
}

const NOBODY_HEARD: &str = "EOF";

const REFUSALS: &[Refusal] = &[
    Refusal {
        what: "we disconnect in place of Hello",
        setup: Setup::Leave(Leave::AtIdentityClaimed(DisconnectReason::TOO_MANY_PEERS)),
        ours: [Cause::Local(DisconnectReason::TOO_MANY_PEERS); 2],
        its: [("Failed p2p handshake", "too many peers"); 2],
    },
    Refusal {
        what: "we disconnect in place of Hello for a reason without a name",
        setup: Setup::Leave(Leave::AtIdentityClaimed(DisconnectReason::from_code(0x2a))),
        ours: [Cause::Local(DisconnectReason::from_code(0x2a)); 2],
        its: [("Failed p2p handshake", "unknown disconnect reason 42"); 2],
    },
    Refusal {
        what: "nothing is shared",
        setup: Setup::NothingShared,
        ours: [Cause::NothingShared; 2],
        its: [("Rejected peer", "useless peer"); 2],
    },
    Refusal {
        what: "the wrong node id is expected",
        setup: Setup::WrongId,
        ours: [Cause::ReceiveClosed, Cause::Violation(Violation::HandshakeTagMismatch)],
        its: [("Failed RLPx handshake", "ecies: invalid message"), ("Failed RLPx handshake", NOBODY_HEARD)],
    },
    Refusal {
        what: "it meets itself",
        setup: Setup::Self_,
        ours: [remote(0x0a); 2],
        its: [("Rejected peer", "connected to self"); 2],
    },
    Refusal {
        what: "there is a link already",
        setup: Setup::Twice,
        ours: [remote(0x05); 2],
        its: [("Rejected peer", "already connected"); 2],
    },
];

fn of_a_link_that_never_ran(role: Role) {
    each(REFUSALS.iter().map(|row| (row.what, row)), |row| {
        let (mut meeting, _other) = refused(role, row.setup);
        assert_eq!(meeting.cause(), row.ours[role as usize]);
        assert!(!meeting.us.is_ready());
        let (msg, err) = row.its[role as usize];
        check_log(&mut meeting, role, msg, err);
    });
}

/// A link that will not come up, and the link that is in its way, if there is one
fn refused(role: Role, setup: Setup) -> (Meeting, Option<Driver>) {
    let protocols: &[Protocol<'_>] = match setup {
        Setup::NothingShared => &[Protocol::new("echo", 3, 17), Protocol::new("Ping", 1, 8)],
        _ => PROTOCOLS,
    };
    let key = "1111111111111111111111111111111111111111111111111111111111111111";
    let (config, it) = match setup {
        Setup::Self_ => {
            let secret = SecretKey::from_bytes([0x11; 32]).expect("a key");
            let config = Config::new(secret, "its twin", protocols).expect("usable");
            (config, Process::geth(&["-key", key]))
        }
        _ => (node(protocols), geth()),
    };
    let wrong = new_key().node_id();
    let (its, ours) = match setup {
        Setup::WrongId => (wrong, wrong),
        _ => (it.id, config.node_id()),
    };
    match setup {
        Setup::Twice => {
            let mut meeting = Meeting::running(Role::Initiator, &config, it);
            let other = meeting.begin_again(role, &config, By::Connect);
            (meeting, Some(other))
        }
        Setup::Leave(leave) => {
            let mut meeting = Meeting::with_ids(role, &config, it, By::Connect, its, ours);
            meeting.us.leave = leave;
            (meeting, None)
        }
        _ => (Meeting::with_ids(role, &config, it, By::Connect, its, ours), None),
    }
}
