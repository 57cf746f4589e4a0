//! The programs as processes

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use devp2p_program_tests::NEVER;
use devp2p_program_tests::programs::path;

/// Timeouts that no test reaches unless it sets others, since on a busy machine everything may take long
const LIMITS: [&str; 2] = ["--timeouts", "handshake=600000,pong=600000,read=600000,write=600000,linger=600000"];

/// The default arguments; a test can override them, since its arguments come later
fn patience(name: &str) -> &'static [&'static str] {
    match name {
        "ping" => &["--timeout", "600"],
        "eth" => &["--patience", "600"],
        _ => &[],
    }
}

/// A program that runs, killed when dropped
pub struct Program {
    name: &'static str,
    child: Child,
    out: Stream,
    err: Stream,
}

/// What a program has left
#[derive(Debug)]
pub struct Finished {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

pub fn run<S: AsRef<str>>(name: &'static str, arguments: &[S]) -> Finished {
    Program::start(name, arguments).finish()
}

impl Program {
    pub fn start<S: AsRef<str>>(name: &'static str, arguments: &[S]) -> Self {
        let mut command = Command::new(path(name));
        let patience = patience(name);
        command.args(LIMITS.iter().filter(|_| !patience.is_empty())).args(patience);
        command.args(arguments.iter().map(S::as_ref));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let out = Stream::new(child.stdout.take().expect("piped"));
        let err = Stream::new(child.stderr.take().expect("piped"));
        Self { name, child, out, err }
    }

    /// What Ctrl-C does
    pub fn interrupt(&self) {
        self.signal("-INT");
    }

    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "kill {signal}");
    }

    /// Waits until the program has printed this text, on standard output or standard error
    pub fn wait(&mut self, text: &str) {
        let deadline = Instant::now() + NEVER;
        while !self.says(text) {
            let goes_on = self.child.try_wait().expect("a child").is_none() && Instant::now() < deadline;
            assert!(goes_on, "{} does not say {text:?}: {:?} {:?}", self.name, self.out.text(), self.err.text());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether the program has printed this text
    pub fn says(&self, text: &str) -> bool {
        self.out.text().contains(text) || self.err.text().contains(text)
    }

    /// Waits for a line of standard output that begins so
    pub fn line(&mut self, start: &str) -> String {
        self.wait(start);
        let text = self.out.text();
        text.lines()
            .find(|line| line.starts_with(start))
            .unwrap_or_else(|| panic!("no {start:?} in {text}"))
            .to_string()
    }

    /// The peak of its memory so far, in bytes, if the system reports it
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
    }

    /// Waits for the end
    pub fn finish(mut self) -> Finished {
        let deadline = Instant::now() + NEVER;
        let status = loop {
            match self.child.try_wait().expect("a child") {
                Some(status) => break status,
                None if Instant::now() > deadline => {
                    panic!("{} does not end: {:?} {:?}", self.name, self.out.text(), self.err.text())
                }
                None => thread::sleep(Duration::from_millis(10)),
            }
        };
        Finished { status: status.code(), out: self.out.whole(), err: self.err.whole() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The program may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The output of a program so far
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<io::Result<()>>>,
}

impl Stream {
    fn new(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let said = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                match pipe.read(&mut buffer)? {
                    0 => return Ok(()),
                    len => said.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..len]),
                }
            }
        });
        Self { bytes, reader: Some(reader) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// The whole output, once the program has ended
    fn whole(&mut self) -> String {
        let outcome = self.reader.take().map(JoinHandle::join);
        assert!(matches!(outcome, Some(Ok(Ok(())))), "{outcome:?}");
        let bytes = std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner));
        String::from_utf8(bytes).expect("text")
    }
}

impl Finished {
    /// The exit status, and a piece of what it says on either stream
    #[track_caller]
    pub fn assert(&self, status: i32, says: &str) {
        let said = self.out.contains(says) || self.err.contains(says);
        assert!(self.status == Some(status) && said, "not status {status} and {says:?}: {self:#?}");
    }

    /// Whether line feeds are the only characters that control a terminal
    #[track_caller]
    pub fn assert_plain(&self) {
        let is_plain = |text: &str| text.chars().all(|character| character == '\n' || !character.is_control());
        assert!(is_plain(&self.out) && is_plain(&self.err), "controls: {self:?}");
    }
}
