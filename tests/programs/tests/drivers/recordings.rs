//! Journals that drivers keep of their links, and what `replay` makes of them

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use devp2p_program_tests::program::{Program, run};

every_driver_in_rust!([] record, second_link, secrets, existing_file);

/// A name that no file has
fn fresh(test: &str, driver: &str) -> String {
    let path = format!("{}/{test}-{driver}-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let _ = fs::remove_file(&path);
    path
}

/// The driver that is not under test
fn other(driver: &str) -> &'static str {
    if driver == "blocking" { "epoll" } else { "blocking" }
}

fn assert_replays(path: &str, who: &str) {
    let mode = fs::metadata(path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let Output { status, stdout, stderr } = run("replay", &[path]);
    let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.code() == Some(0) && out.contains("no difference") && out.contains(who), "{out}{err}");
}

/// Both sides of one link, with more to say than a socket holds
fn record(driver: &str) {
    let (dialled, accepted) = (fresh("dialled", driver), fresh("accepted", driver));
    let options = format!("--links 1 --record {accepted} --yes-secrets");
    let (listener, place) = Program::listen(other(driver), &options);
    let options = format!("--send 200 --size 20000 --record {dialled} --yes-secrets");
    let lines = Program::dial(driver, place, &options).succeed().join("\n");
    assert!(lines.contains("sent 200, heard 200, complete"), "{lines}");
    listener.succeed();
    assert_replays(&dialled, &format!("{driver}, dialling"));
    assert_replays(&accepted, &format!("{}, accepting", other(driver)));
}

/// Of several links that are accepted, the first one is recorded
fn second_link(driver: &str) {
    let path = fresh("first", driver);
    let (listener, place) = Program::listen(driver, &format!("--links 2 --record {path} --yes-secrets"));
    Program::dial(other(driver), place, "--send 20").succeed();
    Program::dial(other(driver), place, "--send 20").succeed();
    listener.succeed();
    assert_replays(&path, &format!("{driver}, accepting"));
}

fn assert_refused(driver: &str, options: &[&str], why: &str) {
    let Output { status, stderr, .. } = run(driver, &[&["listen", "127.0.0.1:0"], options].concat());
    let err = String::from_utf8_lossy(&stderr);
    assert!(status.code() == Some(2) && err.contains(why), "{status}: {err}");
}

fn secrets(driver: &str) {
    let path = fresh("secrets", driver);
    assert_refused(driver, &["--record", &path], "add --yes-secrets");
    assert!(!Path::new(&path).exists());
}

fn existing_file(driver: &str) {
    let path = fresh("existing", driver);
    fs::write(&path, "precious").expect("a file");
    assert_refused(driver, &["--record", &path, "--yes-secrets"], "File exists");
    assert_eq!(fs::read(&path).expect("a file"), b"precious");
}
