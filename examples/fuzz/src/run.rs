//! One execution: the operations that the input chooses, and what must hold afterwards

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use devp2p_proto::{Cause, Timeout};
use devp2p_testing::schedule::{Operation, Side, World};
use devp2p_testing::{Pair, config};

use crate::input::Input;
use crate::library::{Flush, Library};
use crate::message::{MAX_PAGES, PAGES, PROTOCOL, Question};
use crate::reader::Reader;

/// Runs a reader and a library through what `data` says
///
/// # Panics
///
/// If two nodes that follow the protocol leave a question without an answer, or end the link other than by a timeout.
/// The fuzzer looks for such inputs.
pub fn run(data: &[u8], flush: Flush) {
    let mut scene = Scene::new(flush);
    let mut input = Input(data);
    while let Some(choice) = input.next() {
        scene.perform(choice, &mut input);
    }
    scene.finish();
}

/// How many bytes of frames a link keeps unsent
const WINDOW: usize = 1000;

struct Scene {
    /// The reader is the initiator, and the library is the recipient
    world: World<'static>,
    reader: Rc<RefCell<Reader>>,
    /// Whether a node has sent what the protocol does not permit
    hostile: bool,
}

impl Scene {
    fn new(flush: Flush) -> Self {
        // The transmit buffers are small, so that a stalled network soon fills them.
        let node = |seed| config(seed, &[PROTOCOL]).with_send_window(WINDOW);
        let mut pair = Pair::past_handshake(&node(1), &node(2));
        let reader = Rc::new(RefCell::new(Reader::default()));
        let reacting = Rc::clone(&reader);
        pair.initiator.react(move |link, now, seen| reacting.borrow_mut().react(link, now, seen));
        let mut library = Library::new(flush);
        pair.recipient.react(move |link, now, seen| library.react(link, now, seen));
        Self { world: World::with(pair), reader, hostile: false }
    }

    fn perform(&mut self, choice: u8, input: &mut Input<'_>) {
        match choice % 8 {
            0 | 1 => {
                let question =
                    Question { first: input.byte().into(), count: u64::from(input.byte()) % (MAX_PAGES + 1) };
                let now = self.world.pair.now;
                self.reader.borrow_mut().ask(&mut self.world.pair.initiator.link, now, question);
            }
            2 => self.say_anything(input),
            _ => self.world.perform(&operation(choice, input)),
        }
    }

    /// One of the nodes becomes hostile: it sends a payload that its protocol has not made
    fn say_anything(&mut self, input: &mut Input<'_>) {
        let (side, code, payload) = (side(input), u64::from(input.byte() & 1), input.bytes());
        let now = self.world.pair.now;
        let said = self.world.node(side).link.write(now, PAGES, code, payload);
        self.hostile |= said.is_ok();
    }

    /// Each question was answered in its order, unless the network or a hostile node has prevented it
    fn finish(mut self) {
        self.world.heal();
        if self.hostile {
            return;
        }
        match self.world.pair.causes() {
            (None, None) => assert_eq!(self.reader.borrow().open, [], "questions without an answer"),
            (Some(ours), Some(theirs)) => assert!(is_timeout(ours) || is_timeout(theirs), "{ours:?}, {theirs:?}"),
            causes => panic!("only one of the links has ended: {causes:?}"),
        }
    }
}

/// What the network, the drivers and the clock do
fn operation(choice: u8, input: &mut Input<'_>) -> Operation {
    match choice % 8 {
        3 => Operation::Capacity(side(input), 4 * usize::from(input.byte())),
        4 => Operation::MaxRead(side(input), 1 + usize::from(input.byte())),
        5 => Operation::Advance(Duration::from_millis(50 * u64::from(input.byte()))),
        6 => Operation::Step,
        _ => Operation::Settle,
    }
}

fn side(input: &mut Input<'_>) -> Side {
    if input.byte() & 1 == 0 { Side::Initiator } else { Side::Recipient }
}

/// The network had stalled for too long
fn is_timeout(cause: Cause) -> bool {
    matches!(cause, Cause::Timeout(Timeout::Read | Timeout::Write | Timeout::Frame | Timeout::Pong))
}
