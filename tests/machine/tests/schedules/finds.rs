//! What the search has found, each as its shortest sequence of calls

use devp2p_proto::{Action, Instant, WriteError};
use devp2p_testing::ALPHA;

use crate::explore::Machine;
use crate::solo::{LARGE, SMALL, Solo, Start, payload};

/// A message that is taken after a refusal, before `Writable` was polled, puts that off until it has left
///
/// Otherwise `Writable` would come while the message is unsent, and the next one could be refused.
#[test]
fn the_first_message_after_writable_is_taken_although_one_was_taken_before_it() {
    let mut link = Solo::start(Start::Running).link;
    let now = Instant::ZERO;
    link.write(now, ALPHA, 0, payload(LARGE)).unwrap();
    assert_eq!(link.write(now, ALPHA, 0, payload(LARGE)), Err(WriteError::Full));
    link.sent(now, link.unsent().len()).unwrap();
    link.write(now, ALPHA, 0, payload(SMALL)).unwrap();
    assert!(matches!(link.poll(), Some(Action::Send(_))), "something of the protocol is unsent");
    link.sent(now, link.unsent().len()).unwrap();
    assert!(matches!(link.poll(), Some(Action::Writable(ALPHA))));
    link.write(now, ALPHA, 0, payload(LARGE)).unwrap();
}
