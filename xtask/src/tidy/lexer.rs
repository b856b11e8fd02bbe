//! Rust source as tokens: just enough to tell code, strings and comments apart, with lines.
//!
//! A search over plain text would find names in comments and miss where a string ends. This lexer knows nested
//! comments, raw strings, raw identifiers and lifetimes; numbers and operators it only steps over.

/// One token, with the line it begins on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// What it is.
    pub(crate) kind: Kind,
    /// An identifier's name, a string's content without quotes, a comment with its slashes, or one character.
    pub(crate) text: &'a str,
    /// From 1.
    pub(crate) line: usize,
}

/// The kinds that a rule tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or keyword, without `r#`.
    Ident,
    /// A string of any form; the text is as written, escapes untouched.
    Str,
    /// A character, a lifetime or a number.
    Other,
    /// A comment, documentation included.
    Comment,
    /// One character of punctuation.
    Punct,
}

/// All tokens of `text`, in order.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut cursor = Cursor { text, at: 0, line: 1 };
    let mut tokens = Vec::new();
    while let Some(token) = cursor.next_token() {
        tokens.push(token);
    }
    tokens
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Takes the next `length` bytes, which end at a character boundary, and counts their lines.
    fn take(&mut self, length: usize) -> &'a str {
        let taken = &self.rest()[..length];
        self.at += length;
        self.line += taken.matches('\n').count();
        taken
    }

    fn next_token(&mut self) -> Option<Token<'a>> {
        let blank = self.rest().len() - self.rest().trim_start().len();
        self.take(blank);
        let line = self.line;
        let first = self.rest().chars().next()?;
        let (kind, text) = match first {
            '/' if self.rest().starts_with("//") => (Kind::Comment, self.line_comment()),
            '/' if self.rest().starts_with("/*") => (Kind::Comment, self.block_comment()),
            '"' => (Kind::Str, self.string()),
            '\'' => (Kind::Other, self.quote()),
            _ if is_word(first) => self.word(first),
            _ => (Kind::Punct, self.take(first.len_utf8())),
        };
        Some(Token { kind, text, line })
    }

    fn line_comment(&mut self) -> &'a str {
        let length = self.rest().find('\n').unwrap_or_else(|| self.rest().len());
        self.take(length)
    }

    fn block_comment(&mut self) -> &'a str {
        let rest = self.rest();
        let (mut depth, mut at) = (0_usize, 0_usize);
        while at < rest.len() {
            if rest[at..].starts_with("/*") {
                depth += 1;
                at += 2;
            } else if rest[at..].starts_with("*/") {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    break;
                }
            } else {
                at += rest[at..].chars().next().map_or(1, char::len_utf8);
            }
        }
        self.take(at)
    }

    /// A string with escapes; the cursor stands on its first quote. Gives the content.
    fn string(&mut self) -> &'a str {
        self.take(1);
        let mut escaped = false;
        let end = self.rest().find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        let content = self.take(end.unwrap_or_else(|| self.rest().len()));
        self.take(usize::from(!self.rest().is_empty()));
        content
    }

    /// A raw string, when one with `prefix` bytes before its hashes begins here. Gives the content.
    fn raw_string(&mut self, prefix: usize) -> Option<&'a str> {
        let body = &self.rest()[prefix..];
        let hashes = body.len() - body.trim_start_matches('#').len();
        body[hashes..].starts_with('"').then_some(())?;
        let close = format!("\"{}", "#".repeat(hashes));
        self.take(prefix + hashes + 1);
        let end = self.rest().find(&close).unwrap_or_else(|| self.rest().len());
        let content = self.take(end);
        self.take(close.len().min(self.rest().len()));
        Some(content)
    }

    /// A character or a lifetime; the cursor stands on the quote.
    fn quote(&mut self) -> &'a str {
        let mut chars = self.rest().char_indices().skip(1);
        let length = match (chars.next(), chars.next()) {
            (Some((_, '\\')), Some((escaped, c))) => {
                let after = escaped + c.len_utf8();
                self.rest()[after..]
                    .find('\'')
                    .map_or_else(|| self.rest().len(), |end| after + end + 1)
            }
            (Some(_), Some((close, '\''))) => close + 1,
            // A lifetime: the name after the quote is left for the next token.
            _ => 1,
        };
        self.take(length)
    }

    fn word_length(&self) -> usize {
        self.rest()
            .find(|c| !is_word(c))
            .unwrap_or_else(|| self.rest().len())
    }

    fn word(&mut self, first: char) -> (Kind, &'a str) {
        let length = self.word_length();
        let word = &self.rest()[..length];
        match word {
            "r" | "br" | "cr" => {
                if let Some(content) = self.raw_string(length) {
                    return (Kind::Str, content);
                }
            }
            "b" | "c" if self.rest()[length..].starts_with('"') => {
                self.take(length);
                return (Kind::Str, self.string());
            }
            _ => {}
        }
        if word == "r" && self.rest()[length..].starts_with('#') {
            self.take(2);
            let length = self.word_length();
            return (Kind::Ident, self.take(length));
        }
        let kind = if first.is_ascii_digit() {
            Kind::Other
        } else {
            Kind::Ident
        };
        (kind, self.take(length))
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Vec<(Kind, &str)> {
        tokens(text)
            .into_iter()
            .map(|token| (token.kind, token.text))
            .collect()
    }

    #[test]
    fn strings_of_every_form_give_their_content() {
        for text in [
            r#""a b""#,
            r#"b"a b""#,
            r#"c"a b""#,
            "r\"a b\"",
            "br##\"a b\"##",
            "r#\"a b\"#",
        ] {
            assert_eq!(seen(text), [(Kind::Str, "a b")], "{text}");
        }
        assert_eq!(seen(r#""a\"b" c"#), [(Kind::Str, r#"a\"b"#), (Kind::Ident, "c")]);
        assert_eq!(seen(r#""a\\" c"#), [(Kind::Str, r"a\\"), (Kind::Ident, "c")]);
    }

    #[test]
    fn comments_hide_strings_and_strings_hide_comments() {
        assert_eq!(
            seen("// \"x\"\n/* a /* \"b\" */ c */ \"//d\""),
            [
                (Kind::Comment, "// \"x\""),
                (Kind::Comment, "/* a /* \"b\" */ c */"),
                (Kind::Str, "//d")
            ]
        );
    }

    #[test]
    fn a_quote_character_opens_no_string() {
        assert_eq!(seen("'\"' x"), [(Kind::Other, "'\"'"), (Kind::Ident, "x")]);
        assert_eq!(seen(r"'\'' x"), [(Kind::Other, r"'\''"), (Kind::Ident, "x")]);
        assert_eq!(
            seen(r"'\u{1f600}' x"),
            [(Kind::Other, r"'\u{1f600}'"), (Kind::Ident, "x")]
        );
        assert_eq!(
            seen("&'a str"),
            [
                (Kind::Punct, "&"),
                (Kind::Other, "'"),
                (Kind::Ident, "a"),
                (Kind::Ident, "str")
            ]
        );
    }

    #[test]
    fn raw_identifiers_lose_their_mark() {
        assert_eq!(
            seen("mod r#gen;"),
            [(Kind::Ident, "mod"), (Kind::Ident, "gen"), (Kind::Punct, ";")]
        );
    }

    #[test]
    fn lines_count_through_strings_and_comments() {
        let lines: Vec<usize> = tokens("a\n\"x\ny\" b\n/*\n*/ c")
            .iter()
            .map(|token| token.line)
            .collect();
        assert_eq!(lines, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn unfinished_text_ends_the_tokens() {
        for text in ["\"abc", "r#\"abc", "/* abc", "'\\", "'", "r#", "\"é", "b\"\\"] {
            assert!(!tokens(text).is_empty(), "{text}");
        }
    }
}
