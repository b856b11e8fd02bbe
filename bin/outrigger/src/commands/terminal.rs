//! What the standard output is: a terminal or not, and what it can show.

use std::io::{self, IsTerminal};

use outrigger_resource_manifest::Env;

/// Set to anything, it asks for output without colours (<https://no-color.org>).
const NO_COLOR: &str = "NO_COLOR";
/// The kind of terminal, and the kind that only takes text.
const TERM: &str = "TERM";
const DUMB: &str = "dumb";

/// What can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terminal {
    /// Whether a line can be written over.
    pub(crate) moves: bool,
    /// Whether colours are shown, and wanted.
    pub(crate) colours: bool,
}

impl Terminal {
    /// Looks at the standard output of this process.
    pub(crate) fn of_output(env: &dyn Env) -> Self {
        Self::of(io::stdout().is_terminal(), env)
    }

    fn of(is_terminal: bool, env: &dyn Env) -> Self {
        let moves = is_terminal && env.var(TERM).is_none_or(|term| term != DUMB);
        let colours = moves && env.var(NO_COLOR).is_none_or(|value| value.is_empty());
        Self { moves, colours }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_whose_user_wants_them() {
        for (is_terminal, pairs, moves, colours) in [
            (true, &[][..], true, true),
            (true, &[("TERM", "xterm"), ("NO_COLOR", "")][..], true, true),
            (true, &[("NO_COLOR", "1")][..], true, false),
            (true, &[("TERM", "dumb")][..], false, false),
            (false, &[][..], false, false),
        ] {
            let env = |name: &str| {
                let found = pairs.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(
                Terminal::of(is_terminal, &env),
                Terminal { moves, colours },
                "{pairs:?}"
            );
        }
    }
}
