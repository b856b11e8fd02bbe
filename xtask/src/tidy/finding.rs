//! What a rule says: where, what, why, and what to do.

use std::fmt;

/// A rule's fixed words.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rule {
    /// Why the rule stands, as one sentence without a full stop.
    pub(crate) why: &'static str,
    /// What to do about a finding.
    pub(crate) cure: &'static str,
}

/// One breach of a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The file, from the root of the repository.
    pub(crate) path: String,
    /// The line, from 1.
    pub(crate) line: usize,
    /// What was found.
    pub(crate) what: String,
    /// The rule that was broken.
    pub(crate) rule: &'static Rule,
}

impl Finding {
    /// A finding at a line of a file.
    pub(crate) fn new(path: &str, line: usize, rule: &'static Rule, what: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            what: what.into(),
            rule,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}:{}: {}", self.path, self.line, self.what)?;
        writeln!(out, "    why: {}", self.rule.why)?;
        write!(out, "    do:  {}", self.rule.cure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_where_what_why_and_what_to_do() {
        static RULE: Rule = Rule {
            why: "files are read",
            cure: "split it",
        };
        let finding = Finding::new("a/b.rs", 7, &RULE, "a long file");
        assert_eq!(
            finding.to_string(),
            "a/b.rs:7: a long file\n    why: files are read\n    do:  split it"
        );
    }
}
