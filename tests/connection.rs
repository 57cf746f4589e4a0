//! A connection on sockets that take what they like

use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use devp2p_proto::{
    Action, Buffers, Cause, Connection, DisconnectReason, Event, Handled, Instant, Link, MAX_MESSAGE, Notice, Outbox,
    Party, PeerState, ProtocolError, ProtocolId, Refused, Turn, WriteError,
};
use devp2p_testing::{ALPHA, BETA, PROTOCOLS, Pipe, config, entropy, noise};

const SECOND: Duration = Duration::from_secs(1);
const BACKLOG: usize = 10_000;

type Out<'a> = devp2p_proto::Out<'a, PeerState<'static>>;
type Message = (ProtocolId, u64, Vec<u8>);

/// A socket that reads from one pipe and writes to the other
struct Socket<'a> {
    input: &'a mut Pipe,
    output: &'a mut Pipe,
    /// The most bytes of one read
    chunk: usize,
    reads: usize,
    writes: usize,
    /// What was refused, so that its readiness is an event
    refused: Refusals,
}

#[derive(Default, Clone, Copy)]
struct Refusals {
    read: bool,
    write: bool,
}

impl Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        let len = self.input.waiting().min(buffer.len()).min(self.chunk);
        if len == 0 && !self.input.is_closed() {
            self.refused.read = true;
            return Err(ErrorKind::WouldBlock.into());
        }
        buffer[..len].copy_from_slice(&self.input.unread()[..len]);
        self.input.consume(len);
        Ok(len)
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        match self.output.write(bytes) {
            0 => {
                self.refused.write = true;
                Err(ErrorKind::WouldBlock.into())
            }
            len => Ok(len),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A node, what it was told, and how it answers
struct Node {
    connection: Connection,
    told: Vec<Notice>,
    answer: fn(&Notice, &mut Out<'_>),
    chunk: usize,
    turn: Option<Turn>,
    refused: Refusals,
}

impl Node {
    fn new(link: PeerState<'static>) -> Self {
        let connection = Connection::new(link, BACKLOG);
        Self {
            connection,
            told: Vec::new(),
            answer: |_, _| {},
            chunk: usize::MAX,
            turn: None,
            refused: Refusals::default(),
        }
    }

    fn turn(&mut self, now: Instant, input: &mut Pipe, output: &mut Pipe) {
        if matches!(self.turn, Some(Turn::Ended(_))) {
            return;
        }
        let mut socket = Socket { input, output, chunk: self.chunk, reads: 0, writes: 0, refused: self.refused };
        let turn = self.connection.turn(now, &mut socket, &mut [0; 4096], |notice, out| {
            (self.answer)(&notice, out);
            self.told.push(notice);
        });
        assert!(socket.reads <= 1 && socket.writes <= 2, "a turn reads at most once and writes at most twice");
        self.refused = socket.refused;
        self.turn = Some(turn);
    }

    /// Gives a turn if there is an event: something that was refused has become possible
    fn turn_on_event(&mut self, now: Instant, input: &mut Pipe, output: &mut Pipe) -> bool {
        let readable = input.waiting() > 0 && mem::take(&mut self.refused.read);
        let writable = output.waiting() < output.capacity && mem::take(&mut self.refused.write);
        let has_turn = readable || writable || matches!(self.turn, None | Some(Turn::Again));
        if has_turn {
            self.turn(now, input, output);
        }
        has_turn
    }

    fn messages(&self) -> Vec<Message> {
        let message = |notice: &Notice| match notice {
            Notice::Message { protocol, code, payload } => Some((*protocol, *code, payload.to_vec())),
            _ => None,
        };
        self.told.iter().filter_map(message).collect()
    }

    fn cause(&self) -> Option<Cause> {
        match self.turn? {
            Turn::Ended(cause) => Some(cause),
            _ => None,
        }
    }
}

/// Two nodes and the pipes between them
struct Pair {
    now: Instant,
    initiator: Node,
    recipient: Node,
    to_recipient: Pipe,
    to_initiator: Pipe,
}

impl Pair {
    fn new() -> Self {
        let (ours, theirs, now) = (config(1, PROTOCOLS), config(2, PROTOCOLS), Instant::ZERO);
        let initiator = PeerState::initiator(now, &ours, theirs.node_id(), entropy(1), Buffers::growable()).unwrap();
        let recipient = PeerState::recipient(now, &theirs, entropy(2), Buffers::growable()).unwrap();
        let (to_recipient, to_initiator) = (Pipe::new(), Pipe::new());
        Self { now, initiator: Node::new(initiator), recipient: Node::new(recipient), to_recipient, to_initiator }
    }

    fn running() -> Self {
        let mut pair = Self::new();
        pair.settle();
        assert!(pair.initiator.told.iter().any(|notice| matches!(notice, Notice::Ready)));
        pair.initiator.told.clear();
        pair.recipient.told.clear();
        pair
    }

    /// Gives both nodes turns until no byte moves any more
    fn settle(&mut self) {
        for _ in 0..1_000_000 {
            let before = self.bytes();
            self.initiator.turn(self.now, &mut self.to_initiator, &mut self.to_recipient);
            self.recipient.turn(self.now, &mut self.to_recipient, &mut self.to_initiator);
            if self.bytes() == before {
                return;
            }
        }
        panic!("the two never come to rest");
    }

    /// A turn for each node that has an event; returns whether one had
    fn turns_on_events(&mut self) -> bool {
        let Self { now, initiator, recipient, to_recipient, to_initiator } = self;
        initiator.turn_on_event(*now, to_initiator, to_recipient)
            | recipient.turn_on_event(*now, to_recipient, to_initiator)
    }

    fn bytes(&self) -> [usize; 4] {
        let [a, b] = [&self.to_recipient, &self.to_initiator];
        [a.log.len(), b.log.len(), a.waiting(), b.waiting()]
    }

    fn advance(&mut self, time: Duration) {
        self.now = self.now.checked_add(time).unwrap();
        self.settle();
    }

    fn out(&mut self) -> Out<'_> {
        self.initiator.connection.out(self.now)
    }
}

fn echo(notice: &Notice, out: &mut Out<'_>) {
    if let Notice::Message { protocol, code, payload } = notice {
        out.send(*protocol, *code, payload).unwrap();
    }
}

/// Messages that do not compress, of both protocols
fn messages() -> Vec<Message> {
    let message = |number: usize| {
        let protocol = if number.is_multiple_of(2) { ALPHA } else { BETA };
        (protocol, (number % 3) as u64, noise(number as u64, number * 100))
    };
    (0..8).map(message).collect()
}

#[test]
fn messages_arrive_whatever_the_sockets_take() {
    for (chunk, capacity) in [(usize::MAX, usize::MAX), (1, usize::MAX), (4096, 7), (13, 100)] {
        let mut pair = Pair::new();
        (pair.initiator.chunk, pair.recipient.chunk) = (chunk, chunk);
        (pair.to_initiator.capacity, pair.to_recipient.capacity) = (capacity, capacity);
        pair.recipient.answer = echo;
        pair.settle();
        for (protocol, code, payload) in messages() {
            pair.out().send(protocol, code, &payload).unwrap();
        }
        pair.settle();
        let (mut came, mut sent) = (pair.initiator.messages(), messages());
        came.sort();
        sent.sort();
        assert_eq!(came, sent, "chunks of {chunk}, pipes of {capacity}");
        pair.out().disconnect(DisconnectReason::CLIENT_QUITTING);
        pair.settle();
        let reason = DisconnectReason::CLIENT_QUITTING;
        assert_eq!(pair.recipient.cause(), Some(Cause::Remote(reason)));
        pair.to_initiator.close();
        pair.settle();
        assert_eq!(pair.initiator.cause(), Some(Cause::Local(reason)));
    }
}

/// Edge-triggered events come once, when something that was refused becomes possible
#[test]
fn edge_triggered_events_are_enough() {
    for (chunk, capacity) in [(usize::MAX, usize::MAX), (1, usize::MAX), (4096, 7), (13, 100)] {
        let mut pair = Pair::new();
        (pair.initiator.chunk, pair.recipient.chunk) = (chunk, chunk);
        (pair.to_initiator.capacity, pair.to_recipient.capacity) = (capacity, capacity);
        pair.initiator.answer = |notice, out| {
            if let Notice::Ready = notice {
                messages().iter().for_each(|(protocol, code, payload)| out.send(*protocol, *code, payload).unwrap());
            }
        };
        // Holds each message until its own answer has left.
        pair.recipient.answer = |notice, out| {
            echo(notice, out);
            out.hold(out.waiting(ALPHA) > 0);
        };
        while pair.turns_on_events() {}
        assert_eq!(pair.initiator.messages().len(), messages().len(), "chunks of {chunk}, pipes of {capacity}");
    }
}

#[test]
fn a_turn_says_what_to_wait_for() {
    let mut pair = Pair::new();
    assert_eq!(pair.initiator.turn, None);
    pair.to_recipient.capacity = 10;
    pair.initiator.turn(pair.now, &mut pair.to_initiator, &mut pair.to_recipient);
    assert_eq!(pair.initiator.turn, Some(Turn::Wait { read: true, write: true }), "auth does not fit the socket");
    pair.to_recipient.capacity = usize::MAX;
    pair.initiator.turn(pair.now, &mut pair.to_initiator, &mut pair.to_recipient);
    assert_eq!(pair.initiator.turn, Some(Turn::Wait { read: true, write: false }));
}

#[test]
fn messages_wait_in_order_up_to_the_backlog() {
    let mut pair = Pair::running();
    pair.to_recipient.capacity = 0;
    let mut sent = Vec::new();
    loop {
        let payload = noise(sent.len() as u64, 1_000);
        match pair.out().send(ALPHA, 0, &payload) {
            Ok(()) => sent.push((ALPHA, 0, payload)),
            Err(error) => break assert_eq!(error, WriteError::Full),
        }
    }
    let waiting = pair.out().waiting(ALPHA);
    assert!(waiting <= BACKLOG && waiting + 1_000 + Outbox::OVERHEAD > BACKLOG, "{waiting} bytes wait");
    assert_eq!(pair.out().waiting(BETA), 0);
    pair.out().send(BETA, 1, b"not behind the others").unwrap();
    pair.settle();
    assert_eq!(pair.initiator.turn, Some(Turn::Wait { read: true, write: true }));
    assert!(pair.initiator.told.is_empty(), "nothing has left");

    pair.to_recipient.capacity = usize::MAX;
    pair.settle();
    let mut came = pair.recipient.messages();
    came.retain(|(protocol, ..)| *protocol == ALPHA);
    assert_eq!(came, sent);
    assert_eq!(pair.out().waiting(ALPHA), 0);
    assert!(matches!(pair.initiator.told[..], [Notice::Writable(ALPHA)]), "{:?}", pair.initiator.told);
}

#[test]
fn held_messages_wait_without_a_read() {
    let mut pair = Pair::running();
    pair.recipient.answer = |notice, out| out.hold(matches!(notice, Notice::Message { .. }));
    for number in 0..5 {
        pair.out().send(ALPHA, number % 4, &[number as u8]).unwrap();
    }
    pair.settle();
    for count in 1..=5 {
        assert_eq!(pair.recipient.messages().len(), count);
        let held = Turn::Wait { read: count == 5, write: false };
        assert_eq!(pair.recipient.turn, Some(held), "after {count} messages");
        pair.recipient.connection.out(pair.now).hold(false);
        pair.settle();
    }
    let payloads: Vec<_> = pair.recipient.messages().into_iter().map(|(.., payload)| payload).collect();
    assert_eq!(payloads, [[0], [1], [2], [3], [4]]);
}

#[test]
fn a_pong_is_told_once_with_its_time() {
    let mut pair = Pair::running();
    pair.out().ping().unwrap();
    pair.initiator.turn(pair.now, &mut pair.to_initiator, &mut pair.to_recipient);
    pair.advance(SECOND);
    pair.advance(SECOND);
    assert!(matches!(pair.initiator.told[..], [Notice::Pong(SECOND)]), "{:?}", pair.initiator.told);
}

/// Once a message waits in an outbox, it can be refused only later
#[test]
fn a_waiting_message_that_the_link_never_takes_is_the_failure_of_its_protocol() {
    let mut pair = Pair::running();
    assert_eq!(pair.out().send(ALPHA, 4, b""), Err(WriteError::InvalidCode));
    pair.to_recipient.capacity = 0;
    while pair.out().waiting(ALPHA) == 0 {
        pair.out().send(ALPHA, 0, &noise(1, 3_000)).unwrap();
    }
    pair.out().send(ALPHA, 4, b"").unwrap();
    pair.to_recipient.capacity = usize::MAX;
    pair.settle();
    let cause = pair.initiator.connection.link().cause();
    assert!(
        matches!(cause, Some(Cause::ProtocolFailed { protocol: ALPHA, error: ProtocolError::Other, .. })),
        "{cause:?}"
    );
}

#[test]
fn a_typed_message_is_encoded() {
    let mut pair = Pair::running();
    pair.out().send_rlp(ALPHA, 3, &"dog").unwrap();
    pair.settle();
    assert_eq!(pair.recipient.messages(), [(ALPHA, 3, b"\x83dog".to_vec())]);
}

#[test]
fn a_connection_prints_sizes_and_no_content() {
    let mut pair = Pair::running();
    pair.to_recipient.capacity = 0;
    while pair.out().waiting(ALPHA) == 0 {
        pair.out().send(ALPHA, 0, &[b'x'; 3_000]).unwrap();
    }
    let text = format!("{:?}", pair.initiator.connection);
    assert!(text.contains("Outbox(ProtocolId(0): 1 messages, 3064 of 10000 bytes)"), "{text}");
    assert!(format!("{:?}", pair.out()).contains("3064"));
    assert!(!text.contains("xxx") && !text.contains("120, 120"), "{text}");
}

#[test]
fn requests_before_hello_are_refused() {
    let mut pair = Pair::new();
    assert_eq!(pair.out().send(ALPHA, 0, b""), Err(WriteError::NotReady));
    assert!(pair.out().ping().is_err());
    assert!(pair.out().protocol_returned(ALPHA, Ok(())).is_err());
    pair.settle();
    assert_eq!(pair.out().protocol_returned(ALPHA, Ok(())), Ok(()));
    pair.settle();
    let reason = DisconnectReason::CLIENT_QUITTING;
    assert_eq!(pair.recipient.cause(), Some(Cause::Remote(reason)));
}

#[test]
fn what_came_before_the_end_of_the_stream_is_told_before_the_end() {
    let mut pair = Pair::running();
    pair.out().send(ALPHA, 1, b"last").unwrap();
    pair.initiator.turn(pair.now, &mut pair.to_initiator, &mut pair.to_recipient);
    pair.to_recipient.close();
    pair.settle();
    assert_eq!(pair.recipient.messages(), [(ALPHA, 1, b"last".to_vec())]);
    assert_eq!(pair.recipient.cause(), Some(Cause::ReceiveClosed));
}

/// A stream with scripted results
struct Stream {
    read: fn(&mut [u8]) -> io::Result<usize>,
    write: fn(&[u8]) -> io::Result<usize>,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (self.read)(buffer)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.write)(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A turn of a new initiator, which has its auth to send
fn turn_on(mut stream: Stream, buffer: &mut [u8]) -> (Turn, usize) {
    let mut node = Pair::new().initiator.connection;
    let turn = node.turn(Instant::ZERO, &mut stream, buffer, |_, _| {});
    (turn, node.link().unsent().len())
}

#[test]
fn streams_that_lie_end_the_link_and_do_no_harm() {
    let blocks = |_: &mut [u8]| Err(ErrorKind::WouldBlock.into());
    let takes = |bytes: &[u8]| Ok(bytes.len());
    let buffer = &mut [0; 100];
    let (turn, _) = turn_on(Stream { read: |buffer| Ok(buffer.len() + 1), write: takes }, buffer);
    assert_eq!(turn, Turn::Ended(Cause::ReceiveClosed));
    for write in [|_: &[u8]| Ok(0), |bytes: &[u8]| Ok(bytes.len() + 1), |_: &[u8]| Err(ErrorKind::BrokenPipe.into())] {
        let (turn, _) = turn_on(Stream { read: blocks, write }, buffer);
        assert_eq!(turn, Turn::Ended(Cause::SendFailed));
    }
    for read in [|_: &mut [u8]| Err(ErrorKind::ConnectionReset.into()), |_: &mut [u8]| Err(ErrorKind::TimedOut.into())]
    {
        let (turn, _) = turn_on(Stream { read, write: takes }, buffer);
        assert_eq!(turn, Turn::Ended(Cause::ReceiveClosed), "TCP gives up a connection with TimedOut");
    }
}

#[test]
fn an_interrupted_call_is_tried_again() {
    let interrupted = |_: &[u8]| Err(ErrorKind::Interrupted.into());
    let full = |_: &[u8]| Err(ErrorKind::WouldBlock.into());
    let empty = |_: &mut [u8]| Err(ErrorKind::WouldBlock.into());
    let buffer = &mut [0; 100];
    let waits = Turn::Wait { read: true, write: true };
    let (turn, unsent) = turn_on(Stream { read: empty, write: full }, buffer);
    assert_eq!(turn, waits);
    assert!(unsent > 0);
    for stream in [
        Stream { read: |_| Err(ErrorKind::Interrupted.into()), write: full },
        Stream { read: empty, write: interrupted },
    ] {
        assert_eq!(turn_on(stream, buffer), (Turn::Again, unsent));
    }
}

#[test]
fn an_empty_buffer_is_not_the_end_of_the_stream() {
    let stream = Stream { read: |buffer| Ok(buffer.len()), write: |bytes| Ok(bytes.len()) };
    let (turn, _) = turn_on(stream, &mut []);
    assert_eq!(turn, Turn::Wait { read: true, write: false });
}

/// Applies to a second link what it sees, and compares what both ask for
struct Twins(PeerState<'static>, PeerState<'static>);

impl Link for Twins {
    fn handle(&mut self, now: Instant, event: Event<'_>) -> Result<Handled, Refused> {
        let result = self.0.handle(now, event);
        assert_eq!(self.1.handle(now, event), result);
        result
    }

    fn poll(&mut self) -> Option<Action<'_>> {
        let action = self.0.poll();
        assert_eq!(format!("{:?}", self.1.poll()), format!("{action:?}"));
        action
    }

    fn state(&self) -> &PeerState<'static> {
        &self.0
    }
}

#[test]
fn a_wrapper_sees_all_that_happens_to_its_link() {
    let config = config(2, PROTOCOLS);
    let link = || PeerState::recipient(Instant::ZERO, &config, entropy(2), Buffers::growable()).unwrap();
    let mut twins = Connection::new(Twins(link(), link()), MAX_MESSAGE);
    let mut pair = Pair::new();
    let now = pair.now;
    pair.initiator.answer = |notice, out| {
        if let Notice::Ready = notice {
            out.send(ALPHA, 0, b"hello").unwrap();
            out.ping().unwrap();
            out.disconnect(DisconnectReason::REQUESTED);
        }
    };
    let mut told = Vec::new();
    let mut turn = || {
        pair.initiator.turn(now, &mut pair.to_initiator, &mut pair.to_recipient);
        let mut socket = Socket {
            input: &mut pair.to_recipient,
            output: &mut pair.to_initiator,
            chunk: 1_000,
            reads: 0,
            writes: 0,
            refused: Refusals::default(),
        };
        twins.turn(now, &mut socket, &mut [0; 1_000], |notice, out| {
            if let Notice::Message { protocol, .. } = notice {
                out.send(protocol, 1, b"and hello").unwrap();
            }
            told.push(notice);
        })
    };
    let cause = (0..20).find_map(|_| match turn() {
        Turn::Ended(cause) => Some(cause),
        _ => None,
    });
    assert_eq!(cause, Some(Cause::Remote(DisconnectReason::REQUESTED)));
    assert!(told.iter().any(|notice| matches!(notice, Notice::Message { .. })));
    assert_eq!(twins.into_inner().0.unsent(), b"");
}

#[test]
fn after_the_end_nothing_waits_and_the_cause_is_told_again() {
    let mut pair = Pair::running();
    pair.to_recipient.capacity = 0;
    while pair.out().waiting(ALPHA) == 0 {
        pair.out().send(ALPHA, 0, &noise(1, 3_000)).unwrap();
    }
    pair.out().disconnect(DisconnectReason::REQUESTED);
    assert_eq!(pair.out().waiting(ALPHA), 0);
    assert_eq!(pair.out().send(ALPHA, 0, b"late"), Err(WriteError::Closed));

    pair.to_initiator.close();
    pair.settle();
    let ended = Some(Turn::Ended(Cause::Local(DisconnectReason::REQUESTED)));
    assert_eq!(pair.initiator.turn, ended);
    pair.initiator.turn = None;
    pair.settle();
    assert_eq!(pair.initiator.turn, ended);
}

#[test]
fn a_notice_prints_sizes_and_no_content() {
    let notice = Notice::Message { protocol: ALPHA, code: 1, payload: vec![b'x'; 100].into() };
    assert_eq!(format!("{notice:?}"), "Message(ProtocolId(0), code 1, 100 bytes)");
}

/// Gives the recipients of these pairs a turn, all together
fn turns_together(pairs: &mut [Pair], buffer: &mut [u8]) {
    let mut sockets: Vec<_> = pairs
        .iter_mut()
        .enumerate()
        .map(|(index, pair)| {
            let Pair { recipient, to_recipient: input, to_initiator: output, .. } = pair;
            let chunk = recipient.chunk;
            (index, recipient, Socket { input, output, chunk, reads: 0, writes: 0, refused: Refusals::default() })
        })
        .collect();
    let parties = sockets.iter_mut().map(|(index, node, socket)| {
        let Node { connection, told, answer, .. } = &mut **node;
        let handler = |notice: Notice, out: &mut Out<'_>| {
            answer(&notice, out);
            told.push(notice);
        };
        Party { key: *index, connection, socket, handler }
    });
    let mut outcomes = Vec::new();
    let occupancy = Connection::turns(Instant::ZERO, parties, buffer, |index, turn| outcomes.push((index, turn)));
    assert!(occupancy.permutations <= 8 * occupancy.steps);
    assert!(outcomes.iter().map(|(index, _)| *index).eq(0..sockets.len()), "each has one turn");
    for ((_, node, socket), (_, turn)) in sockets.iter_mut().zip(outcomes) {
        assert!(socket.reads <= 1 && socket.writes <= 2);
        node.turn = Some(turn);
    }
}

/// Pairs on sockets of many kinds, the third of which has a bit flipped on its way
fn busy_pairs(turns: impl Fn(&mut [Pair])) -> Vec<Pair> {
    let sockets = [(usize::MAX, usize::MAX), (1, usize::MAX), (4096, 700), (13, 100)];
    let mut pairs: Vec<_> = (0..20).map(|_| Pair::running()).collect();
    for (pair, (chunk, capacity)) in pairs.iter_mut().zip(sockets.iter().cycle()) {
        pair.recipient.answer = echo;
        pair.recipient.chunk = *chunk;
        pair.to_initiator.capacity = *capacity;
        for (protocol, code, payload) in messages() {
            pair.out().send(protocol, code, &payload).unwrap();
        }
    }
    for round in 0..20_000 {
        for pair in &mut pairs {
            pair.initiator.turn(pair.now, &mut pair.to_initiator, &mut pair.to_recipient);
        }
        if round == 0 {
            pairs[2].to_recipient.flip(500, 1);
        }
        turns(&mut pairs);
    }
    pairs
}

#[test]
fn turns_together_are_turns_one_by_one() {
    let one_by_one = busy_pairs(|pairs| {
        for pair in pairs {
            pair.recipient.turn(pair.now, &mut pair.to_recipient, &mut pair.to_initiator);
        }
    });
    let together = busy_pairs(|pairs| turns_together(pairs, &mut [0; 16 * 4096]));
    for (index, (one, other)) in one_by_one.iter().zip(&together).enumerate() {
        assert_eq!(format!("{:?}", one.recipient.told), format!("{:?}", other.recipient.told), "pair {index}");
        assert_eq!(one.recipient.messages(), other.recipient.messages(), "pair {index}");
        assert!(one.to_initiator.log == other.to_initiator.log, "pair {index}");
        assert_eq!(one.recipient.turn, other.recipient.turn, "pair {index}");
        assert_eq!(one.recipient.cause().is_some(), index == 2, "pair {index}: {:?}", one.recipient.cause());
        let answers = one.initiator.messages().len();
        assert_eq!(answers == messages().len(), index != 2, "pair {index}: {answers} answers");
    }
}

/// The handler of the first pair panics at its first message
#[test]
fn a_handler_that_panics_costs_the_others_nothing() {
    let mut pairs: Vec<_> = (0..6).map(|_| Pair::running()).collect();
    for pair in &mut pairs {
        pair.recipient.answer = echo;
        for (protocol, code, payload) in messages() {
            pair.out().send(protocol, code, &payload).unwrap();
        }
        pair.initiator.turn(pair.now, &mut pair.to_initiator, &mut pair.to_recipient);
    }
    pairs[0].recipient.answer = |notice, out| match notice {
        Notice::Message { code: 0, .. } if out.link().traffic(ALPHA).unwrap().ingress.messages == 1 => {
            panic!("on purpose")
        }
        _ => echo(notice, out),
    };
    let panicked = catch_unwind(AssertUnwindSafe(|| turns_together(&mut pairs, &mut [0; 16 * 4096])));
    assert!(panicked.is_err());
    for (index, pair) in pairs.iter_mut().enumerate() {
        pair.settle();
        // One message was lost with the panic.
        let lost = usize::from(index == 0);
        assert_eq!(pair.initiator.messages().len(), messages().len() - lost, "pair {index}");
    }
}
