//! The programs as processes

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use devp2p_program_tests::NEVER;
use devp2p_program_tests::programs::path;

/// A program that runs
pub struct Program {
    name: &'static str,
    child: Child,
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
        command.args(arguments.iter().map(S::as_ref));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { name, child }
    }

    /// What Ctrl-C does
    pub fn interrupt(&self) {
        self.signal("-INT");
    }

    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "kill {signal}");
    }

    /// Waits for the end; the output must fit into a pipe
    pub fn finish(mut self) -> Finished {
        let deadline = Instant::now() + NEVER;
        while self.child.try_wait().expect("a child").is_none() {
            if Instant::now() > deadline {
                self.child.kill().expect("a child");
                let output = self.child.wait_with_output().expect("a child");
                panic!("{} does not end: {:?}", self.name, Finished::from(output));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.child.wait_with_output().expect("a child").into()
    }
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Self { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Finished {
    /// The exit status, and a piece of what it says on either stream
    #[track_caller]
    pub fn assert(&self, status: i32, says: &str) {
        let said = self.out.contains(says) || self.err.contains(says);
        assert!(self.status == Some(status) && said, "not status {status} and {says:?}: {self:#?}");
    }
}
