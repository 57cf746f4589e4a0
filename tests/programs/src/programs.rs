//! The programs that the tests start

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The node in C
const IN_C: &str = "poll";

/// Where the program is; all of them in Rust are built before the first is started, and that in C before it is
pub fn path(name: &str) -> PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    static DIRECTORY_OF_C: OnceLock<PathBuf> = OnceLock::new();
    let directory = DIRECTORY.get_or_init(build);
    let directory = if name == IN_C { DIRECTORY_OF_C.get_or_init(|| build_c(directory)) } else { directory };
    directory.join(name).with_extension(env::consts::EXE_EXTENSION)
}

/// Builds the node in C, in a directory of its own beside the other programs
fn build_c(directory: &Path) -> PathBuf {
    let directory = directory.join("c");
    fs::create_dir_all(&directory).expect("the target directory can be written");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/c/build");
    let mut command = Command::new(script);
    // The script names the program, which is not to be mixed with the output of the tests.
    let status = command.arg(IN_C).arg(&directory).stdout(Stdio::null()).status();
    let status = status.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
    directory
}

/// Builds them as this test is built, and returns the directory in which they are
fn build() -> PathBuf {
    let test = env::current_exe().expect("a test is a program");
    let mut ancestors = test.ancestors().skip(2);
    let (Some(directory), Some(target)) = (ancestors.next(), ancestors.next()) else {
        panic!("not TARGET/PROFILE/deps/TEST: {}", test.display());
    };
    let profile = match directory.file_name().and_then(|name| name.to_str()).expect("a name") {
        "debug" => "dev",
        name => name,
    };
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.args(["build", "--quiet", "--bins", "--profile", profile]).arg("--target-dir").arg(target);
    // This package has none, but with it the libraries have the features with which they are built already.
    command.args(["-p", "devp2p-drivers", "-p", "devp2p-network", "-p", env!("CARGO_PKG_NAME")]);
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
    directory.to_path_buf()
}
