//! Each driver and geth's own `p2p.Server`, in both roles

use devp2p_program_tests::process::Process;
use devp2p_program_tests::program::{Place, Program};
use serde_json::json;

every_driver!(
    [#[ignore = "needs geth: tests/programs/interop/run"]]
    we_dial,
    it_dials,
    both_send,
    it_refuses,
    it_quits,
    we_quit,
);

const PROTOCOLS: &str = "--protocols ping/1:8,echo/1:16,echo/2:17,bulk/1:4";

fn place(it: &Process) -> Place {
    Place { id: it.id, address: it.address }
}

fn we_dial(driver: &str) {
    let mut it = Process::geth(&["-nodial"]);
    for size in [8, 1024, 100_000] {
        let lines = Program::dial(driver, place(&it), &format!("{PROTOCOLS} --send 100 --size {size}")).succeed();
        let end = lines.last().expect("a last line");
        assert!(end.contains("sent 300, heard 300, complete"), "{lines:#?}");
        it.wait("the end", |event| event["event"] == "drop" && event["error"] == "client quitting");
    }
}

fn it_dials(driver: &str) {
    let mut it = Process::geth(&["-verbose"]);
    let (mut listener, place) = Program::listen(driver, PROTOCOLS);
    it.dial(place.id, place.address);
    it.wait("a run", |event| event["event"] == "run" && event["protocol"] == "bulk/1");
    it.command(json!({"cmd": "send", "protocol": "bulk/1", "code": 3, "size": 50_000, "kind": "text", "count": 20}));
    // A message that comes back is echoed once more by geth, and so on.
    let echoed = |event: &serde_json::Value| event["event"] == "message" && event["size"] == 50_000;
    it.wait("an echo", echoed);
    listener.wait(" ready geth-peer");
    it.command(json!({"cmd": "disconnect", "reason": 4}));
    listener.wait("ended 0x4 remote disconnected: too many peers");
    listener.interrupt();
    // The link has not ended as it should.
    listener.fail("ended 0x4");
}

fn both_send(driver: &str) {
    let it = Process::geth(&["-nodial"]);
    Program::dial(driver, place(&it), &format!("{PROTOCOLS} --send 2000 --size 8000")).succeed();
}

/// It says why and closes at once, which our own writing must not hide
fn it_refuses(driver: &str) {
    let it = Process::geth(&["-max-peers", "0", "-nodial"]);
    for _ in 0..5 {
        Program::dial(driver, place(&it), PROTOCOLS).fail("ended 0x4 remote disconnected: too many peers");
    }
}

fn it_quits(driver: &str) {
    let mut it = Process::geth(&["-nodial"]);
    let mut dialler = Program::dial(driver, place(&it), &format!("{PROTOCOLS} --stay"));
    dialler.wait(" ready ");
    it.wait("a run", |event| event["event"] == "run");
    it.command(json!({"cmd": "stop"}));
    dialler.succeed();
}

fn we_quit(driver: &str) {
    let mut it = Process::geth(&["-max-peers", "200", "-nodial"]);
    let mut dialler = Program::dial(driver, place(&it), &format!("{PROTOCOLS} --links 20 --stay"));
    dialler.wait_for(" ready ", 1);
    dialler.interrupt();
    it.wait("a goodbye", |event| event["event"] == "drop" && event["error"] == "client quitting");
    dialler.finish();
}
