//! A browser without a window, driven by the DevTools protocol

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use devp2p_program_tests::NEVER;
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// A phone, a small window and a large one
pub const WINDOWS: [(u32, u32); 3] = [(390, 844), (1024, 768), (1920, 1080)];

/// A page in a browser of its own, which ends when this is dropped
pub struct Browser {
    child: Child,
    profile: String,
    socket: WebSocket<TcpStream>,
    session: Option<String>,
    calls: u64,
    /// What the page has written to its console, and the errors that it has not caught
    pub console: Vec<Value>,
    loaded: bool,
}

impl Browser {
    /// Opens a file, in a window of this width and height
    pub fn open(html: &str, width: u32, height: u32) -> Self {
        let profile = format!("{html}.profile");
        let mut command = Command::new("chromium");
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0"]);
        command
            .arg(format!("--user-data-dir={profile}"))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let url = lines.find_map(|line| line.strip_prefix("DevTools listening on ").map(str::to_string));
        let url = url.expect("the address of the browser");
        // Its errors are read to their end, so that it does not wait for us.
        std::thread::spawn(move || lines.for_each(drop));
        let address = url.trim_start_matches("ws://").split('/').next().expect("an address");
        let stream = TcpStream::connect(address).expect("the browser listens");
        stream.set_read_timeout(Some(NEVER)).expect("a socket");
        let (socket, _) = tungstenite::client(&url, stream).expect("a WebSocket");
        let mut browser = Self { child, profile, socket, session: None, calls: 0, console: Vec::new(), loaded: false };
        browser.attach(width, height);
        browser.call("Page.navigate", json!({ "url": format!("file://{html}") }));
        while !browser.loaded {
            browser.read();
        }
        browser
    }

    fn attach(&mut self, width: u32, height: u32) {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = self.call("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        self.session = attached["sessionId"].as_str().map(str::to_string);
        for domain in ["Page", "Runtime", "Log"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700 });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// The value of an expression in the page, once it is known if it is a promise
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let outcome = self.call("Runtime.evaluate", parameters);
        assert!(outcome.get("exceptionDetails").is_none(), "{expression}: {outcome:#}");
        outcome["result"]["value"].clone()
    }

    /// The text of the first element that a selector finds
    pub fn text(&mut self, selector: &str) -> String {
        let text = self.evaluate(&format!("document.querySelector({selector:?}).textContent"));
        text.as_str().unwrap_or_else(|| panic!("no {selector}")).to_string()
    }

    /// How many elements a selector finds
    pub fn count(&mut self, selector: &str) -> u64 {
        self.evaluate(&format!("document.querySelectorAll({selector:?}).length")).as_u64().expect("a number")
    }

    /// Whether the page has written nothing to its console, and has had no error
    #[track_caller]
    pub fn assert_silent(&mut self) {
        // What came before this answer has been read with it.
        self.evaluate("0");
        assert!(self.console.is_empty(), "{:#?}", self.console);
    }

    /// Whether nothing is wider than the window, which has this width
    #[track_caller]
    pub fn assert_fits(&mut self, width: u32) {
        let wider = self.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!((wider, self.evaluate("innerWidth")), (0.into(), width.into()));
    }

    /// Shows the page to somebody who prefers light on dark
    pub fn darken(&mut self) {
        let dark = json!({ "name": "prefers-color-scheme", "value": "dark" });
        self.call("Emulation.setEmulatedMedia", json!({ "features": [dark] }));
    }

    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        let mut call = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            call["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(call.to_string())).expect("the browser reads");
        loop {
            let answer = self.read();
            if answer["id"] == id {
                assert!(answer.get("error").is_none(), "{method}: {answer:#}");
                return answer["result"].clone();
            }
        }
    }

    /// The next thing that the browser says
    fn read(&mut self) -> Value {
        let message = loop {
            match self.socket.read() {
                Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::Interrupted => {}
                message => break message.expect("the browser speaks"),
            }
        };
        let said: Value = serde_json::from_str(message.to_text().expect("text")).expect("JSON");
        match said["method"].as_str() {
            Some("Page.loadEventFired") => self.loaded = true,
            Some("Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded") => {
                self.console.push(said["params"].clone());
            }
            _ => {}
        }
        said
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}
