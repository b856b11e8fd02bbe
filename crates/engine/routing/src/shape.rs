//! How deep an expression's tree can get, found from its text before any of it is parsed.
//!
//! The parser and the interpreter recurse once for each operator of a chain (`a.b.c`, `1 + 1 + 1`) and for each bracket.
//! A bound on that sum keeps both far from the end of any stack. Chains of `&&` and `||` do not count, since the parser
//! balances them; nor do the elements of a list.

use std::iter::Peekable;

/// An upper bound on the depth of the tree of `source`.
pub(crate) fn depth(source: &str) -> usize {
    let mut scan = Scan {
        chars: source.chars().peekable(),
        levels: vec![0],
        deepest: 0,
    };
    while let Some(c) = scan.chars.next() {
        scan.take(c);
    }
    scan.deepest
}

struct Scan<I: Iterator<Item = char>> {
    chars: Peekable<I>,
    /// Operators since the last separator, for each bracket that is open; the first is for none.
    levels: Vec<usize>,
    deepest: usize,
}

impl<I: Iterator<Item = char>> Scan<I> {
    fn take(&mut self, c: char) {
        match c {
            '(' | '[' | '{' => {
                self.levels.push(0);
                self.count(1);
            }
            ')' | ']' | '}' => {
                // What was in the brackets is one operand of what follows.
                if self.levels.len() > 1 {
                    self.levels.pop();
                }
                self.count(1);
            }
            '&' | '|' | ',' => self.separator(),
            '"' | '\'' => self.text(c, false),
            '/' if self.chars.peek() == Some(&'/') => self.comment(),
            '+' | '-' | '*' | '/' | '%' | '<' | '>' | '=' | '!' | '.' | '?' | ':' => self.count(1),
            c if c == '_' || c.is_alphabetic() => self.word(c),
            _ => {}
        }
    }

    fn count(&mut self, operators: usize) {
        if let Some(level) = self.levels.last_mut() {
            *level += operators;
        }
        self.deepest = self.deepest.max(self.levels.iter().sum());
    }

    fn separator(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            *level = 0;
        }
    }

    /// A name, the operator `in`, or the prefix of a text.
    fn word(&mut self, first: char) {
        let mut word = String::from(first);
        while let Some(c) = self.chars.next_if(|c| *c == '_' || c.is_alphanumeric()) {
            word.push(c);
        }
        let is_prefix = word.len() <= 2 && word.chars().all(|c| "rRbB".contains(c));
        match self.chars.next_if(|c| is_prefix && matches!(c, '"' | '\'')) {
            Some(quote) => self.text(quote, word.contains(['r', 'R'])),
            None if word == "in" => self.count(1),
            None => {}
        }
    }

    /// The rest of a text whose first quote was taken.
    fn text(&mut self, quote: char, raw: bool) {
        let mut closing = 1;
        if self.chars.next_if_eq(&quote).is_some() {
            if self.chars.next_if_eq(&quote).is_none() {
                return;
            }
            closing = 3;
        }
        let mut run = 0;
        while let Some(c) = self.chars.next() {
            if c == quote {
                run += 1;
                if run == closing {
                    return;
                }
                continue;
            }
            run = 0;
            if c == '\\' && !raw {
                self.chars.next();
            }
        }
    }

    fn comment(&mut self) {
        while self.chars.next_if(|c| *c != '\n').is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::depth;

    #[test]
    fn the_depth_counts_chains_and_brackets_but_no_texts() {
        let cases = [
            ("a", 0),
            ("event.type == 'a.b.c'", 3),
            ("a.b.c.d", 3),
            ("a.b && c.d && e.f || g.h", 1),
            ("(a[b])", 2),
            ("((((a))))", 4),
            ("[1, 2, 3, 4, 5]", 1),
            ("1 + 1 + 1", 2),
            ("a in b in c", 2),
            ("!!!!a", 4),
            ("'((((' in \"[[[\\\"[\"", 1),
            (r"r'\' + '(((('", 1),
            ("'''it's ((((''' + \"\"\"\"((\"\"\"", 1),
            ("'' + '' + ((a))", 4),
            ("a // it's ((((\n + b", 1),
            ("f(g(h(x)))", 3),
            ("a.f(1).f(2)", 4),
            ("))((", 4),
            ("inner index", 0),
            ("a ? b : c ? d : e", 4),
        ];
        for (source, expected) in cases {
            assert_eq!(depth(source), expected, "{source}");
        }
    }
}
