//! The page in a browser: what a person sees and can do

use std::time::Instant as Clock;

use devp2p_proto::{DisconnectReason, MAX_CLIENT_ID};
use serde_json::Value;

use crate::browser::{Browser, WINDOWS};
use crate::recording::{ETH, Recording, SNAP, everything, page};

#[test]
#[ignore = "needs chromium"]
fn its_figures_are_those_of_the_run() {
    let mut link = Recording::running("figures");
    for _ in 0..7 {
        link.send(ETH, 3, &[1; 100]);
    }
    for _ in 0..5 {
        link.hear(SNAP, 1, &[2; 5000]);
    }
    link.ping();
    link.ping();
    let round_trip = link.ours.liveness().round_trip.expect("answered");
    let received = link.ours.traffic(SNAP).expect("shared").ingress;
    link.now = devp2p_proto::Instant::from_millis(5_123);
    let mut browser = Browser::open(&page(&link.quit(DisconnectReason::CLIENT_QUITTING)), 1024, 768);
    // Our Disconnect is under way for a millisecond, and the end of the stream for another one.
    assert_eq!(browser.text("#duration"), "5.125000 s");
    assert_eq!(browser.text("#title"), "ours/1.0 → peer/1.0");
    assert_eq!(browser.text("#ending"), "Ended by this node: disconnected: client quitting");
    assert_eq!(browser.text("#verdict"), "no difference: the link did again what it had done");
    assert_eq!(browser.text("#sent-messages"), "7");
    assert_eq!(browser.text("#received-messages"), "5");
    assert_eq!(browser.text("#pings"), "2 of 2");
    assert_eq!(browser.text("#round-trip"), format!("{:.3} ms", round_trip.as_secs_f64() * 1000.0));
    assert_eq!(browser.text("#refusals"), "0");
    let row = "[...document.querySelectorAll('#tables tr')].find((row) => row.textContent.startsWith('snap/1'))";
    let row = browser.evaluate(&format!("{row}.textContent.replaceAll(',', '')"));
    let (payload, wire) = (received.payload_bytes, received.wire_bytes);
    assert_eq!(row, format!("snap/10005{payload}{wire}"));
    browser.assert_silent();
}

/// Sends and receives each look as what they are, and a chosen row shows all of it
#[test]
#[ignore = "needs chromium"]
fn a_sequence_diagram() {
    let mut link = Recording::running("diagram");
    link.send(ETH, 3, &[1; 1234]);
    link.hear(ETH, 4, &[2; 300]);
    let mut browser = Browser::open(&page(&link.quit(DisconnectReason::REQUESTED)), 1024, 768);
    let arrow = |browser: &mut Browser, text: &str| {
        let find =
            format!("[...document.querySelectorAll('#window .row')].find((row) => row.textContent.includes('{text}'))");
        browser.evaluate(&format!("{find}.click(), {find}.className")).as_str().expect("a row").to_string()
    };
    assert_eq!(arrow(&mut browser, "GetBlockHeaders"), "row sent message chosen");
    let chosen = browser.text("#chosen");
    assert!(
        chosen.contains("sent, message · eth/69 GetBlockHeaders · code 0x3")
            && chosen.contains("1,234 bytes in the clear"),
        "{chosen}"
    );
    assert_eq!(arrow(&mut browser, "auth"), "row sent handshake chosen");
    assert_eq!(arrow(&mut browser, "ended"), "row here state chosen");
    assert!(browser.text("#chosen").ends_with("disconnected: disconnect requested"));
    browser.evaluate("document.querySelector('#scroll').dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowUp'}))");
    assert!(browser.text("#chosen").contains("stage Closed"), "{}", browser.text("#chosen"));
    browser.assert_silent();
}

#[test]
#[ignore = "needs chromium"]
fn filters_by_protocol_and_kind() {
    let mut link = Recording::running("filters");
    for _ in 0..3 {
        link.send(ETH, 3, &[1; 100]);
        link.send(SNAP, 0, &[1; 100]);
    }
    let mut browser = Browser::open(&page(&link.quit(DisconnectReason::REQUESTED)), 1920, 2000);
    let shown = |browser: &mut Browser, text: &str| {
        let rows = "[...document.querySelectorAll('#window .row .text')]";
        browser.evaluate(&format!("{rows}.filter((row) => row.textContent.includes('{text}')).length"))
    };
    let click = |browser: &mut Browser, value: &str| {
        browser.evaluate(&format!("document.querySelector('input[value=\"{value}\"]').click()"));
    };
    assert_eq!((shown(&mut browser, "GetBlockHeaders"), shown(&mut browser, "GetAccountRange")), (3.into(), 3.into()));
    click(&mut browser, "eth/69");
    assert_eq!((shown(&mut browser, "GetBlockHeaders"), shown(&mut browser, "GetAccountRange")), (0.into(), 3.into()));
    click(&mut browser, "message");
    assert_eq!((shown(&mut browser, "GetAccountRange"), shown(&mut browser, "Hello")), (0.into(), 1.into()));
    assert_eq!(shown(&mut browser, "stage Hello"), 1);
    assert_eq!(browser.evaluate("document.querySelector('#nothing').hidden"), true);
    for kind in ["handshake", "state", "driver"] {
        click(&mut browser, kind);
    }
    assert_eq!(
        (browser.count("#window .row"), browser.evaluate("document.querySelector('#nothing').hidden")),
        (0, false.into())
    );
    click(&mut browser, "eth/69");
    click(&mut browser, "message");
    assert_eq!(shown(&mut browser, "GetBlockHeaders"), 3);
    browser.assert_silent();
}

/// The names of both nodes are text, whatever they are
#[test]
#[ignore = "needs chromium"]
fn a_name_does_not_become_markup() {
    let names = [
        "</script><script>owned=1</script>",
        "<img src=x onerror=owned=1><!--",
        "\"'><svg onload=owned=1>{{rows}}",
        "<!--<script>{{script}}\\u003c/script>",
    ];
    for (index, name) in names.into_iter().enumerate() {
        assert!(name.len() <= MAX_CLIENT_ID);
        let mut link = Recording::dialled(&format!("hostile-{index}"), name, name);
        link.settle();
        let mut browser = Browser::open(&page(&link.quit(DisconnectReason::REQUESTED)), 1024, 768);
        assert_eq!(browser.text("#title"), format!("{name} → {name}"));
        assert_eq!(browser.evaluate("typeof owned"), "undefined");
        assert_eq!((browser.count("script"), browser.count("img"), browser.count("svg")), (3, 0, 0));
        browser.assert_silent();
    }
}

/// Nothing is wider than the window, and nothing in a row is above or below it
#[test]
#[ignore = "needs chromium"]
fn three_sizes_of_window() {
    let html = page(&everything("sizes-of-window"));
    for (width, height) in WINDOWS {
        let mut browser = Browser::open(&html, width, height);
        browser.evaluate("document.querySelector('#more').open = true");
        browser.assert_fits(width);
        let outside = "[...document.querySelectorAll('#head, #window .row')].filter((row) => {
            const outer = row.getBoundingClientRect();
            return outer.right > innerWidth || [...row.querySelectorAll('span')].some((part) => {
                const inner = part.getBoundingClientRect();
                return inner.width > 0 && (inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1
                    || inner.left < outer.left || inner.right > outer.right + 1);
            });
        }).length";
        assert_eq!(browser.evaluate(outside), 0, "{width}");
        assert!(browser.count("#window .row") > 10, "{width}");
        browser.assert_silent();
    }
}

/// A hundred thousand messages: only the rows in view are in the document, and they follow the scrolling at once
#[test]
#[ignore = "needs chromium"]
fn a_hundred_thousand_messages() {
    let mut link = Recording::running("many");
    for index in 0..50_000_u32 {
        link.send(ETH, 3, &index.to_be_bytes());
        link.hear(ETH, 4, &[7; 50]);
    }
    let recording = link.quit(DisconnectReason::REQUESTED);
    let html = page(&recording);
    let started = Clock::now();
    let mut browser = Browser::open(&html, 1024, 768);
    let opened = started.elapsed();
    assert_eq!(
        (browser.text("#sent-messages"), browser.text("#received-messages")),
        ("50,000".into(), "50,000".into())
    );
    let paint = browser.evaluate(
        "new Promise((done) => new PerformanceObserver((list) => done(list.getEntries()[0].startTime))
            .observe({type: 'paint', buffered: true}))",
    );
    let loaded = browser.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd");
    // From a new position to the frame after the one in which its rows were drawn, for two hundred positions.
    let scroll = browser.evaluate(
        "(async () => {
            const scroll = document.querySelector('#scroll'), times = [];
            const frame = () => new Promise(requestAnimationFrame);
            for (let step = 1; step <= 200; step++) {
                const start = performance.now();
                scroll.scrollTop = scroll.scrollHeight * step / 200;
                await frame(), await frame();
                times.push(performance.now() - start);
                if (document.querySelectorAll('#window .row').length > 100) return null;
                const box = scroll.getBoundingClientRect();
                const middle = document.elementFromPoint(box.left + 40, box.top + box.height / 2);
                if (!middle.closest('.row')) return null;
            }
            times.sort((a, b) => a - b);
            return [times[100], times[199]];
        })()",
    );
    assert!(scroll.is_array(), "a position without rows, or too many rows");
    let last = browser.evaluate("[...document.querySelectorAll('#window .row')].at(-1).textContent");
    assert!(last.as_str().is_some_and(|text| text.contains("ended")), "{last}");
    let filter = browser.evaluate(
        "(() => {
            const start = performance.now();
            document.querySelector('input[value=\"eth/69\"]').click();
            return performance.now() - start;
        })()",
    );
    let size = std::fs::metadata(&html).expect("a page").len();
    println!(
        "page of {size} bytes: open after {opened:?}, first paint after {paint} ms, rows after {loaded} ms, scroll {scroll} ms (median, greatest), filter {filter} ms"
    );
    // Far more than a busy machine needs for some rows, and far less than for all of them.
    let within = |time: &Value, limit: f64| time.as_f64().is_some_and(|time| time < limit);
    assert!(within(&scroll[0], 500.0) && within(&scroll[1], 5000.0) && within(&filter, 5000.0), "{scroll} {filter}");
    assert!(within(&paint, 10_000.0) && within(&loaded, 10_000.0), "{paint} {loaded}");
    browser.assert_silent();
}
