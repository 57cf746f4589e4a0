//! A page for a browser: one file that holds all it needs, and nothing of the real time
//!
//! Charts are drawn in colours that stand for something, and the style sheet of the template gives each of them a
//! colour for light and for dark.

mod charts;
mod tables;
pub mod tree;

use std::fs::File;
use std::io::{self, BufWriter, Write};

use devp2p_drivers::new_file::new_file;
use devp2p_drivers::template;

use crate::outcome::Outcome;
use tree::Tree;

const TEMPLATE: &str = include_str!("page.html");

pub struct Page(BufWriter<File>);

impl Page {
    pub fn create(path: &str) -> io::Result<Self> {
        new_file(path).map(Self)
    }

    pub fn write(mut self, outcome: &Outcome) -> io::Result<()> {
        self.0.write_all(text(outcome)?.as_bytes())?;
        self.0.flush()
    }
}

/// The whole page
pub fn text(outcome: &Outcome) -> io::Result<String> {
    let mut page = String::new();
    for (text, name) in template::pieces(TEMPLATE) {
        page += text;
        if let Some(name) = name {
            page += &part(name, outcome)?;
        }
    }
    Ok(page)
}

/// What comes into the template at this name
fn part(name: &str, outcome: &Outcome) -> io::Result<String> {
    let drawn = |picture: Result<String, charts::Error>| picture.map_err(|error| io::Error::other(error.to_string()));
    Ok(match name {
        "command" => tables::command(outcome),
        "figures" => tables::figures(outcome),
        "curve-legend" => tables::curve_legend(outcome),
        "curve" => drawn(charts::curve(outcome))?,
        "tree-legend" => tables::tree_legend(outcome),
        "tree" => drawn(charts::tree(&Tree::of(outcome)))?,
        "sent" => drawn(charts::sent(outcome))?,
        "percentiles" => tables::percentiles(outcome),
        "groups" => tables::groups(outcome),
        "traffic" => tables::traffic(outcome),
        "endings" => tables::endings(outcome),
        other => unreachable!("the template names {other}"),
    })
}

/// Text as it stands in HTML
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
