//! The program, its list, and its output

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use devp2p_program_tests::programs::path;
use serde_json::Value;

/// Time limits that no test reaches unless it sets others, since on a busy machine everything may take long
///
/// `linger` is short: it only limits how long a node may take to close when its outcome is known.
const PATIENT: [&str; 6] =
    ["--timeout", "600", "--limit", "600", "--timeouts", "handshake=600000,write=600000,linger=1000"];

/// The file of a list, removed when dropped
pub struct List(PathBuf);

impl List {
    pub fn of(text: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ping-nodes-{}-{number}", std::process::id()));
        fs::write(&path, text).expect("a temporary file");
        Self(path)
    }

    pub fn path(&self) -> &str {
        self.0.to_str().expect("text")
    }
}

impl Drop for List {
    fn drop(&mut self) {
        // If the file is gone already, nothing is left to do.
        let _ = fs::remove_file(&self.0);
    }
}

/// The program with long time limits, which `options` override
pub fn command(list: &List, options: &[&str]) -> Command {
    let mut command = Command::new(path("ping"));
    command.args(["--nodes", list.path()]).args(PATIENT).args(options);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn ping(list: &List, options: &[&str]) -> Finished {
    let mut command = command(list, options);
    Finished::new(command.output().unwrap_or_else(|error| panic!("{command:?}: {error}")))
}

#[derive(Debug)]
pub struct Finished {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Finished {
    pub fn new(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Self { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The lines as JSON, in the order of the list
    pub fn rows(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        let mut rows: Vec<Value> = self.out.lines().map(parse).collect();
        rows.sort_by_key(|row| row["line"].as_u64());
        rows
    }

    /// Whether line feeds are the only characters that control a terminal
    #[track_caller]
    pub fn assert_plain(&self) {
        let is_plain = |text: &str| text.chars().all(|character| character == '\n' || !character.is_control());
        assert!(is_plain(&self.out) && is_plain(&self.err), "controls: {self:?}");
    }
}
