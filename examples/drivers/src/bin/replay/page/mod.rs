//! A page for a browser: one file that holds all it needs
//!
//! What the page shows is in it as JSON, whose every `<` is escaped: no text of a peer or of a recording can end the
//! element that the JSON is in. The script of the page makes text nodes of it, and nothing else.

mod summary;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::time::Duration;

use devp2p_drivers::new_file::new_file;
use devp2p_drivers::template;

use crate::happening::{Happening, Kind, Layer, Side, View};
use crate::rerun::Rerun;

/// How many happenings a page shows: of more, a browser makes heavy work, and the page says how many it leaves out
const MOST_ROWS: usize = 250_000;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

pub struct Page {
    file: BufWriter<File>,
    rows: Vec<Row>,
    omitted: usize,
}

/// A happening without its payload
struct Row {
    at: Duration,
    side: Side,
    kind: Kind,
    layer: Layer,
    name: Cow<'static, str>,
    code: Option<u64>,
    wire: Option<u64>,
    size: Option<u64>,
    detail: Box<str>,
    completed: Option<Duration>,
}

impl Page {
    pub fn create(path: &str) -> io::Result<Self> {
        Ok(Self { file: new_file(path)?, rows: Vec::new(), omitted: 0 })
    }
}

impl View for Page {
    fn show(&mut self, _: usize, happening: &Happening<'_>) {
        if self.rows.len() == MOST_ROWS {
            self.omitted += 1;
            return;
        }
        let Happening { at, side, kind, layer, code, wire, size, .. } = *happening;
        let (name, detail) = (happening.name.clone(), happening.detail.as_str().into());
        self.rows.push(Row { at, side, kind, layer, name, code, wire, size, detail, completed: None });
    }

    fn complete(&mut self, number: usize, at: Duration) {
        if let Some(row) = self.rows.get_mut(number) {
            row.completed = Some(at);
        }
    }

    fn finish(mut self: Box<Self>, rerun: &Rerun<'_>) -> io::Result<()> {
        // A message is shown when it is handed out, and may have come before other things.
        self.rows.sort_by_key(|row| row.at);
        for (text, name) in template::pieces(TEMPLATE) {
            self.file.write_all(text.as_bytes())?;
            match name {
                Some("style") => self.file.write_all(STYLE.as_bytes())?,
                Some("script") => self.file.write_all(SCRIPT.as_bytes())?,
                Some("summary") => serde_json::to_writer(Escaped(&mut self.file), &summary::of(rerun, self.omitted))?,
                Some("rows") => self.write_rows()?,
                _ => {}
            }
        }
        self.file.flush()
    }
}

impl Page {
    /// An array for each row, in the order that the script takes apart
    fn write_rows(&mut self) -> io::Result<()> {
        let mut separator: &[u8] = b"[";
        for Row { at, side, kind, layer, name, code, wire, size, detail, completed } in &self.rows {
            self.file.write_all(separator)?;
            separator = b",\n";
            let (at, completed) = (nanos(*at), completed.map(nanos));
            let row = (at, *side as u8, *kind as u8, layer.index(), name, code, wire, size, completed, detail);
            serde_json::to_writer(Escaped(&mut self.file), &row)?;
        }
        self.file.write_all(if self.rows.is_empty() { b"[]" } else { b"]" })
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A writer of JSON that can stand in an element `script`: in JSON, a `<` occurs only in strings
struct Escaped<W>(W);

impl<W: Write> Write for Escaped<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for (index, part) in bytes.split(|byte| *byte == b'<').enumerate() {
            if index > 0 {
                self.0.write_all(b"\\u003c")?;
            }
            self.0.write_all(part)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
