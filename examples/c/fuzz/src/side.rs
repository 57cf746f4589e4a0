//! One side of the connection: a link in C, and its twin in Rust

use std::ffi::c_void;
use std::fmt::Debug;
use std::mem::MaybeUninit;
use std::slice;

use devp2p::*;
use devp2p_proto as rust;
use devp2p_proto::{Instant, PeerState, ProtocolId};

use crate::memory::{LinkBuffers, Memory};

const NAMES: [(&[u8], u64, u64); 2] = [(b"echo", 2, 17), (b"longname", 1, 4)];
pub(crate) const MAX_MESSAGE: usize = 4096;

pub(crate) struct Side {
    number: u8,
    /// How often a link was made, so that each has entropy of its own
    lives: u8,
    pub(crate) memory: Memory,
    config_memory: Memory,
    pub(crate) config: *mut Config,
    buffers: Option<LinkBuffers>,
    pub(crate) link: *mut Link,
    twin: PeerState<'static>,
    /// The memory of the twin; dropped after it
    twin_buffers: Option<LinkBuffers>,
    /// What has left both twins, and was not given to the other side
    wire: Vec<u8>,
    /// Bytes that have left this side
    pub(crate) carried: usize,
}

impl Side {
    pub(crate) fn new(number: u8, fixed: bool) -> Self {
        let (config_memory, rust_config) = (Memory::for_config(), rust_config(number));
        let config = make_config(number, &config_memory);
        let buffers = || fixed.then(|| buffers_for(&rust_config));
        let (buffers, twin_buffers) = (buffers(), buffers());
        let memory = Memory::for_link();
        let link = start(number, 1, &memory, config, buffers.as_ref());
        let twin = start_twin(number, 1, &rust_config, twin_buffers.as_ref());
        let wire = Vec::new();
        Self { number, lives: 1, memory, config_memory, config, buffers, link, twin, twin_buffers, wire, carried: 0 }
    }

    /// The link for calls
    pub(crate) fn link(&mut self) -> Option<&mut Link> {
        // SAFETY: the constructor has made it in memory that lives as long as this side, and nothing else refers to it
        unsafe { self.link.as_mut() }
    }

    /// The same for observers
    pub(crate) fn observed(&self) -> Option<&Link> {
        // SAFETY: as above
        unsafe { self.link.as_ref() }
    }

    pub(crate) fn config(&self) -> Option<&Config> {
        // SAFETY: it was made in memory that lives as long as this side
        unsafe { self.config.as_ref() }
    }

    /// Takes the link down, and checks that nothing can be done with it; then makes another in the same memory
    pub(crate) fn again(&mut self) {
        self.take_down();
        self.lives = self.lives.wrapping_add(1);
        self.link = start(self.number, self.lives, &self.memory, self.config, self.buffers.as_ref());
        // The old twin gives its memory back before the next one gets it.
        self.twin = start_twin(self.number, 0, &rust_config(self.number), None);
        self.twin = start_twin(self.number, self.lives, &rust_config(self.number), self.twin_buffers.as_ref());
        self.wire.clear();
    }

    /// Takes the link and the configuration down, and checks that nothing can be done with them
    pub(crate) fn end(&mut self) {
        self.take_down();
        for expected in [Status::Ok, Status::Gone] {
            // SAFETY: it was made in memory that lives as long as this side
            assert_eq!(devp2p_config_end(unsafe { self.config.as_mut() }), expected);
        }
        let mut len = MaybeUninit::uninit();
        assert_eq!(devp2p_config_receive_len(self.config(), Some(&mut len)), Status::Gone);
        assert!(self.config_memory.size() >= size_of::<Config>());
    }

    fn take_down(&mut self) {
        assert_eq!(devp2p_link_end(self.link()), Status::Ok);
        assert_eq!(devp2p_link_end(self.link()), Status::Gone);
        let (mut action, mut wants, mut taken) = (MaybeUninit::uninit(), MaybeUninit::uninit(), MaybeUninit::uninit());
        assert_eq!(devp2p_link_poll(self.link(), Some(&mut action)), Status::Gone);
        assert_eq!(devp2p_link_wants_input(self.observed(), Some(&mut wants)), Status::Gone);
        assert_eq!(devp2p_link_ping(self.link(), 0), Status::Gone);
        assert_eq!(devp2p_link_handle_timeout(self.link(), 0), Status::Gone);
        // SAFETY: no bytes are given
        let received = unsafe { devp2p_link_receive(self.link(), 0, std::ptr::null(), 0, Some(&mut taken)) };
        assert_eq!(received, Status::Gone);
    }

    pub(crate) fn receive(&mut self, now: u64, bytes: &[u8]) {
        self.take(now, bytes);
    }

    fn take(&mut self, now: u64, bytes: &[u8]) -> usize {
        let mut taken = MaybeUninit::new(usize::MAX);
        // SAFETY: the bytes are there
        let status = unsafe { devp2p_link_receive(self.link(), now, bytes.as_ptr(), bytes.len(), Some(&mut taken)) };
        assert_eq!(status, Status::Ok);
        // SAFETY: it was initialized above
        let taken = unsafe { taken.assume_init() };
        assert_eq!(taken, self.twin.receive(Instant::from_nanos(now), bytes));
        taken
    }

    pub(crate) fn receive_closed(&mut self, now: u64) {
        assert_eq!(devp2p_link_receive_closed(self.link(), now), Status::Ok);
        self.twin.receive_closed(Instant::from_nanos(now));
    }

    pub(crate) fn send_failed(&mut self, now: u64) {
        assert_eq!(devp2p_link_send_failed(self.link(), now), Status::Ok);
        self.twin.send_failed(Instant::from_nanos(now));
    }

    pub(crate) fn hold_input(&mut self, now: u64, held: bool) {
        assert_eq!(devp2p_link_hold_input(self.link(), now, held), Status::Ok);
        self.twin.hold_input(Instant::from_nanos(now), held);
    }

    pub(crate) fn handle_timeout(&mut self, now: u64) {
        assert_eq!(devp2p_link_handle_timeout(self.link(), now), Status::Ok);
        self.twin.handle_timeout(Instant::from_nanos(now));
    }

    pub(crate) fn ping(&mut self, now: u64) {
        let status = devp2p_link_ping(self.link(), now);
        let twin = self.twin.ping(Instant::from_nanos(now));
        check_status(status, twin);
    }

    pub(crate) fn sent(&mut self, now: u64, len: u64) {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let status = devp2p_link_sent(self.link(), now, len);
        let left = self.twin.unsent().get(..len).unwrap_or_default().to_vec();
        let twin = self.twin.sent(Instant::from_nanos(now), len);
        check_status(status, twin);
        if status == Status::Ok {
            self.carried += left.len();
            self.wire.extend(left);
        }
    }

    pub(crate) fn disconnect(&mut self, now: u64, reason: u64) {
        assert_eq!(devp2p_link_disconnect(self.link(), now, reason), Status::Ok);
        self.twin.disconnect(Instant::from_nanos(now), rust::DisconnectReason::from_code(reason));
    }

    pub(crate) fn protocol_returned(&mut self, now: u64, protocol: usize, outcome: u32, reason: u64) {
        let status = devp2p_link_protocol_returned(self.link(), now, protocol, outcome, reason);
        let returned = match outcome {
            0 => Ok(()),
            1 => Err(rust::ProtocolError::Reason(rust::DisconnectReason::from_code(reason))),
            2 => Err(rust::ProtocolError::BadMessage),
            3 => Err(rust::ProtocolError::Other),
            _ => return assert_eq!(status, Status::InvalidValue),
        };
        let twin = self.twin.protocol_returned(Instant::from_nanos(now), ProtocolId(protocol), returned);
        check_status(status, twin);
    }

    pub(crate) fn write(&mut self, now: u64, protocol: u64, code: u64, len: u64) {
        let (protocol, payload) = (protocol as usize % 3, vec![len as u8; (len as usize) % (2 * MAX_MESSAGE)]);
        let mut written = MaybeUninit::new(Written { size: 0, wire_size: 0 });
        // SAFETY: the payload is there
        let status = unsafe {
            devp2p_link_write(self.link(), now, protocol, code, payload.as_ptr(), payload.len(), Some(&mut written))
        };
        let twin = self.twin.write(Instant::from_nanos(now), ProtocolId(protocol), code, &payload);
        // SAFETY: it was initialized above
        check_written(status, unsafe { written.assume_init() }, twin);
    }

    pub(crate) fn write_with(&mut self, now: u64, protocol: u64, code: u64, max: u64, len: u64) {
        unsafe extern "C" fn fill(context: *mut c_void, room: *mut u8, max: usize) -> usize {
            // SAFETY: the call below passes a length
            let len = unsafe { *context.cast::<usize>() };
            // SAFETY: the library promises that there are so many bytes
            unsafe { room.write_bytes(7, max) };
            len
        }
        let (protocol, max, mut len) = (protocol as usize % 3, max as usize % (2 * MAX_MESSAGE), len as usize);
        let mut written = MaybeUninit::new(Written { size: 0, wire_size: 0 });
        let context = (&raw mut len).cast();
        // SAFETY: the function writes what it is given only
        let status = unsafe {
            devp2p_link_write_with(self.link(), now, protocol, code, max, Some(fill), context, Some(&mut written))
        };
        let twin = self.twin.write_with(Instant::from_nanos(now), ProtocolId(protocol), code, max, |room| {
            room.fill(7);
            len
        });
        // SAFETY: it was initialized above
        check_written(status, unsafe { written.assume_init() }, twin);
    }

    /// Polls both twins; returns whether there was anything but bytes to send
    pub(crate) fn poll(&mut self) -> bool {
        let mut action = MaybeUninit::uninit();
        assert_eq!(devp2p_link_poll(self.link(), Some(&mut action)), Status::Ok);
        // SAFETY: the call has succeeded, so it has written the action
        let action: Action = unsafe { action.assume_init() };
        check_action(&action, self.twin.poll().as_ref());
        !matches!(action.kind, ActionKind::None | ActionKind::Send)
    }

    /// Does all that the link asks for, and sends what it can
    pub(crate) fn act(&mut self, now: u64) {
        while self.poll() {}
        let len = self.twin.unsent().len();
        self.sent(now, len as u64);
    }

    /// Gives what has left this side to the other, as far as that takes it
    pub(crate) fn carry_to(&mut self, now: u64, other: &mut Self) {
        while !self.wire.is_empty() {
            let taken = other.take(now, &self.wire);
            self.wire.drain(..taken);
            if taken == 0 {
                break;
            }
            self.carried += taken;
            while other.poll() {}
        }
    }

    /// Compares all that can be observed
    pub(crate) fn compare(&self, now: u64) {
        let link = self.observed();
        let (mut bytes, mut len) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        assert_eq!(devp2p_link_unsent(link, Some(&mut bytes), Some(&mut len)), Status::Ok);
        // SAFETY: the call has succeeded, so both are written, and the bytes are there until the link changes
        let unsent = unsafe { slice::from_raw_parts(bytes.assume_init(), len.assume_init()) };
        assert_eq!(unsent, self.twin.unsent());
        let twin = &self.twin;
        assert_eq!(seen(|out| devp2p_link_wants_input(link, out)), Some(twin.wants_input()));
        let timeout = twin.next_timeout().map_or(DEVP2P_NEVER, Instant::as_nanos);
        assert_eq!(seen(|out| devp2p_link_next_timeout(link, out)), Some(timeout));
        assert_eq!(seen(|out| devp2p_link_next_timer(link, out)).map(name), twin.next_timer().map(name));
        assert_eq!(seen(|out| devp2p_link_stage(link, out)).map(name), Some(name(twin.stage())));
        assert_eq!(seen(|out| devp2p_link_role(link, out)).map(name), Some(name(twin.role())));
        assert_eq!(seen(|out| devp2p_link_is_input_held(link, out)), Some(twin.is_input_held()));
        assert_eq!(seen(|out| devp2p_link_remote_id(link, out)), twin.remote_id().map(Id::from));
        assert_eq!(seen(|out| devp2p_link_local_id(link, out)), Some(twin.local_id().into()));
        assert_eq!(seen(|out| devp2p_link_is_remote_proven(link, out)), Some(twin.is_remote_proven()));
        assert_eq!(
            seen(|out| devp2p_link_age(link, now, out)),
            Some(twin.age(Instant::from_nanos(now)).as_nanos() as u64)
        );
        let pings = |liveness: Liveness| (liveness.pings_sent, liveness.pongs_sent);
        let liveness = seen(|out| devp2p_link_liveness(link, out)).map(pings);
        assert_eq!(liveness, Some((twin.liveness().pings_sent, twin.liveness().pongs_sent)));
        self.compare_protocols();
        self.compare_ends();
    }

    fn compare_protocols(&self) {
        let (link, twin) = (self.observed(), &self.twin);
        for index in 0..3 {
            let shared =
                seen(|out| devp2p_link_shared(link, index, out)).map(|shared| (shared.protocol, shared.offset));
            let expected = twin.shared().nth(index).map(|shared| (shared.protocol.0, shared.offset));
            assert_eq!(shared, expected);
            let capacity = seen(|out| devp2p_link_write_capacity(link, index, out));
            assert_eq!(capacity, twin.write_capacity(ProtocolId(index)));
            let traffic = seen(|out| devp2p_link_traffic(link, index, out)).map(|traffic| traffic.egress.wire_bytes);
            assert_eq!(traffic, twin.traffic(ProtocolId(index)).map(|traffic| traffic.egress.wire_bytes));
            let capability = seen(|out| devp2p_link_remote_capability(link, index, out));
            let listed = twin.remote_hello().and_then(|hello| hello.capabilities().get(index));
            let capability = capability.map(|text| (characters(&text.name), text.version));
            assert_eq!(capability, listed.map(|listed| (listed.name.to_string(), listed.version)));
        }
        let hello = seen(|out| devp2p_link_remote_hello(link, out));
        let hello = hello.map(|hello| (characters(&hello.client_id), hello.listen_port, hello.capabilities));
        let said = |hello: &rust::RemoteHello| {
            (hello.client_id().to_string(), hello.listen_port(), hello.capabilities().len())
        };
        assert_eq!(hello, twin.remote_hello().map(said));
    }

    fn compare_ends(&self) {
        let (link, cause) = (self.observed(), self.twin.cause());
        let seen = seen(|out| devp2p_link_cause(link, out));
        assert_eq!(seen.is_some(), cause.is_some());
        seen.iter().zip(cause).for_each(|(seen, cause)| check_cause(seen, cause));
        let mut text = [1; 128];
        let mut len = MaybeUninit::new(0);
        // SAFETY: so many bytes are there
        let status = unsafe { devp2p_link_cause_text(link, text.as_mut_ptr(), text.len(), Some(&mut len)) };
        match cause {
            None => assert_eq!(status, Status::Absent),
            Some(cause) => {
                let expected = cause.to_string();
                assert_eq!(status, Status::Ok);
                assert_eq!(characters(&text), expected);
            }
        }
    }
}

/// The text up to its zero
fn characters(text: &[std::ffi::c_char]) -> String {
    text.iter().map(|byte| char::from(*byte as u8)).take_while(|character| *character != '\0').collect()
}

/// The name of a variant, without what is in it
fn name(value: impl Debug) -> String {
    format!("{value:?}").chars().take_while(|character| character.is_alphanumeric()).collect()
}

/// The names are the same on both sides, which shows that the mapping is right without making it a second time
fn check_status<E: Debug>(status: Status, twin: Result<(), E>) {
    assert_eq!(name(status), twin.map_or_else(name, |()| "Ok".to_string()));
}

fn check_cause(seen: &Cause, cause: rust::Cause) {
    let (kind, violation) = match cause {
        rust::Cause::Timeout(timeout) => (name(timeout) + "Timeout", "None".to_string()),
        rust::Cause::Violation(violation) => (name(cause), name(violation)),
        _ => (name(cause), "None".to_string()),
    };
    assert_eq!((name(seen.kind), name(seen.violation)), (kind, violation));
    assert_eq!(seen.reason, cause.reason().code());
    assert_eq!(seen.sent_reason, cause.sent_reason().map_or(DEVP2P_NEVER, rust::DisconnectReason::code));
    if let rust::Cause::ProtocolReturned { protocol, capability }
    | rust::Cause::ProtocolFailed { protocol, capability, .. } = cause
    {
        assert_eq!((seen.protocol, seen.capability.version), (protocol.0, capability.version));
    }
}

/// What an observer has written, `None` if there is nothing
fn seen<T>(observe: impl FnOnce(Option<&mut MaybeUninit<T>>) -> Status) -> Option<T> {
    let mut out = MaybeUninit::uninit();
    match observe(Some(&mut out)) {
        // SAFETY: an observer that succeeds has written its result
        Status::Ok => Some(unsafe { out.assume_init() }),
        status => {
            assert_eq!(status, Status::Absent);
            None
        }
    }
}

fn check_written(status: Status, written: Written, twin: Result<rust::MessageEvent, rust::WriteError>) {
    match twin {
        Ok(event) => {
            assert_eq!(status, Status::Ok);
            assert_eq!((written.size, written.wire_size), (event.size, event.wire_size));
        }
        Err(error) => {
            check_status(status, Err(error));
            assert_eq!((written.size, written.wire_size), (0, 0));
        }
    }
}

fn check_action(action: &Action, twin: Option<&rust::Action<'_>>) {
    // SAFETY of all that follow: the kind says which member was written, and what it points to is there until the link
    // changes
    match (action.kind, twin) {
        (ActionKind::None, None) | (ActionKind::Ready, Some(rust::Action::Ready(_))) => {}
        (ActionKind::IdentityClaimed, Some(rust::Action::IdentityClaimed(id))) => {
            // SAFETY: see above
            assert_eq!(unsafe { action.of.identity_claimed }, Id::from(*id));
        }
        (ActionKind::Deliver, Some(rust::Action::Deliver { protocol, code, payload })) => {
            // SAFETY: see above
            let deliver = unsafe { action.of.deliver };
            // SAFETY: see above
            let bytes = unsafe { slice::from_raw_parts(deliver.payload, deliver.len) };
            assert_eq!((deliver.protocol, deliver.code, bytes), (protocol.0, *code, &payload[..]));
        }
        (ActionKind::Skipped, Some(rust::Action::Skipped { size, .. })) => {
            // SAFETY: see above
            assert_eq!(unsafe { action.of.skipped }.size, *size);
        }
        (ActionKind::Writable, Some(rust::Action::Writable(protocol))) => {
            // SAFETY: see above
            assert_eq!(unsafe { action.of.writable }, protocol.0);
        }
        (ActionKind::Send, Some(rust::Action::Send(bytes))) => {
            // SAFETY: see above
            let send = unsafe { action.of.send };
            // SAFETY: see above
            assert_eq!(unsafe { slice::from_raw_parts(send.bytes, send.len) }, *bytes);
        }
        (ActionKind::Disconnect, Some(rust::Action::Disconnect(cause))) => {
            // SAFETY: see above
            let seen = unsafe { action.of.disconnect };
            check_cause(&seen, *cause);
        }
        (kind, twin) => panic!("{kind:?} instead of {twin:?}"),
    }
}

const fn key(number: u8) -> [u8; 32] {
    [number + 1; 32]
}

pub(crate) fn entropy(number: u8, life: u8) -> Entropy {
    let mut next = number.wrapping_mul(91).wrapping_add(life);
    Entropy {
        bytes: std::array::from_fn(|_| {
            next = next.wrapping_mul(5).wrapping_add(17);
            next >> 1 | 1
        }),
    }
}

/// The first side skips what is larger than its limits, so that every action comes
fn rust_config(number: u8) -> rust::Config {
    let protocols = NAMES.map(|(name, version, length)| {
        let name = str::from_utf8(name).expect("ASCII");
        let protocol = rust::Protocol::new(name, version, length).with_code_limits(&[(1, 100)]);
        if number == 0 { protocol.with_max_message(2000).with_max_send(MAX_MESSAGE).skip_larger() } else { protocol }
    });
    let key = rust::SecretKey::from_bytes(key(number)).expect("a key");
    let config = rust::Config::new(key, "fuzz", &protocols).expect("it fits");
    config.with_max_message(MAX_MESSAGE).expect("it is in the limits").with_listen_port(30303)
}

const LIMIT: [CodeLimit; 1] = [CodeLimit { code: 1, max_message: 100 }];

pub(crate) fn settings(number: u8, protocols: &[Protocol]) -> Settings {
    let mut settings = MaybeUninit::uninit();
    devp2p_settings_init(Some(&mut settings));
    // SAFETY: the call has written it
    let mut settings = unsafe { settings.assume_init() };
    settings.secret_key = key(number);
    for (to, from) in settings.client_id.iter_mut().zip(b"fuzz") {
        *to = *from as _;
    }
    settings.listen_port = 30303;
    settings.protocols = protocols.as_ptr();
    settings.protocol_count = protocols.len();
    settings.max_message = MAX_MESSAGE;
    settings.max_send = MAX_MESSAGE;
    settings
}

pub(crate) fn protocols(number: u8) -> [Protocol; 2] {
    NAMES.map(|(text, version, length)| {
        let mut name = [0; DEVP2P_NAME_SIZE];
        for (to, from) in name.iter_mut().zip(text) {
            *to = *from as _;
        }
        let first = number == 0;
        Protocol {
            name,
            version,
            length,
            max_message: if first { 2000 } else { 0 },
            max_send: if first { MAX_MESSAGE } else { 0 },
            code_limits: LIMIT.as_ptr(),
            code_limit_count: LIMIT.len(),
            skip_larger: first.into(),
        }
    })
}

fn make_config(number: u8, memory: &Memory) -> *mut Config {
    let protocols = protocols(number);
    let settings = settings(number, &protocols);
    let mut config = MaybeUninit::uninit();
    // SAFETY: the memory lives longer than the configuration
    let status = unsafe { devp2p_config_init(memory.start(), memory.size(), Some(&settings), Some(&mut config)) };
    assert_eq!(status, Status::Ok);
    // SAFETY: the call has written it
    unsafe { config.assume_init() }
}

/// Side 0 dials side 1
fn start(number: u8, life: u8, memory: &Memory, config: *mut Config, buffers: Option<&LinkBuffers>) -> *mut Link {
    let (entropy, buffers) = (entropy(number, life), buffers.map(LinkBuffers::given));
    let mut link = MaybeUninit::uninit();
    let (place, size) = (memory.start(), memory.size());
    // SAFETY: it was made in memory that lives as long as the side
    let config = unsafe { config.as_ref() };
    let status = if number == 0 {
        let remote = Id::from(rust_config(1).node_id());
        // SAFETY: the memory and the buffers are used by this link only
        unsafe {
            devp2p_link_initiator(
                place,
                size,
                0,
                config,
                Some(&remote),
                Some(&entropy),
                buffers.as_ref(),
                Some(&mut link),
            )
        }
    } else {
        // SAFETY: the memory and the buffers are used by this link only
        unsafe { devp2p_link_recipient(place, size, 0, config, Some(&entropy), buffers.as_ref(), Some(&mut link)) }
    };
    assert_eq!(status, Status::Ok);
    // SAFETY: the call has written it
    unsafe { link.assume_init() }
}

fn start_twin(number: u8, life: u8, config: &rust::Config, buffers: Option<&LinkBuffers>) -> PeerState<'static> {
    let entropy = rust::Entropy::from_bytes(entropy(number, life).bytes);
    // SAFETY: the memory is dropped after the twin, and one twin at a time uses it
    let buffers = buffers.map_or_else(rust::Buffers::growable, |memory| unsafe { memory.lent() });
    let link = if number == 0 {
        PeerState::initiator(Instant::ZERO, config, rust_config(1).node_id(), entropy, buffers)
    } else {
        PeerState::recipient(Instant::ZERO, config, entropy, buffers)
    };
    link.expect("it can start")
}

fn buffers_for(config: &rust::Config) -> LinkBuffers {
    LinkBuffers::new(config.receive_len(), config.transmit_len(), config.capabilities().count())
}
