//! The command line

use std::path::Path;

use devp2p_drivers::arguments::Arguments;

pub struct Options {
    /// The recording
    pub journal: String,
    pub trace: bool,
    /// The file for the page
    pub html: Option<String>,
    /// The file for the capture
    pub pcapng: Option<String>,
    /// Whether the capture may hold the payloads of messages
    pub secrets: bool,
}

impl Options {
    pub fn parse(mut arguments: Arguments) -> Result<Self, String> {
        let (mut journal, mut html, mut pcapng) = (None, None, None);
        let (mut trace, mut secrets) = (false, false);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--trace" => trace = true,
                "--yes-secrets" => secrets = true,
                "--html" => once(&mut html, &argument, &mut arguments)?,
                "--pcapng" => once(&mut pcapng, &argument, &mut arguments)?,
                option if option.starts_with('-') => return Err(format!("unknown option {option}")),
                _ if journal.is_none() => journal = Some(argument),
                other => return Err(format!("unexpected argument {other}: give one file only")),
            }
        }
        let journal = journal.ok_or("the journal file is missing")?;
        Self { journal, trace, html, pcapng, secrets }.checked()
    }

    fn checked(self) -> Result<Self, String> {
        if self.secrets && self.pcapng.is_none() {
            return Err("--yes-secrets is for --pcapng only: nothing else has the payloads of messages".to_string());
        }
        for (option, path) in [("--html", &self.html), ("--pcapng", &self.pcapng)] {
            if let Some(path) = path.as_ref().filter(|path| Path::new(path).exists()) {
                return Err(format!("{option} {path}: File exists"));
            }
        }
        if let Some(path) = &self.pcapng {
            let dissector = Self::dissector(path);
            if Path::new(&dissector).exists() {
                return Err(format!("--pcapng {path}: its dissector {dissector}: File exists"));
            }
            if [Some(path), self.html.as_ref()].contains(&Some(&dissector)) {
                return Err(format!("--pcapng {path}: its dissector needs the name {dissector}"));
            }
        }
        if self.html.is_some() && self.html == self.pcapng {
            return Err("--html and --pcapng name the same file".to_string());
        }
        Ok(self)
    }

    /// The file for the dissector of a capture: beside it, with its name
    pub fn dissector(capture: &str) -> String {
        Path::new(capture).with_extension("lua").to_string_lossy().into_owned()
    }
}

/// Takes the value of an option that may be given once
fn once(value: &mut Option<String>, option: &str, arguments: &mut Arguments) -> Result<(), String> {
    match value.replace(arguments.value(option)?) {
        None => Ok(()),
        Some(_) => Err(format!("{option} is given twice")),
    }
}
