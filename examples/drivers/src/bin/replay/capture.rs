//! A capture for Wireshark, in the format pcapng, and the dissector that goes with it
//!
//! Everything that happened is a packet of the link type `USER0`. Its time is the time since the link was made. It
//! begins with a header, whose numbers are big-endian:
//!
//! ```text
//! version 1 = 1 ‖ side 1 ‖ kind 1 ‖ known 1 ‖ lengths of layer, name and detail 2 + 2 + 2
//! ‖ code 8 ‖ bytes on the wire 8 ‖ bytes of the payload 8 ‖ layer ‖ name ‖ detail
//! ```
//!
//! Side and kind are those of `happening.rs`, by their positions. The bits of `known` say which of code (1), bytes on
//! the wire (2) and bytes of the payload (4) are known. The payload follows the header, if secrets are wanted. Where
//! it is missing or cut, the length of the packet tells the whole.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::time::Duration;

use devp2p_drivers::new_file::new_file;
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption};
use pcap_file::{DataLink, PcapError};

use crate::happening::{Happening, Kind, Layer, Side, View};
use crate::names::Names;
use crate::rerun::Rerun;

const DISSECTOR: &str = include_str!("devp2p.lua");
const VERSION: u8 = 1;
/// Wireshark reads no larger packet of this link type
const MAX_PACKET: usize = 262_144;
/// Times in nanoseconds
const RESOLUTION: u8 = 9;
/// More than the longest text, a Hello with every capability, needs
const MAX_TEXT: usize = 8192;

pub struct Capture {
    writer: PcapNgWriter<BufWriter<File>>,
    layers: Vec<String>,
    secrets: bool,
    outcome: io::Result<()>,
}

impl Capture {
    /// Creates the capture, and the dissector beside it
    pub fn create(path: &str, dissector: &str, names: &Names, secrets: bool) -> io::Result<Self> {
        let mut writer = PcapNgWriter::new(new_file(path)?).map_err(into_io)?;
        let options =
            vec![InterfaceDescriptionOption::IfName("link".into()), InterfaceDescriptionOption::IfTsResol(RESOLUTION)];
        let interface = InterfaceDescriptionBlock { linktype: DataLink::USER0, snaplen: 0, options };
        writer.write_pcapng_block(interface).map_err(into_io)?;
        let layers = Layer::NAMES.into_iter().map(str::to_string).chain(names.capabilities()).collect();
        write_dissector(dissector)?;
        Ok(Self { writer, layers, secrets, outcome: Ok(()) })
    }

    fn write(&mut self, happening: &Happening<'_>) -> io::Result<()> {
        let mut data = self.header(happening);
        let header = data.len();
        let payload = happening.payload.unwrap_or_default();
        if self.secrets {
            data.extend_from_slice(&payload[..payload.len().min(MAX_PACKET - header)]);
        }
        let packet = EnhancedPacketBlock {
            interface_id: 0,
            timestamp: happening.at,
            original_len: u32::try_from(header + payload.len()).unwrap_or(u32::MAX),
            data: data.into(),
            options: direction(happening.side).map(EnhancedPacketOption::Flags).into_iter().collect(),
        };
        self.writer.write_pcapng_block(packet).map(drop).map_err(into_io)
    }

    fn header(&self, happening: &Happening<'_>) -> Vec<u8> {
        let Happening { side, kind, layer, code, wire, size, .. } = *happening;
        let layer = self.layers.get(layer.index()).map_or("", String::as_str);
        let texts =
            [layer, &happening.name, &happening.detail].map(|text| &text.as_bytes()[..text.len().min(MAX_TEXT)]);
        let numbers = [code, wire, size];
        let known = numbers.iter().rev().fold(0, |known, number| known << 1 | u8::from(number.is_some()));
        let mut header = vec![VERSION, side as u8, kind as u8, known];
        texts.iter().for_each(|text| header.extend_from_slice(&(text.len() as u16).to_be_bytes()));
        numbers.iter().for_each(|number| header.extend_from_slice(&number.unwrap_or_default().to_be_bytes()));
        texts.iter().for_each(|text| header.extend_from_slice(text));
        header
    }
}

impl View for Capture {
    fn show(&mut self, _: usize, happening: &Happening<'_>) {
        if self.outcome.is_ok() {
            self.outcome = self.write(happening);
        }
    }

    /// A packet has one time: that of its happening
    fn complete(&mut self, _: usize, _: Duration) {}

    fn finish(mut self: Box<Self>, _: &Rerun<'_>) -> io::Result<()> {
        self.outcome?;
        self.writer.get_mut().flush()
    }
}

/// Writes the dissector, with the names of the kinds, whose only list is in `happening.rs`
fn write_dissector(path: &str) -> io::Result<()> {
    let kinds: Vec<_> = Kind::NAMES.iter().enumerate().map(|(kind, name)| format!("[{kind}] = \"{name}\"")).collect();
    let mut file = new_file(path)?;
    file.write_all(DISSECTOR.replace("{{kinds}}", &kinds.join(", ")).as_bytes())?;
    file.flush()
}

/// The flags of a packet that came in or went out; what happens here has no direction
const fn direction(side: Side) -> Option<u32> {
    match side {
        Side::Received => Some(1),
        Side::Sent => Some(2),
        Side::Here => None,
    }
}

fn into_io(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        error => io::Error::other(error),
    }
}
