//! The program as a process

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

/// Runs it with these arguments
fn network(arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_devp2p-network"));
    command.args(arguments.split_whitespace()).output().expect("built")
}

const SMALL: &str = "--nodes 20 --links 4 --stall 10 --vanish 10 --return 10 --lie 10 --block-size 5000";

/// A file name where no file is
fn fresh(name: &str) -> String {
    let path = format!("{}/network-{}-{name}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let _ = fs::remove_file(&path);
    path
}

#[test]
fn the_same_seed_gives_the_same_output_and_the_same_page() {
    let run = |name: &str, seed| {
        let page = fresh(name);
        let output = network(&format!("{SMALL} --seed {seed} --html {page}"));
        assert!(output.status.success());
        (output, fs::read_to_string(page).expect("a page"))
    };
    let ((one, page), (again, same), (other, different)) = (run("one", 1), run("again", 1), run("other", 2));
    assert_eq!((&one.stdout, &page), (&again.stdout, &same));
    assert!(one.stdout != other.stdout && page != different);
    assert!(page.ends_with("</html>\n") && !page.contains("{{"), "{page}");
    let progress = String::from_utf8(one.stderr).expect("text");
    assert!(progress.contains("60.000s of 60 s simulated"), "{progress}");
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let cases = [
        ("--nodes 0", "--nodes 0: must be at least 1"),
        ("--links 0", "--links 0: must be at least 1"),
        ("--nodes 10 --links 10", "--links 10: must be less than --nodes 10"),
        ("--nodes 5 --links 3", "one of them must be even"),
        ("--nodes 18446744073709551615 --links 2", "more than 1000000 links"),
        ("--nodes many", "--nodes many: "),
        ("--blocks 0", "--blocks 0: must be at least 1"),
        ("--blocks 6", "ends before the last of --blocks 6 is made"),
        ("--time 5", "--time 5: ends before"),
        ("--time 0", "--time 0: not a positive number of seconds"),
        ("--interval 1e18 --blocks 99", "ends before"),
        ("--block-size 16777216", "--block-size 16777216: must be at most"),
        ("--blocks 1000000 --interval 1e-6", "--blocks 1000000 --block-size 102400: more than"),
        ("--transactions 1000000", "--transactions 1000000: must be at most 100000"),
        ("--lie 101", "--lie 101: more than 100 percent"),
        ("--lie 50 --vanish 50", "104 percent together"),
        ("--seed -1", "--seed -1: "),
        ("--html", "--html takes a value"),
        ("--html /dev/null", "--html /dev/null: File exists"),
        ("--html /nowhere/page", "--html /nowhere/page: No such file"),
        ("--nodes", "--nodes takes a value"),
        ("--peers 3", "unknown option --peers"),
        ("5", "unknown option 5"),
    ];
    for (arguments, says) in cases {
        let output = network(arguments);
        let error = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{arguments}: {error}");
        assert!(error.starts_with("devp2p-network: ") && error.contains(says), "{arguments}: {error}");
        assert!(error.lines().count() == 1 && output.stdout.is_empty(), "{error}");
    }
}

#[test]
fn the_smallest_networks() {
    for arguments in ["--nodes 2 --links 1", "--nodes 3 --links 2", "--nodes 6 --links 5", "--nodes 4 --links 3"] {
        let output = network(arguments);
        let report = String::from_utf8(output.stdout).expect("text");
        let nodes = arguments.split(' ').nth(1).expect("a number");
        assert!(report.contains(&format!("steady  {nodes} of {nodes}")), "{report}");
    }
}

/// A run of thirty years is interrupted after its first line of progress
#[cfg(unix)]
#[test]
fn an_interrupted_run_prints_what_it_has() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_devp2p-network"));
    command.args(SMALL.split_whitespace()).args(["--time", "1e9"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("built");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    assert!(lines.next().is_some_and(|line| line.contains("of 1000000000 s simulated")));
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("there is a kill");
    assert!(status.success());
    let last = lines.last().expect("a line");
    assert!(last.starts_with("devp2p-network: interrupted at"), "{last}");
    let output = child.wait_with_output().expect("it ends");
    let report = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.code() == Some(1) && report.contains(" of 12\n"), "{report}");
}
