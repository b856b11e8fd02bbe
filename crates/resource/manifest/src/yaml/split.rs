//! Splits a file into its documents before any of it is parsed.

/// A part of a file and the line it begins on, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part<'t> {
    pub(super) text: &'t str,
    pub(super) first_line: usize,
}

/// The parts of `text` between lines that are `---`, or begin with it and a blank.
///
/// Each such line begins the part it stands before, so that what follows the marker on its line is kept.
pub(super) fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = Some(Part {
        // A byte-order mark is no content.
        text: text.strip_prefix('\u{feff}').unwrap_or(text),
        first_line: 1,
    });
    std::iter::from_fn(move || {
        let Part { text, first_line } = rest.take()?;
        let (cut, lines) = next_marker(text).unwrap_or((text.len(), 0));
        if cut < text.len() {
            rest = Some(Part {
                text: &text[cut..],
                first_line: first_line + lines,
            });
        }
        Some(Part {
            text: &text[..cut],
            first_line,
        })
    })
    // A marker on the very first line makes no empty document before it.
    .skip_while(|part| part.text.is_empty())
}

/// The byte and the line, from 0, of the first marker that is not on the first line of `text` while that line is
/// itself a marker.
fn next_marker(text: &str) -> Option<(usize, usize)> {
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if number > 0 && is_marker(line) {
            return Some((at, number));
        }
        at += line.len();
    }
    None
}

/// Whether a line begins a document.
fn is_marker(line: &str) -> bool {
    line.strip_prefix("---")
        .is_some_and(|tail| tail.is_empty() || tail.starts_with([' ', '\t', '\r', '\n']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<(&str, usize)> {
        parts(text).map(|part| (part.text, part.first_line)).collect()
    }

    #[test]
    fn documents_end_at_marker_lines() {
        assert_eq!(split("a: 1\n---\nb: 2\n"), [("a: 1\n", 1), ("---\nb: 2\n", 2)]);
        assert_eq!(
            split("---\na: 1\n--- # second\nb: 2"),
            [("---\na: 1\n", 1), ("--- # second\nb: 2", 3)]
        );
        assert_eq!(
            split("a: 1\r\n---\r\nb: 2"),
            [("a: 1\r\n", 1), ("---\r\nb: 2", 2)]
        );
    }

    #[test]
    fn dashes_within_a_line_or_a_key_are_content() {
        assert_eq!(split("a: ---\n").len(), 1);
        assert_eq!(split("a: |\n  x\n  ---\n  y\n").len(), 1);
        assert_eq!(split("a: 1\n-----BEGIN\n").len(), 1);
    }

    #[test]
    fn nothing_is_no_document_and_a_byte_order_mark_is_no_content() {
        assert!(split("").is_empty());
        assert_eq!(split("\u{feff}---\na: 1"), [("---\na: 1", 1)]);
        assert_eq!(split("---"), [("---", 1)]);
    }
}
