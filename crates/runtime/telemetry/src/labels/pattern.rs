//! Path patterns as Go's `ServeMux` has them, which is what users write in `pathMatching`.
//!
//! `/orders/{id}` matches one segment, `/files/{rest...}` and `/files/` match everything below, `{$}` at the end only
//! the path with its slash. Of several patterns that match, the more specific one counts.

use outrigger_wire_names::routes;

use super::legacy::normalize;

/// Patterns, the more specific ones first.
#[derive(Debug)]
pub(super) struct Patterns(Vec<Pattern>);

#[derive(Debug)]
struct Pattern {
    text: String,
    parts: Vec<Part>,
}

/// The order is how specific they are.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Literal(String),
    /// The end after a slash.
    End,
    /// One segment, not empty.
    Any,
    /// Everything that follows.
    Rest,
}

impl Patterns {
    /// Patterns from `texts`; `None` where there are none.
    pub(super) fn new(texts: &[String]) -> Option<Self> {
        if texts.is_empty() {
            return None;
        }
        let mut all = Vec::with_capacity(texts.len() * 2);
        for text in texts {
            let text = normalize(text).into_owned();
            // What an app serves is called through invocations as well.
            if !text.starts_with(routes::INVOKE_PREFIX) {
                all.push(Pattern::parse(format!("{}{text}", routes::INVOKE_PATTERN)));
            }
            all.push(Pattern::parse(text));
        }
        all.sort_by(|a, b| a.parts.cmp(&b.parts));
        Some(Self(all))
    }

    /// The pattern that `path` counts under.
    pub(super) fn find(&self, path: &str) -> Option<&str> {
        let found = self.0.iter().find(|pattern| pattern.matches(path));
        found.map(|pattern| pattern.text.as_str())
    }
}

impl Pattern {
    fn parse(text: String) -> Self {
        let mut parts: Vec<Part> = text[1..].split('/').map(Part::parse).collect();
        // A slash at the end stands for everything below it.
        if let Some(last) = parts.last_mut()
            && *last == Part::Literal(String::new())
        {
            *last = Part::Rest;
        }
        Self { text, parts }
    }

    fn matches(&self, path: &str) -> bool {
        let mut segments = path[1..].split('/');
        for part in &self.parts {
            let segment = segments.next();
            match (part, segment) {
                (Part::Rest, Some(_)) => return true,
                (Part::Literal(literal), Some(segment)) if literal == segment => {}
                (Part::Any, Some(segment)) if !segment.is_empty() => {}
                (Part::End, Some("")) => {}
                _ => return false,
            }
        }
        segments.next().is_none()
    }
}

impl Part {
    fn parse(segment: &str) -> Self {
        match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some("$") => Self::End,
            Some(name) if name.ends_with("...") => Self::Rest,
            Some(_) => Self::Any,
            None => Self::Literal(segment.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_specific_pattern_counts() {
        let texts = [
            "/orders/{id}",
            "/orders/1234",
            "/orders",
            "/files/",
            "/a/{x}/c",
            "/end/{$}",
        ];
        let patterns = Patterns::new(&texts.map(str::to_owned)).unwrap();
        for (path, expected) in [
            ("/orders/1", Some("/orders/{id}")),
            ("/orders/1234", Some("/orders/1234")),
            ("/orders", Some("/orders")),
            ("/orders/", None),
            ("/orders/1/x", None),
            ("/files/a/b", Some("/files/")),
            ("/a/b/c", Some("/a/{x}/c")),
            ("/end/", Some("/end/{$}")),
            ("/end/x", None),
            (
                "/v1.0/invoke/app/method/orders/7",
                Some("/v1.0/invoke/{app_id}/method/orders/{id}"),
            ),
        ] {
            assert_eq!(patterns.find(path), expected, "{path}");
        }
    }

    #[test]
    fn the_root_matches_everything_only_where_it_is_written() {
        let patterns = Patterns::new(&["/".to_owned(), "/x".to_owned()]).unwrap();
        assert_eq!(
            (patterns.find("/y"), patterns.find("/x")),
            (Some("/"), Some("/x"))
        );
    }
}
