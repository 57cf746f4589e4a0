//! What the files of `replay` hold, and who can read them

use std::fs;
use std::os::unix::fs::PermissionsExt;

use devp2p_proto::DisconnectReason;

use crate::recording::{ETH, Recording, SNAP, capture, fresh, page, replay};

const SAID: &[u8] = b"what this node has said in confidence";
const HEARD: &[u8] = b"what the peer has said in confidence";

fn contains(file: &str, bytes: &[u8]) -> bool {
    fs::read(file).expect("a file").windows(bytes.len()).any(|window| window == bytes)
}

/// Keys are in no file, and payloads only where they were asked for
#[test]
fn secrets() {
    let mut link = Recording::running("secrets");
    link.send(ETH, 2, SAID);
    link.hear(SNAP, 1, HEARD);
    let keys = link.secrets.clone();
    let recording = link.quit(DisconnectReason::REQUESTED);
    assert!(keys.iter().all(|key| contains(&recording, key)) && contains(&recording, SAID));

    let html = page(&recording);
    let (plain, _) = capture(&recording, &[]);
    for file in [&html, &plain] {
        assert!(!contains(file, SAID) && !contains(file, HEARD), "{file}");
    }
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for key in &keys {
        assert!(!contains(&html, hex(key).as_bytes()));
        assert!(!contains(&html, key) && !contains(&plain, key));
    }
    let (whole, dissector) = capture(&recording, &["--yes-secrets"]);
    assert!(contains(&whole, SAID) && contains(&whole, HEARD));
    assert!(keys.iter().all(|key| !contains(&whole, key)));

    for file in [&html, &whole, &dissector] {
        let mode = fs::metadata(file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

/// No file is written over: not the recording, and no other
#[test]
fn files_that_exist() {
    let recording = Recording::running("exist").quit(DisconnectReason::REQUESTED);
    let before = fs::read(&recording).expect("a file");
    let precious = fresh("precious.lua");
    fs::write(&precious, "precious").expect("a disk");
    let beside = precious.replace(".lua", ".pcapng");
    let new = fresh("new.html");
    let cases = [
        (["--html", &recording], "File exists"),
        (["--pcapng", &recording], "File exists"),
        (["--html", &precious], "File exists"),
        (["--pcapng", &beside], "its dissector"),
        (["--html", "/nowhere/page"], "No such file"),
        (["--pcapng", "/nowhere/capture"], "No such file"),
    ];
    for (arguments, says) in cases {
        let output = replay(&[&[recording.as_str()], &arguments[..]].concat());
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && err.contains(says), "{arguments:?}: {err}");
        assert!(err.starts_with("replay: ") && err.lines().count() == 1, "{err}");
    }
    assert!(replay(&[&recording, "--html", &new]).status.success());
    assert_eq!(replay(&[&recording, "--html", &new]).status.code(), Some(2));
    assert_eq!(fs::read(&recording).expect("a file"), before);
    assert_eq!(fs::read(&precious).expect("a file"), b"precious");
    assert!(!std::path::Path::new(&beside).exists());
}
