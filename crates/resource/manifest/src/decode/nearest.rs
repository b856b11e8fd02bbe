//! Which known name a misspelt one was meant to be.

/// The name of `known` that is nearest to `found`, if it is near enough to be meant.
pub(super) fn nearest(found: &str, known: &[&'static str]) -> Option<&'static str> {
    let found = found.to_ascii_lowercase();
    known
        .iter()
        .map(|name| (distance(&found, &name.to_ascii_lowercase()), *name))
        .filter(|(distance, name)| *distance <= (name.len().max(found.len()) / 3).clamp(1, 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Edits that turn `a` into `b`: insertions, deletions, replacements and swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    /// Longer texts are no misspelling of a field name; the bound keeps the table small on any input.
    const LONGEST: usize = 64;
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len() > LONGEST || b.len() > LONGEST {
        return usize::MAX;
    }
    let width = b.len() + 1;
    let mut table = vec![0; (a.len() + 1) * width];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i * width + j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replace = table[(i - 1) * width + j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let shift = table[(i - 1) * width + j].min(table[i * width + j - 1]) + 1;
                let swap = if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    table[(i - 2) * width + j - 2] + 1
                } else {
                    usize::MAX
                };
                replace.min(shift).min(swap)
            };
        }
    }
    table[a.len() * width + b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn misspellings_find_their_name() {
        let known = ["metadata", "version", "type", "ignoreErrors", "initTimeout"];
        let cases = [
            ("metdata", Some("metadata")),
            ("Metadata", Some("metadata")),
            ("verison", Some("version")),
            ("ignoreError", Some("ignoreErrors")),
            ("init_timeout", Some("initTimeout")),
            ("typ", Some("type")),
            ("scopes", None),
            ("x", None),
            ("", None),
        ];
        for (found, name) in cases {
            assert_eq!(nearest(found, &known), name, "{found}");
        }
    }
}
