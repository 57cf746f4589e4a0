//! The programs that the tests start

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Where the program is; all of them are built before the first is started
pub fn path(name: &str) -> PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(build).join(name).with_extension(env::consts::EXE_EXTENSION)
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
    command.args(["-p", "devp2p-drivers", "-p", "devp2p-tokio", "-p", env!("CARGO_PKG_NAME")]);
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
    directory.to_path_buf()
}
