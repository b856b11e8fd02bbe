//! The process environment, as an argument; and the replacement of variables in configuration files.

/// Where environment variables are looked up.
pub trait Env: Send + Sync {
    /// The value of `name`; `None` if it is not set or not text.
    fn var(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnv;

impl Env for ProcessEnv {
    fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// Any function from a name to a value is an environment.
impl<F: Fn(&str) -> Option<String> + Send + Sync> Env for F {
    fn var(&self, name: &str) -> Option<String> {
        self(name)
    }
}

/// Replaces `$NAME` and `${NAME}` in `text`; a variable that is not set is empty.
///
/// The corner cases are those of Go's `os.ExpandEnv`: a `$` before anything that is no name stays; the shell's special
/// names (`*`, `#`, `$`, `@`, `!`, `?`, `-` and single digits) are names; `${` without its end, and `${}`, vanish.
pub fn expand(text: &str, env: &dyn Env) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        let (name, width) = shell_name(tail);
        match (name, width) {
            ("", 0) => out.push('$'),
            ("", _) => {}
            (name, _) => out.push_str(&env.var(name).unwrap_or_default()),
        }
        rest = &tail[width..];
    }
    out.push_str(rest);
    out
}

/// The variable name at the start of `tail` and the bytes it takes there, braces included.
fn shell_name(tail: &str) -> (&str, usize) {
    let bytes = tail.as_bytes();
    match bytes.first() {
        None => ("", 0),
        Some(b'{') => match bytes {
            [_, special, b'}', ..] if is_special(*special) => (&tail[1..2], 3),
            _ => match tail.find('}') {
                // `${}` is no name: both braces vanish.
                Some(1) => ("", 2),
                Some(end) => (&tail[1..end], end + 1),
                // Without its end only the brace vanishes.
                None => ("", 1),
            },
        },
        Some(special) if is_special(*special) => (&tail[..1], 1),
        Some(_) => {
            let end = tail
                .find(|c: char| !(c == '_' || c.is_ascii_alphanumeric()))
                .unwrap_or(tail.len());
            (&tail[..end], end)
        }
    }
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'*' | b'#' | b'$' | b'@' | b'!' | b'?' | b'-' | b'0'..=b'9')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::expand;

    fn env(name: &str) -> Option<String> {
        match name {
            "HOME" => Some("/home/me".to_owned()),
            "A" => Some("1".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn variables_are_replaced_as_go_replaces_them() {
        let cases = [
            ("$HOME/x", "/home/me/x"),
            ("${A}b $A-b", "1b 1-b"),
            ("[$UNSET]", "[]"),
            ("cost: 5$ and $ ", "cost: 5$ and $ "),
            ("$$A", "A"),
            ("$1A", "A"),
            ("${*}x", "x"),
            ("a${}b", "ab"),
            ("a${A", "aA"),
            ("$A$A", "11"),
            ("$Äx", "$Äx"),
            ("no variable", "no variable"),
        ];
        for (text, expanded) in cases {
            assert_eq!(expand(text, &env), expanded, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_text_without_a_dollar_is_kept(text in "(?s).{0,60}") {
            let expanded = expand(&text, &env);
            if !text.contains('$') {
                prop_assert_eq!(expanded, text);
            }
        }
    }
}
