//! The file: one enode URL a line

use devp2p_proto::Enode;

/// A node, and the number of its line
#[derive(Debug, Clone, Copy)]
pub struct Listed {
    pub line: usize,
    pub node: Enode,
}

pub struct List {
    pub nodes: Vec<Listed>,
    /// Numbers of lines that are no URLs, and what is wrong with them
    pub nonsense: Vec<(usize, String)>,
}

impl List {
    pub fn read(path: &str) -> Result<Self, String> {
        // A line that is not UTF-8 is reported like any other line that is no URL.
        let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
        Ok(Self::parse(&String::from_utf8_lossy(&bytes)))
    }

    fn parse(text: &str) -> Self {
        let (mut nodes, mut nonsense) = (Vec::new(), Vec::new());
        for (line, text) in (1..).zip(text.lines()) {
            match text.split('#').next().map(str::trim) {
                None | Some("") => {}
                Some(url) => match url.parse() {
                    Ok(node) => nodes.push(Listed { line, node }),
                    Err(error) => nonsense.push((line, error.to_string())),
                },
            }
        }
        Self { nodes, nonsense }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_and_comments_count_but_say_nothing() {
        let url = format!("enode://{}@127.0.0.1:1", "ab".repeat(64));
        let list = List::parse(&format!("# all\n\n{url}\r\n  {url}?discport=2  # the second\nenode://x\n\t\n{url}"));
        assert_eq!(list.nodes.iter().map(|listed| listed.line).collect::<Vec<_>>(), [3, 4, 7]);
        assert_eq!(list.nonsense.len(), 1);
        assert_eq!(list.nonsense[0].0, 5);
        assert!(list.nonsense[0].1.contains("128 hexadecimal digits"), "{:?}", list.nonsense);
    }
}
