//! The command line

pub const USAGE: &str = "\
usage: loopback [OPTIONS]

  --count N      number of bulk messages (default 50000)
  --size BYTES   size of each bulk message, 8 to 16777215 (default 1024)
  --trace        show every piece that is sent and every message that is received
  --corrupt      flip one bit of the bulk messages on the wire, to show how the link ends";

#[derive(Debug)]
pub struct Options {
    pub count: u64,
    pub size: usize,
    pub trace: bool,
    pub corrupt: bool,
}

impl Options {
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { count: 50_000, size: 1024, trace: false, corrupt: false };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--count" => options.count = number(&argument, arguments.next())?,
                "--size" => options.size = number(&argument, arguments.next())?,
                "--trace" => options.trace = true,
                "--corrupt" => options.corrupt = true,
                other => return Err(format!("unknown argument {other:?}")),
            }
        }
        if !(8..=devp2p_proto::MAX_MESSAGE).contains(&options.size) {
            return Err(format!("--size must be 8 to {}", devp2p_proto::MAX_MESSAGE));
        }
        Ok(options)
    }
}

fn number<T: std::str::FromStr>(option: &str, value: Option<String>) -> Result<T, String> {
    let value = value.ok_or_else(|| format!("{option} takes a number"))?;
    value.parse().map_err(|_| format!("{option} takes a number, not {value:?}"))
}
