//! One link of ours and one process of theirs, up to the end of a case

use std::fmt::Display;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use devp2p_program_tests::NEVER;
use devp2p_program_tests::driver::{Counted, Driver, Kind, Message, node};
use devp2p_program_tests::process::Process;
use devp2p_proto::{Cause, Config, NodeId, Protocol, ProtocolError, ProtocolId, Role, Timeouts};
use serde_json::{Value, json};

/// What both programs offer by default, besides echo/1 and idle/1
pub const PROTOCOLS: &[Protocol<'static>] =
    &[Protocol::new("ping", 1, 8), Protocol::new("echo", 2, 17), Protocol::new("bulk", 1, 4)];
pub const PING: ProtocolId = ProtocolId(0);
pub const ECHO: ProtocolId = ProtocolId(1);
pub const BULK: ProtocolId = ProtocolId(2);

/// How a link ends when our echo returns
pub fn returned() -> Cause {
    Cause::ProtocolReturned { protocol: ECHO, capability: "echo/2".parse().expect("a capability") }
}

/// How a link ends when our echo fails
pub fn failed(error: ProtocolError) -> Cause {
    Cause::ProtocolFailed { protocol: ECHO, capability: "echo/2".parse().expect("a capability"), error }
}

pub struct Meeting {
    pub us: Driver,
    pub it: Process,
}

/// How geth is made to dial
#[derive(Debug, Clone, Copy)]
pub enum By {
    Dial,
    Connect,
}

impl Meeting {
    /// The two on one connection, with nothing said
    pub fn begin(role: Role, config: &Config, it: Process) -> Self {
        let id = it.id;
        Self::with_ids(role, config, it, By::Dial, id, config.node_id())
    }

    /// The same, with the ids that the two sides, if they dial, believe the other to have
    pub fn with_ids(role: Role, config: &Config, mut it: Process, by: By, its: NodeId, ours: NodeId) -> Self {
        let us = link(role, config, &mut it, by, its, ours);
        Self { us, it }
    }

    /// Begins one more link between the two, and returns the one before
    pub fn begin_again(&mut self, role: Role, config: &Config, by: By) -> Driver {
        let its = self.it.id;
        let again = link(role, config, &mut self.it, by, its, config.node_id());
        std::mem::replace(&mut self.us, again)
    }

    /// The two with the link running, as both of them report it: the peer runs every shared protocol
    pub fn running(role: Role, config: &Config, it: Process) -> Self {
        let mut meeting = Self::begin(role, config, it);
        meeting.until("ready", |us, _| us.is_ready().then_some(()));
        // The peer starts its protocols one after the other. It refuses a command for one that does not run yet.
        meeting.until("its protocols", |us, it| {
            let started = it.events().iter().filter(|event| event["event"] == "run").count();
            (started >= us.link.shared().count()).then_some(())
        });
        meeting
    }

    /// Keeps the link going until something is there
    pub fn until<T>(&mut self, what: &str, mut found: impl FnMut(&mut Driver, &mut Process) -> Option<T>) -> T {
        let deadline = Instant::now() + NEVER;
        loop {
            if let Some(found) = found(&mut self.us, &mut self.it) {
                return found;
            }
            assert!(Instant::now() < deadline, "{what}: not within {NEVER:?}");
            self.us.turn(Duration::from_millis(5));
        }
    }

    /// Keeps the link going for a time
    pub fn pass(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.us.turn(Duration::from_millis(100));
        }
    }

    /// Waits for its event of this name
    pub fn event(&mut self, name: &str) -> Value {
        self.until(&format!("its event {name:?}"), |_, it| it.find(|event| event["event"] == name))
    }

    /// Waits for the end of the link on our side
    pub fn cause(&mut self) -> Cause {
        self.until("the end", |us, _| us.cause())
    }

    /// Sends messages, and waits until every one has come back; per protocol in the order of sending
    pub fn echo(&mut self, messages: Vec<Message>) {
        let before = self.us.delivered().count();
        let sent = messages.clone();
        messages.into_iter().for_each(|message| self.us.send(message));
        let mut progress = (before, Instant::now());
        while self.us.delivered().count() < before + sent.len() {
            self.us.turn(Duration::from_millis(50));
            let count = self.us.delivered().count();
            if count > progress.0 {
                progress = (count, Instant::now());
            }
            assert_eq!(self.us.cause(), None, "after {} of {} messages", count - before, sent.len());
            assert_eq!(self.us.refused, [], "refused by our own side");
            assert!(progress.1.elapsed() < NEVER, "{} of {} messages came back", count - before, sent.len());
        }
        let returned: Vec<&Message> = self.us.delivered().skip(before).collect();
        for protocol in (0..4).map(ProtocolId) {
            let of = |message: &&Message| message.protocol == protocol;
            let pairs = sent.iter().filter(of).zip(returned.iter().copied().filter(of));
            pairs.enumerate().for_each(|(i, (sent, back))| assert!(sent == back, "message {i}: {sent:?} -> {back:?}"));
            let counts = [sent.iter().filter(of).count(), returned.iter().copied().filter(of).count()];
            assert_eq!(counts[0], counts[1], "{protocol}: sent and returned");
        }
    }

    /// Makes it send a message, and checks what arrives
    pub fn take(&mut self, protocol: ProtocolId, name: &str, code: u64, kind: Kind, size: usize) {
        let before = self.us.delivered().count();
        let command = json!({"cmd": "send", "protocol": name, "code": code, "size": size, "kind": kind.name()});
        self.it.command(command);
        let what = format!("{name} code {code}, {size} bytes of {kind:?}");
        let message = self.until(&what, |us, _| {
            assert_eq!(us.cause(), None, "{what}");
            us.delivered().nth(before).cloned()
        });
        let expected = Message { protocol, code, payload: kind.payload(size, 0) };
        assert!(message == expected, "{what}: {message:?} came");
    }
}

impl Drop for Meeting {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said: Vec<String> = self.it.events().iter().map(ToString::to_string).collect();
            print_last("we saw", self.us.log());
            print_last("it said", &said);
        }
    }
}

/// Leaves a link alone for 40 s, and returns what went over it, in frames
pub fn idle(role: Role, timeouts: Timeouts, it: Process) -> Counted {
    /// Ping, Pong: header, one block, and their MACs
    const FRAME: usize = 64;
    let config = node(PROTOCOLS).with_timeouts(timeouts).expect("usable");
    let mut meeting = Meeting::running(role, &config, it);
    let before = meeting.us.counted;
    meeting.pass(Duration::from_secs(40));
    let after = meeting.us.counted;
    assert_eq!(meeting.us.cause(), None);
    let pings = after.on_timeout - before.on_timeout;
    let its_pings = after.on_receive - before.on_receive;
    // Every frame is accounted for: our Pings and Pongs, its Pings and as many Pongs as we sent Pings.
    assert_eq!(after.sent - before.sent, FRAME * (pings + its_pings), "{before:?} {after:?}");
    assert_eq!(after.received - before.received, FRAME * (its_pings + pings), "{before:?} {after:?}");
    meeting.echo(vec![Message::new(BULK, 0, Kind::Text, 100, 0)]);
    Counted { on_timeout: pings, on_receive: its_pings, ..after }
}

fn print_last(title: &str, lines: &[String]) {
    let skipped = lines.len().saturating_sub(40);
    eprintln!("{title} ({skipped} lines left out):\n  {}", lines[skipped..].join("\n  "));
}

/// Runs every row of a table, each by its name, and fails with the names of those that failed
pub fn each<N: Display, T>(rows: impl IntoIterator<Item = (N, T)>, run: impl Fn(T)) {
    let mut failed = Vec::new();
    for (name, row) in rows {
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| run(row)));
        println!("{} {name} ({:?})", if outcome.is_ok() { "ok    " } else { "FAILED" }, start.elapsed());
        if outcome.is_err() {
            failed.push(name.to_string());
        }
    }
    assert!(failed.is_empty(), "failed: {failed:#?}");
}

/// A connection, made by one of the two, and our link on it
fn link(role: Role, config: &Config, it: &mut Process, by: By, its: NodeId, ours: NodeId) -> Driver {
    if role == Role::Initiator {
        let stream = TcpStream::connect(it.address).expect("it listens");
        return Driver::initiator(config, its, stream);
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("bound");
    match by {
        By::Dial => it.dial(ours, address),
        By::Connect => it.connect(ours, address),
    }
    Driver::recipient(config, accept(&listener))
}

fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).expect("a TCP socket");
    let deadline = Instant::now() + NEVER;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).expect("a TCP socket");
                return stream;
            }
            Err(_) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(2)),
            Err(error) => panic!("nobody dialled: {error}"),
        }
    }
}
