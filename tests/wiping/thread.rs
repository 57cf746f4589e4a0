//! The thread of the link, which has nothing else on its stack
//!
//! It carries out orders, one call of the link at a time, and makes no other call while it waits. So the thread
//! that gives the orders can search the stack as the call has left it.

use std::cell::UnsafeCell;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use devp2p_proto::{
    Action, Buffers, Config, DisconnectReason, Entropy, Instant, NodeId, NotStarted, PeerState, SecretKey, batch,
};
use devp2p_testing::{ALPHA, Pair, Pipe};

/// How much of the stack is searched; no call of the link goes as deep in any build
pub const DEPTH: usize = 192 * 1024;
const STACK: usize = 1024 * 1024;

type Slot<T> = MaybeUninit<T>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Makes a secret key of bytes
    MakeKey,
    DropKey,
    Dial,
    Accept,
    Poll,
    Receive,
    /// All that the last poll has offered
    Sent,
    Write,
    Disconnect,
    Timeout,
    Drop,
    /// Takes the link apart into its buffers
    IntoBuffers,
    /// Overwrites the stack, which a driver does not do
    Wipe,
    Quit,
}

/// What the last poll gave
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polled {
    Nothing,
    Send,
    Disconnect,
    Other,
}

/// The arguments and results of an order; of all this `link`, `key` and `memory` are searched
pub struct Job {
    pub order: Order,
    pub now: Instant,
    pub config: Option<Config>,
    pub remote: Option<NodeId>,
    pub entropy: Slot<Entropy>,
    pub buffers: Option<Buffers<'static>>,
    /// Where the buffers are
    pub memory: [Range<usize>; 2],
    pub key_bytes: [u8; 32],
    /// What is received, what is written, and what was offered to be sent
    pub bytes: [u8; 4096],
    pub len: usize,
    pub polled: Polled,
    pub key: Slot<SecretKey>,
    pub link: Slot<Result<PeerState<'static>, NotStarted<'static>>>,
    /// Links with other keys, which receive and write in a batch with the link
    pub companions: Vec<Pair<'static>>,
    /// Where the frame of the caller ends, below which the link's own calls were
    pub bottom: usize,
}

impl Job {
    pub fn new() -> Box<Self> {
        Box::new(Self {
            order: Order::Wipe,
            now: Instant::ZERO,
            config: None,
            remote: None,
            entropy: Slot::uninit(),
            buffers: None,
            memory: [0..0, 0..0],
            key_bytes: [0; 32],
            bytes: [0; 4096],
            len: 0,
            polled: Polled::Nothing,
            key: Slot::zeroed(),
            link: Slot::zeroed(),
            companions: Vec::new(),
            bottom: 0,
        })
    }

    fn link(&mut self) -> &mut PeerState<'static> {
        // SAFETY: no order comes before `Dial` or `Accept`, and none but those after `Drop`.
        unsafe { self.link.assume_init_mut() }.as_mut().expect("the link was started")
    }

    /// Does what the order says; the memory of what is dropped stays readable
    pub fn execute(&mut self) {
        match self.order {
            Order::MakeKey => make_key(self),
            Order::Dial => dial(self),
            Order::Accept => accept(self),
            Order::Poll => poll(self),
            Order::Receive => receive(self),
            Order::Sent => sent(self),
            Order::Write => write(self),
            Order::Disconnect => disconnect(self),
            Order::Timeout => timeout(self),
            Order::DropKey => drop_key(self),
            Order::Drop => drop_link(self),
            Order::IntoBuffers => into_buffers(self),
            Order::Wipe => wipe(),
            Order::Quit => {}
        }
    }
}

/// An address just below the frame of the function that calls this
#[inline(never)]
fn below() -> usize {
    let here = 0_u8;
    black_box(&raw const here) as usize
}

// Each of these is the caller of one function of the link, and its frame ends at `bottom`.

#[inline(never)]
fn make_key(job: &mut Job) {
    job.bottom = below();
    job.key.write(SecretKey::from_bytes(job.key_bytes).expect("a key"));
}

#[inline(never)]
fn dial(job: &mut Job) {
    job.bottom = below();
    let buffers = job.buffers.take().unwrap();
    let (config, remote) = (job.config.as_ref().unwrap(), job.remote.unwrap());
    // SAFETY: it was given with the order, and is not used any more. To move it through functions of the test
    // would leave copies that are not the link's.
    let link = PeerState::initiator(job.now, config, remote, unsafe { job.entropy.as_ptr().read() }, buffers);
    job.link.write(link);
}

#[inline(never)]
fn accept(job: &mut Job) {
    job.bottom = below();
    let buffers = job.buffers.take().unwrap();
    let config = job.config.as_ref().unwrap();
    // SAFETY: as in `dial`.
    let link = PeerState::recipient(job.now, config, unsafe { job.entropy.as_ptr().read() }, buffers);
    job.link.write(link);
}

#[inline(never)]
fn poll(job: &mut Job) {
    job.bottom = below();
    let Job { link, bytes, .. } = job;
    // SAFETY: as in `Job::link`.
    let link = unsafe { link.assume_init_mut() }.as_mut().unwrap();
    job.polled = match link.poll() {
        None => Polled::Nothing,
        Some(Action::Send(sent)) => {
            bytes[..sent.len()].copy_from_slice(sent);
            job.len = sent.len();
            Polled::Send
        }
        Some(Action::Disconnect(_)) => Polled::Disconnect,
        Some(_) => Polled::Other,
    };
}

#[inline(never)]
fn receive(job: &mut Job) {
    let mut companions = take_companions(job);
    for pair in &mut companions {
        pair.recipient.link.write(job.now, ALPHA, 1, &job.bytes[..job.len]).expect("nothing is unsent");
    }
    job.bottom = below();
    let (now, len, bytes) = (job.now, job.len, &raw const job.bytes);
    // SAFETY: `bytes` is another field than `link`.
    let bytes = unsafe { &(&*bytes)[..len] };
    if companions.is_empty() {
        job.len = job.link().receive(now, bytes);
        return;
    }
    let theirs = companions.iter_mut().map(|pair| (false, &mut pair.initiator.link, pair.recipient.link.unsent()));
    let mut taken = 0;
    // Large keys make the frame of `receive` large, and what it leaves is deeper below.
    let links =
        std::iter::once((true, job.link(), bytes)).chain(theirs).map(|(key, link, bytes)| ([key; 256], link, bytes));
    batch::receive(now, links, |[is_link, ..], len| taken = if is_link { len } else { taken });
    (job.len, job.companions) = (taken, companions);
}

/// The companions, with nothing unsent
///
/// What this leaves on the stack is from before the call of the link, and of other keys.
#[inline(never)]
fn take_companions(job: &mut Job) -> Vec<Pair<'static>> {
    let mut companions = std::mem::take(&mut job.companions);
    for Pair { initiator, recipient, .. } in &mut companions {
        for node in [initiator, recipient] {
            node.turn(job.now, &mut Pipe::new(), &mut Pipe::new());
        }
    }
    companions
}

#[inline(never)]
fn sent(job: &mut Job) {
    job.bottom = below();
    let (now, len) = (job.now, job.len);
    job.link().sent(now, len).expect("it was offered");
}

#[inline(never)]
fn write(job: &mut Job) {
    let mut companions = take_companions(job);
    job.bottom = below();
    let (now, len, bytes) = (job.now, job.len, &raw const job.bytes);
    // SAFETY: `bytes` is another field than `link`.
    let payload = unsafe { &(&*bytes)[..len] };
    if companions.is_empty() {
        job.link().write(now, ALPHA, 1, payload).expect("there is capacity");
        return;
    }
    let theirs = companions.iter_mut().map(|pair| &mut pair.initiator.link);
    let links = std::iter::once(job.link()).chain(theirs).map(|link| ((), link, ALPHA));
    batch::write(now, links, 1, payload, |(), outcome| _ = outcome.expect("there is capacity"));
    job.companions = companions;
}

#[inline(never)]
fn disconnect(job: &mut Job) {
    job.bottom = below();
    let now = job.now;
    job.link().disconnect(now, DisconnectReason::CLIENT_QUITTING);
}

#[inline(never)]
fn timeout(job: &mut Job) {
    job.bottom = below();
    let now = job.now;
    job.link().handle_timeout(now);
}

#[inline(never)]
fn drop_key(job: &mut Job) {
    job.bottom = below();
    // SAFETY: `MakeKey` came before.
    unsafe { job.key.assume_init_drop() }
}

#[inline(never)]
fn drop_link(job: &mut Job) {
    job.bottom = below();
    // SAFETY: the link was started, and is not used any more.
    unsafe { job.link.assume_init_drop() }
}

#[inline(never)]
fn into_buffers(job: &mut Job) {
    job.bottom = below();
    // SAFETY: the link was started, and is not used any more.
    let link = unsafe { job.link.assume_init_read() };
    drop(link.unwrap().into_buffers());
}

/// Overwrites the stack below the caller
#[inline(never)]
pub fn wipe() {
    let mut bytes = MaybeUninit::<[u8; DEPTH]>::uninit();
    // SAFETY: the pointer is that of a local array.
    unsafe { std::ptr::write_bytes(black_box(bytes.as_mut_ptr()), 0, 1) }
    black_box(&raw const bytes);
}

/// A job that two threads hand to each other
struct Desk {
    /// Whether the job belongs to the thread of the link now
    ordered: AtomicBool,
    job: UnsafeCell<Box<Job>>,
}

// SAFETY: only the thread whose turn it is touches the job, and the turn goes over by `ordered`.
unsafe impl Sync for Desk {}
// SAFETY: nothing in a job belongs to a thread.
unsafe impl Send for Desk {}

/// The thread of a link, as the thread that gives the orders has it
pub struct Subject {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

impl Subject {
    pub fn new() -> Self {
        let desk = Arc::new(Desk { ordered: AtomicBool::new(false), job: UnsafeCell::new(Job::new()) });
        let theirs = desk.clone();
        let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || serve(&theirs)).unwrap();
        Self { desk, thread: Some(thread) }
    }

    pub fn job(&mut self) -> &mut Job {
        // SAFETY: orders are waited for, so the turn is this thread's.
        unsafe { &mut *self.desk.job.get() }
    }

    pub fn order(&mut self, order: Order) {
        self.job().order = order;
        self.desk.ordered.store(true, Ordering::Release);
        while self.desk.ordered.load(Ordering::Acquire) {
            std::thread::yield_now();
            assert!(!self.thread.as_ref().unwrap().is_finished() || order == Order::Quit, "the link's thread is gone");
        }
    }

    /// The part of the stack that the last call of the link may have used
    pub fn stack(&mut self) -> Range<usize> {
        let bottom = self.job().bottom;
        bottom - DEPTH..bottom
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take_if(|thread| !thread.is_finished()) {
            // SAFETY: as in `job`.
            unsafe { &mut *self.desk.job.get() }.order = Order::Quit;
            self.desk.ordered.store(true, Ordering::Release);
            thread.join().unwrap();
        }
    }
}

#[inline(never)]
fn serve(desk: &Desk) {
    wipe();
    loop {
        while !desk.ordered.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        // SAFETY: it is this thread's turn.
        let job = unsafe { &mut *desk.job.get() };
        job.execute();
        let over = job.order == Order::Quit;
        desk.ordered.store(false, Ordering::Release);
        if over {
            return;
        }
    }
}
