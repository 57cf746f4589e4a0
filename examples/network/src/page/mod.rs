//! A page for a browser: one file that holds all that it needs, and nothing that depends on the real time
//!
//! Charts are drawn in numbered colours. The style sheet of the template gives each number a colour for light and a
//! colour for dark.

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

/// The part of the page that takes the place of this name in the template
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

/// Text, escaped for HTML
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
