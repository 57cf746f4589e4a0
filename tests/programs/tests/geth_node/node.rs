//! Real geth: the full node on a chain of its own making, and its `p2p.Server` as a program

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, Weak, mpsc};
use std::time::{Duration, Instant};

use devp2p_program_tests::NEVER;
use serde_json::Value;

const BLOCKS: u64 = 300;

/// A full geth node, stopped when the last test that uses it is done
pub struct Geth {
    child: Child,
    log: PathBuf,
    pub enode: String,
    /// What `geth dumpgenesis` says of the chain
    pub genesis: String,
    /// The number of the newest block
    pub head: u64,
    /// How many transactions its blocks have, by geth's own count
    pub transactions: u64,
}

impl Geth {
    /// The one node that tests share
    pub fn shared() -> Arc<Self> {
        static NODE: Mutex<Weak<Geth>> = Mutex::new(Weak::new());
        let mut node = NODE.lock().expect("geth starts");
        node.upgrade().unwrap_or_else(|| {
            let started = Arc::new(Self::start());
            *node = Arc::downgrade(&started);
            started
        })
    }

    fn start() -> Self {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("geth-node");
        let [head, transactions] = make_chain(&directory);
        let log = directory.join("serve.log");
        // The script replaces itself by geth, so this child is geth.
        let mut command = script("serve");
        command.arg(&directory).arg("--ipcdisable");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).expect("a log"));
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let genesis = directory.join("genesis.json").to_str().expect("text").to_string();
        let mut node = Self { child, log, enode: String::new(), genesis, head, transactions };
        let line = node.wait_for_log("Started P2P networking");
        let url = line.split("self=").nth(1).expect("a URL").trim();
        node.enode = url.trim_matches('"').to_string();
        node
    }

    /// The first line of the log that has this in it
    pub fn wait_for_log(&self, what: &str) -> String {
        let deadline = Instant::now() + NEVER;
        loop {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            if let Some(line) = log.lines().find(|line| line.contains(what)) {
                return line.to_string();
            }
            assert!(Instant::now() < deadline, "geth does not log {what:?}, see {}", self.log.display());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Why geth has dropped the peers of this name, one line for each
    pub fn dropped(&self) -> Vec<String> {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter(|line| line.contains("Removing p2p peer")).map(String::from).collect()
    }
}

impl Drop for Geth {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A full geth node that has only the genesis block, and dials the nodes that it is told to dial
pub struct Follower {
    child: Child,
    /// Has a short path, since the path of a socket in it has a limited length
    directory: PathBuf,
}

impl Follower {
    pub fn start(genesis: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("follower-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).expect("a directory");
        let log = File::create(directory.join("log")).expect("a log");
        // The script replaces itself by geth, so this child is geth.
        let mut command = script("follow");
        command.arg(&directory).arg(genesis).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let follower = Self { child, directory };
        follower.wait_until("eth.blockNumber", |number| number == "0");
        follower
    }

    /// What geth's console answers, or why it does not
    pub fn tell(&self, script: &str) -> String {
        let mut command = Command::new(variable("GETH"));
        command.env_remove("GETH").env_remove("GETH_PEER");
        let output = command.args(["attach", "--exec", script]).arg(self.directory.join("ipc")).output();
        let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let said = if output.status.success() { output.stdout } else { output.stderr };
        String::from_utf8_lossy(&said).trim().to_string()
    }

    /// Asks until the answer is the one that is waited for
    pub fn wait_until(&self, script: &str, is_it: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + NEVER;
        loop {
            let answer = self.tell(script);
            if is_it(&answer) {
                return;
            }
            assert!(Instant::now() < deadline, "{script}: {answer}, see {}", self.directory.join("log").display());
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What it has logged is of use if the test fails.
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

/// Makes a new chain, and returns the number of its newest block and that of its transactions
fn make_chain(directory: &Path) -> [u64; 2] {
    let _ = fs::remove_dir_all(directory);
    let output = script("chain").arg(directory).arg(BLOCKS.to_string()).output().expect("a script");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    // "300 blocks with 750 transactions in DIRECTORY"
    let words: Vec<_> = said.split_whitespace().collect();
    [0, 3].map(|word| words[word].parse().expect("a number"))
}

/// One of the scripts in tests/programs/geth_node
fn script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("geth_node").join(name))
}

/// geth's `p2p.Server` without anything behind it: tests/programs/interop/geth
pub struct GethPeer {
    child: Child,
    stdin: ChildStdin,
    lines: mpsc::Receiver<String>,
    pub enode: String,
}

impl GethPeer {
    pub fn start(flags: &[&str]) -> Self {
        let mut command = Command::new(variable("GETH_PEER"));
        command.args(flags).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdin = child.stdin.take().expect("piped");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut peer = Self { child, stdin, lines, enode: String::new() };
        peer.enode = peer.wait_for("listening")["enode"].as_str().expect("a URL").to_string();
        peer
    }

    pub fn wait_for(&mut self, event: &str) -> Value {
        let deadline = Instant::now() + NEVER;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|error| panic!("{event}: {error}"));
            let value: Value = serde_json::from_str(&line).expect("a line of JSON");
            if value["event"] == event {
                return value;
            }
        }
    }

    pub fn command(&mut self, command: &Value) {
        writeln!(self.stdin, "{command}").expect("geth-peer listens");
    }
}

impl Drop for GethPeer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; tests/programs/geth_node/run does that"))
}
