//! The page of `devp2p-network` in a browser

use devp2p_program_tests::program::run;

use crate::browser::{Browser, WINDOWS};
use crate::recording::fresh;

/// Runs a network of a hundred nodes, some of which are faulty; returns its report and its page
fn network(name: &str) -> (String, String) {
    let html = fresh(name);
    let faults = ["--stall", "5", "--vanish", "5", "--return", "5", "--lie", "5"];
    let size = ["--nodes", "100", "--links", "8", "--blocks", "2", "--block-size", "20000", "--html", &html];
    let output = run("devp2p-network", &[&size[..], &faults].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).expect("text"), html)
}

/// The words of the first line that begins with this text, without the text
fn figures<'a>(report: &'a str, start: &str) -> Vec<&'a str> {
    let lines = report.lines().filter_map(|line| line.trim().strip_prefix(start));
    lines.map(|rest| rest.split_whitespace().collect()).next().unwrap_or_else(|| panic!("{start}: {report}"))
}

/// The cells of the row that begins with this text
fn row(browser: &mut Browser, table: &str, start: &str) -> Vec<String> {
    let cells = browser.evaluate(&format!(
        "[...[...document.querySelectorAll('{table} tr')].find((row) => row.textContent.startsWith('{start}'))
            .querySelectorAll('td')].map((cell) => cell.textContent.replaceAll(',', ''))"
    ));
    cells.as_array().expect("cells").iter().map(|cell| cell.as_str().expect("text").to_string()).collect()
}

#[test]
#[ignore = "needs chromium"]
fn its_figures_are_those_of_the_report() {
    let (report, html) = network("network-figures.html");
    let mut browser = Browser::open(&html, 1024, 768);
    assert!(browser.text("#command").starts_with("devp2p-network --nodes 100 --links 8 --seed 1 --blocks 2"));
    for kind in ["block announced", "block pushed", "transaction asked for", "transaction answered"] {
        let [messages, bytes] = figures(&report, kind)[..] else { panic!("{report}") };
        assert_eq!(row(&mut browser, "#traffic", kind)[..2], [messages, bytes], "{kind}");
    }
    for (group, nodes) in [("steady", "80"), ("stalled", "5"), ("vanished", "5"), ("came back", "5"), ("lied", "5")] {
        let have = figures(&report, group)[0];
        assert_eq!(row(&mut browser, "#groups", group), [nodes, have], "{group}");
    }
    let first = figures(&report, "10 %:")[0].to_string();
    assert_eq!(row(&mut browser, "#percentiles", "block 1")[0], first);
    let mac = report.lines().find(|line| line.contains("wrong MAC")).expect("somebody has lied");
    let count = mac.split_whitespace().next().expect("a number");
    assert_eq!(row(&mut browser, "#endings", "violation by the peer: wrong MAC"), [count]);
    // A dot for each node, and a line to each that has got the block.
    let arrived = report.lines().filter(|line| line.contains(" of 100  ")).nth(20).expect("the end of the curve");
    let arrived: u64 = arrived.split_whitespace().nth(2).expect("a number").parse().expect("a number");
    assert_eq!((browser.count("#tree circle"), browser.count("#tree polyline")), (100, arrived - 1));
    browser.assert_silent();
}

/// Checks that all is to be seen; returns how bright text is, and what is behind it, each up to 765
fn look(browser: &mut Browser, width: u32) -> (u64, u64) {
    browser.assert_fits(width);
    assert_eq!(browser.count("main svg"), 3);
    // A colour of the pictures is a number until the style sheet gives it a colour.
    let uncoloured = r"[...document.querySelectorAll('svg *')].filter((part) => {
        const {fill, stroke} = getComputedStyle(part);
        return [fill, stroke].some((colour) => /^rgb\(0, (0, [1-9]|[12], \d)\)$/.test(colour));
    }).length";
    assert_eq!(browser.evaluate(uncoloured), 0);
    let cut = "[...document.querySelectorAll('svg text, .figure *, .entry')].filter((part) => {
        const [inner, outer] = [part, part.closest('svg, .figure, section')].map((it) => it.getBoundingClientRect());
        return inner.left < outer.left - 1 || inner.right > outer.right + 1;
    }).length";
    assert_eq!(browser.evaluate(cut), 0, "{width}");
    let mut brightness = |selector: &str, property: &str| {
        let colour = format!("getComputedStyle(document.querySelector('{selector}')).{property}");
        let sum = browser.evaluate(&format!("{colour}.match(/\\d+/g).reduce((sum, part) => sum + Number(part), 0)"));
        sum.as_u64().expect("a number")
    };
    (brightness("svg text", "fill"), brightness("body", "backgroundColor"))
}

#[test]
#[ignore = "needs chromium"]
fn three_sizes_of_window_in_light_and_dark() {
    let (_, html) = network("network-sizes.html");
    for (width, height) in WINDOWS {
        let mut browser = Browser::open(&html, width, height);
        let (text, back) = look(&mut browser, width);
        assert!(text + 300 < back, "{text} on {back}");
        browser.darken();
        let (text, back) = look(&mut browser, width);
        assert!(back + 300 < text, "{text} on {back}");
        browser.assert_silent();
    }
}

#[test]
#[ignore = "needs chromium"]
fn it_needs_no_network() {
    let (_, html) = network("network-alone.html");
    let mut browser = Browser::open(&html, 1024, 768);
    let elsewhere = "[...document.querySelectorAll('[src], [href], script, iframe')]
        .filter((part) => !part.getAttribute('href')?.startsWith('data:')).length";
    assert_eq!(browser.evaluate(elsewhere), 0);
    browser.assert_silent();
}
