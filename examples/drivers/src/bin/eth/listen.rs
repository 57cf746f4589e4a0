//! Inbound links: one thread for each, and a limit on their number

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use devp2p_drivers::eth::store::SharedStore;
use devp2p_drivers::journal::Setup;
use devp2p_drivers::say::say;
use devp2p_drivers::session::Session;
use devp2p_proto::{Enode, NodeId};

use crate::inbound::InboundLink;
use crate::options::Options;
use crate::setup;

/// How long to wait after accepting has failed
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that listens; nothing is accepted before [`open`](Self::open)
pub struct Listener {
    socket: TcpListener,
    common: Arc<Common>,
    enode: Enode,
}

/// What all accepted links have in common
struct Common {
    options: Arc<Options>,
    store: SharedStore,
    key: [u8; 32],
    port: u16,
    inbound: Arc<InboundLinks>,
}

impl Listener {
    /// Listens as the node with this key
    pub fn bind(address: SocketAddr, key: [u8; 32], options: &Arc<Options>, store: &SharedStore) -> io::Result<Self> {
        let socket = TcpListener::bind(address)?;
        let address = socket.local_addr()?;
        let (options, store, inbound) = (Arc::clone(options), store.clone(), Arc::new(InboundLinks::default()));
        let common = Common { options, store, key, port: address.port(), inbound };
        let node_id = common.node_id().map_err(io::Error::other)?;
        Ok(Self { socket, common: Arc::new(common), enode: Enode { node_id, address } })
    }

    /// The count of the inbound links
    pub fn inbound(&self) -> Arc<InboundLinks> {
        Arc::clone(&self.common.inbound)
    }

    /// The port on which others find this node
    pub const fn port(&self) -> u16 {
        self.enode.address.port()
    }

    /// Prints where it listens, and accepts links from now on, in a thread that ends with the process
    pub fn open(self) {
        say(format_args!("listening {}", self.enode));
        self.common.inbound.count().accepting = Accepting::Yes;
        thread::spawn(move || self.accept_all());
    }

    fn accept_all(&self) {
        for result in self.socket.incoming() {
            match result {
                Ok(socket) => self.common.accept(socket),
                // The process may have no free file descriptor; after a while some sockets will be closed.
                Err(_) => thread::sleep(ACCEPT_PAUSE),
            }
        }
    }
}

impl Common {
    fn node_id(&self) -> Result<NodeId, String> {
        let setup = self.setup().map_err(|error| error.to_string())?;
        setup.config().map(|config| config.node_id()).map_err(|error| error.to_string())
    }

    /// The setup of one link, with randomness of its own
    fn setup(&self) -> Result<Setup, getrandom::Error> {
        setup::accepted(&self.options, self.key, self.port)
    }

    /// Serves the peer, unless there are enough links already: then the socket is closed before any curve arithmetic
    fn accept(self: &Arc<Self>, socket: TcpStream) {
        let most = self.options.max_inbound;
        let Some(slot) = self.inbound.admit(most) else {
            return;
        };
        let common = Arc::clone(self);
        let serve = move || {
            // Counted until the link has ended, or its thread has panicked.
            let number = slot.number;
            common.serve(number, socket);
            drop(slot);
        };
        // If the thread cannot start, the socket is dropped, which closes the connection. The other links go on.
        let _ = thread::Builder::new().spawn(serve);
    }

    fn serve(&self, number: u64, socket: TcpStream) {
        let Ok(setup) = self.setup() else {
            return;
        };
        // If the socket fails at once, there is no link to report.
        if let Ok(session) = Session::accept(socket, &setup) {
            InboundLink::new(number, session, &self.options, &self.store).run();
        }
    }
}

/// How many inbound links are open
#[derive(Default)]
pub struct InboundLinks {
    count: Mutex<Count>,
    changed: Condvar,
}

#[derive(Default)]
struct Count {
    open: usize,
    ever: u64,
    accepting: Accepting,
}

/// Whether links are accepted
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Accepting {
    /// There is nothing to serve yet
    #[default]
    NotYet,
    Yes,
    /// The program ends
    NoLonger,
}

/// An inbound link, which is counted until this is dropped
struct InboundSlot {
    number: u64,
    inbound: Arc<InboundLinks>,
}

impl InboundLinks {
    /// Counts one more link, unless there are `most` of them or no links are accepted
    fn admit(self: &Arc<Self>, most: usize) -> Option<InboundSlot> {
        let mut count = self.count();
        if count.accepting != Accepting::Yes || count.open >= most {
            return None;
        }
        count.open += 1;
        count.ever += 1;
        Some(InboundSlot { number: count.ever, inbound: Arc::clone(self) })
    }

    /// Whether links are accepted
    pub fn is_accepting(&self) -> bool {
        self.count().accepting == Accepting::Yes
    }

    /// Accepts no links from now on, and waits until all have ended
    pub fn close(&self) {
        let mut count = self.count();
        count.accepting = Accepting::NoLonger;
        while count.open > 0 {
            count = self.changed.wait(count).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InboundSlot {
    fn drop(&mut self) {
        self.inbound.count().open -= 1;
        self.inbound.changed.notify_all();
    }
}
