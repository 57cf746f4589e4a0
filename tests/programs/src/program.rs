//! A driver as a process

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use devp2p_proto::NodeId;

use crate::NEVER;
use crate::programs::path;

/// Timeouts that no test reaches unless it sets others, since on a busy machine everything may take long
const PATIENT: &str = "--timeouts handshake=600000,pong=600000,read=600000,write=600000,linger=600000";

/// The process, killed when dropped
pub struct Program {
    child: Child,
    incoming: Receiver<String>,
    lines: Vec<String>,
}

/// Where a process listens
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub id: NodeId,
    pub address: SocketAddr,
}

impl Program {
    pub fn listen(driver: &str, options: &str) -> (Self, Place) {
        let mut program = Self::spawn(driver, &format!("listen 127.0.0.1:0 {PATIENT} {options}"));
        let line = program.wait("listening");
        let (id, address) = line.strip_prefix("listening enode://").and_then(|url| url.split_once('@')).expect("a URL");
        let place = Place { id: id.parse().expect("a node id"), address: address.parse().expect("an address") };
        (program, place)
    }

    pub fn dial(driver: &str, Place { id, address }: Place, options: &str) -> Self {
        Self::spawn(driver, &format!("dial enode://{id}@{address} {PATIENT} {options}"))
    }

    fn spawn(driver: &str, arguments: &str) -> Self {
        let mut child = Command::new(path(driver))
            .args(arguments.split_whitespace())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", path(driver).display()));
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, incoming) = channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, incoming, lines: Vec::new() }
    }

    /// Waits for a line that contains the text
    pub fn wait(&mut self, text: &str) -> String {
        self.wait_for(text, 1)
    }

    /// Waits for so many lines that contain the text, and returns the last
    pub fn wait_for(&mut self, text: &str, count: usize) -> String {
        let deadline = Instant::now() + NEVER;
        loop {
            if let Some(line) = self.lines.iter().filter(|line| line.contains(text)).nth(count - 1) {
                return line.clone();
            }
            match self.incoming.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => self.lines.push(line),
                Err(error) => panic!("{count} times {text:?}: {error}; it said {:#?}", self.lines),
            }
        }
    }

    /// The process id
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// As Ctrl-C does
    pub fn interrupt(&self) {
        self.signal("-INT");
    }

    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.expect("there is a kill").success());
    }

    /// Waits for the process to end; returns whether it is content, and all that it has said
    pub fn finish(mut self) -> (bool, Vec<String>) {
        let status = self.exit_status();
        self.lines.extend(self.incoming.iter());
        (status.success(), std::mem::take(&mut self.lines))
    }

    /// The same for one that is to be content
    pub fn succeed(self) -> Vec<String> {
        let (success, lines) = self.finish();
        assert!(success, "{lines:#?}");
        lines
    }

    /// The same for one that is not, and says why
    pub fn fail(self, why: &str) {
        let (success, lines) = self.finish();
        assert!(!success && lines.iter().any(|line| line.contains(why)), "{why}: {lines:#?}");
    }

    fn exit_status(&mut self) -> ExitStatus {
        let deadline = Instant::now() + NEVER;
        loop {
            match self.child.try_wait().expect("a child") {
                Some(status) => return status,
                None if Instant::now() > deadline => {
                    panic!("does not end; it said {:#?}", self.incoming.try_iter().collect::<Vec<_>>())
                }
                None => thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// The processor time that it has used, where that can be known
    pub fn processor_time(&self) -> Option<Duration> {
        let statistics = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // The name, in parentheses, may contain anything; user and system time are fields 14 and 15.
        let fields: Vec<&str> = statistics.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        Some(Duration::from_millis(10 * ticks))
    }
}

/// Waits until the programs have nothing to do: until they use almost no processor time
///
/// A program that spins never becomes quiet, and soon uses more processor time than any test needs. Then this fails.
/// The limit is processor time, so it does not matter how busy the machine is.
pub fn until_quiet(programs: &[&Program]) {
    const WINDOW: Duration = Duration::from_secs(2);
    const FAR_TOO_MUCH: Duration = Duration::from_secs(20);
    let used = || programs.iter().filter_map(|program| program.processor_time()).sum::<Duration>();
    loop {
        let before = used();
        thread::sleep(WINDOW);
        let spent = used().saturating_sub(before);
        if spent < WINDOW / 12 {
            return;
        }
        assert!(used() < FAR_TOO_MUCH, "{spent:?} of processor time in {WINDOW:?} while nothing could be done");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end
pub fn run(name: &str, arguments: &[&str]) -> Output {
    Command::new(path(name)).args(arguments).output().expect("built")
}
