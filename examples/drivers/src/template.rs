//! Templates of pages: text with places for what the program knows

/// The pieces of a template: a text, and the name in `{{` and `}}` behind it
pub fn pieces(template: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    template.split_inclusive("}}").map(|piece| match piece.split_once("{{") {
        Some((text, name)) => (text, name.strip_suffix("}}")),
        None => (piece, None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_the_text_between_them() {
        let all: Vec<_> = pieces("a { b {}} c {{one}}{{two}} d").collect();
        assert_eq!(all, [("a { b {}}", None), (" c ", Some("one")), ("", Some("two")), (" d", None)]);
    }
}
