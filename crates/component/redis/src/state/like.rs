//! SQL `LIKE` patterns: `%` any text, `_` one character, a backslash takes the next one literally.

/// A part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Any text.
    Any,
    /// One character, whatever it is.
    One,
    /// This character.
    Just(char),
}

/// A pattern taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Like(Vec<Part>);

impl Like {
    /// Reads a pattern; a backslash at its end stands for itself.
    pub(super) fn new(pattern: &str) -> Self {
        let mut parts = Vec::with_capacity(pattern.len());
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            parts.push(match character {
                '%' => Part::Any,
                '_' => Part::One,
                '\\' => Part::Just(characters.next().unwrap_or('\\')),
                other => Part::Just(other),
            });
        }
        Self(parts)
    }

    /// A pattern for the server that finds all that match, and perhaps more: its `?` is one byte, not one character.
    pub(super) fn glob(&self) -> String {
        let mut glob = String::with_capacity(self.0.len() + 8);
        for part in &self.0 {
            match part {
                Part::Any => glob.push('*'),
                Part::One => glob.push_str("?*"),
                Part::Just(special @ ('*' | '?' | '[' | ']' | '\\' | '^' | '-')) => {
                    glob.push('\\');
                    glob.push(*special);
                }
                Part::Just(other) => glob.push(*other),
            }
        }
        glob
    }

    /// Whether what the server finds must be looked at again.
    pub(super) fn is_coarse(&self) -> bool {
        self.0.contains(&Part::One)
    }

    /// Whether a text matches. Linear but for the last `%` passed, to which it goes back.
    pub(super) fn matches(&self, text: &str) -> bool {
        let mut rest = text.chars();
        let mut at = 0;
        let mut back: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            let here = rest.clone();
            match (self.0.get(at), rest.next()) {
                (Some(Part::Any), _) => {
                    rest = here;
                    at += 1;
                    back = Some((at, rest.clone()));
                }
                (Some(Part::One), Some(_)) => at += 1,
                (Some(Part::Just(wanted)), Some(found)) if *wanted == found => at += 1,
                (None, None) => return true,
                _ => {
                    let Some((after, from)) = &mut back else {
                        return false;
                    };
                    if from.next().is_none() {
                        return false;
                    }
                    at = *after;
                    rest = from.clone();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, without regard to time.
    fn naive(parts: &[Part], text: &[char]) -> bool {
        match (parts.split_first(), text.split_first()) {
            (None, rest) => rest.is_none(),
            (Some((Part::Any, parts)), rest) => {
                naive(parts, text)
                    || rest.is_some_and(|(_, text)| naive(&[&[Part::Any], parts].concat(), text))
            }
            (Some((Part::One, parts)), Some((_, text))) => naive(parts, text),
            (Some((Part::Just(wanted), parts)), Some((found, text))) => wanted == found && naive(parts, text),
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn matching_is_as_defined(pattern in r"[ab%_\\é]{0,8}", text in r"[abé%\\]{0,8}") {
            let like = Like::new(&pattern);
            let text_chars: Vec<char> = text.chars().collect();
            prop_assert_eq!(like.matches(&text), naive(&like.0, &text_chars));
        }

        #[test]
        fn a_text_matches_itself_when_escaped(text in r"[ab%_\\*?\[\]^-]{0,12}") {
            let escaped: String = text.chars().flat_map(|c| ['\\', c]).collect();
            prop_assert!(Like::new(&escaped).matches(&text));
        }
    }

    #[test]
    fn globs_escape_what_the_server_would_read() {
        assert_eq!(Like::new("a%b_c").glob(), "a*b?*c");
        assert_eq!(Like::new(r"100\%").glob(), "100%");
        assert_eq!(Like::new(r"a*[x]?\\").glob(), r"a\*\[x\]\?\\");
        assert!(!Like::new("a%").is_coarse() && Like::new("a_").is_coarse());
    }
}
