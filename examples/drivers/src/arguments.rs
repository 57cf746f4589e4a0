//! Command lines: options with a value, flags, and one line that says what is wrong

use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use devp2p_proto::Timeouts;

/// The arguments, one after the other
pub struct Arguments(std::iter::Skip<std::env::Args>);

impl Arguments {
    pub fn of_process() -> Self {
        Self(std::env::args().skip(1))
    }

    /// The value that follows `option`
    pub fn value(&mut self, option: &str) -> Result<String, String> {
        self.0.next().ok_or_else(|| format!("{option} takes a value"))
    }

    /// The value that follows `option`, parsed
    pub fn parse<T: FromStr<Err: Display>>(&mut self, option: &str) -> Result<T, String> {
        let value = self.value(option)?;
        value.parse().map_err(|error| format!("{option} {value}: {error}"))
    }

    /// The same for a number that is not zero
    pub fn positive<T: FromStr<Err: Display> + Default + PartialEq>(&mut self, option: &str) -> Result<T, String> {
        let value = self.parse(option)?;
        if value == T::default() { Err(format!("{option} 0: must be at least 1")) } else { Ok(value) }
    }

    /// The value that follows `option`, as a time in seconds
    pub fn seconds(&mut self, option: &str) -> Result<Duration, String> {
        let text = self.value(option)?;
        let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let positive = seconds.filter(|time| !time.is_zero());
        positive.ok_or_else(|| format!("{option} {text}: not a positive number of seconds"))
    }

    /// The parts of the value that follows `option`, separated by commas
    pub fn each<T>(&mut self, option: &str, mut parse: impl FnMut(&str) -> Option<T>) -> Result<Vec<T>, String> {
        let list = self.value(option)?;
        list.split(',').map(|text| parse(text).ok_or_else(|| format!("{option}: cannot read {text:?}"))).collect()
    }

    /// `NAME=MILLIS,…`: the timeouts to change
    pub fn timeouts(&mut self, option: &str, timeouts: &mut Timeouts) -> Result<(), String> {
        self.each(option, |text| timeout(timeouts, text)).map(drop)
    }
}

impl Iterator for Arguments {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.0.next()
    }
}

fn timeout(timeouts: &mut Timeouts, text: &str) -> Option<()> {
    let (name, millis) = text.split_once('=')?;
    let timeout = match name {
        "handshake" => &mut timeouts.handshake,
        "ping" => &mut timeouts.ping,
        "pong" => &mut timeouts.pong,
        "read" => &mut timeouts.read,
        "write" => &mut timeouts.write,
        "linger" => &mut timeouts.linger,
        _ => return None,
    };
    *timeout = Duration::from_millis(millis.parse().ok()?);
    Some(())
}

pub fn asks_for_help() -> bool {
    std::env::args().skip(1).any(|argument| argument == "--help" || argument == "-h")
}

/// The file that `--record` names, if there is none yet and the secrets that it will hold are agreed to
pub fn consented(record: Option<String>, secrets: bool) -> Result<Option<String>, String> {
    match record {
        Some(_) if !secrets => {
            Err("--record: the file will hold this node's secret key, the keys of the link and all \
             messages; add --yes-secrets to agree"
                .to_string())
        }
        // Said early, though a file that comes to be meanwhile is not written over either.
        Some(path) if Path::new(&path).exists() => Err(format!("--record {path}: File exists")),
        record => Ok(record),
    }
}

/// Bytes as `0x` and hexadecimal digits, or without the `0x`
pub fn hex<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if let Some((index, digit)) = digits.chars().enumerate().find(|(_, digit)| !digit.is_ascii_hexdigit()) {
        return Err(format!("character {} is {digit:?}, not a hexadecimal digit", index + 1));
    }
    if digits.len() != 2 * N {
        return Err(format!("{} hexadecimal digits instead of {}", digits.len(), 2 * N));
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default() as u8;
        *byte = digit(pair[0]) << 4 | digit(pair[1]);
    }
    Ok(bytes)
}
