//! SQL `LIKE` patterns, matched without regular expressions.

/// A pattern: `%` is any text, `_` one character, a backslash makes the next character ordinary, and at the very end
/// stands for itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Token>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// Exactly this character.
    Char(char),
    /// Any one character.
    One,
    /// Any text, the empty one too.
    Any,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        let mut tokens = Vec::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let token = match c {
                '%' => Token::Any,
                '_' => Token::One,
                '\\' => Token::Char(chars.next().unwrap_or('\\')),
                c => Token::Char(c),
            };
            // Two `%` in a row say no more than one.
            if token != Token::Any || tokens.last() != Some(&Token::Any) {
                tokens.push(token);
            }
        }
        Self(tokens)
    }

    /// Whether the whole of `text` matches. Time is at most the product of both lengths: only the last `%` is retried.
    pub(super) fn matches(&self, text: &str) -> bool {
        let (mut rest, mut at) = (text.chars(), 0);
        // Where to go on when a later token fails: one character more for the last `%`.
        let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            let mut ahead = rest.clone();
            let step = match (self.0.get(at), ahead.next()) {
                (None, None) => return true,
                (Some(Token::Any), _) => {
                    retry = Some((at + 1, rest.clone()));
                    at += 1;
                    continue;
                }
                (Some(Token::One), Some(_)) => true,
                (Some(Token::Char(expected)), Some(c)) => *expected == c,
                (Some(_), None) | (None, Some(_)) => false,
            };
            if step {
                rest = ahead;
                at += 1;
                continue;
            }
            let Some((after, from)) = &mut retry else {
                return false;
            };
            if from.next().is_none() {
                return false;
            }
            (at, rest) = (*after, from.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).matches(text)
    }

    #[test]
    fn matches_as_sql_does() {
        for (pattern, text, expected) in [
            ("%", "", true),
            ("_", "", false),
            ("_", "é", true),
            ("a%b%c", "axxbyyc", true),
            ("a%b%c", "axxbyy", false),
            ("%aab", "aaaab", true),
            ("a.c", "abc", false),
            (r"a\%c", "a%c", true),
            (r"a\%c", "abc", false),
            (r"a\\c", r"a\c", true),
            ("a\\", "a\\", true),
            ("abc", "abcd", false),
            ("_%_", "a", false),
            ("_%_", "ab", true),
            ("a%", "a\nb", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern:?} and {text:?}");
        }
    }

    #[test]
    fn many_wildcards_end_in_time() {
        let (pattern, text) = ("%a".repeat(500) + "b", "a".repeat(5_000));
        assert!(!matches(&pattern, &text));
    }

    /// The definition, tried out character by character.
    fn naive(pattern: &[Token], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([Token::Any, rest @ ..], _) => (0..=text.len()).any(|at| naive(rest, &text[at..])),
            ([Token::One, rest @ ..], [_, tail @ ..]) => naive(rest, tail),
            ([Token::Char(c), rest @ ..], [head, tail @ ..]) => c == head && naive(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab%_\\\\]{0,8}", text in "[ab%_\\\\]{0,8}") {
            let chars: Vec<char> = text.chars().collect();
            let pattern = Pattern::new(&pattern);
            prop_assert_eq!(pattern.matches(&text), naive(&pattern.0, &chars));
        }
    }
}
