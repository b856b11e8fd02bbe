//! Patterns of methods: `orders/{id}/lines`, `files/{*path}`.

/// A pattern, split at its slashes.
#[derive(Debug)]
pub(super) struct Pattern(Vec<Part>);

#[derive(Debug)]
enum Part {
    Literal(String),
    /// One segment.
    Capture(String),
    /// One or more segments, at the end.
    Tail(String),
}

impl Pattern {
    /// Reads a pattern; a slash in front or at the end makes no difference.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("{text:?} is no pattern for a method: {why}");
        let segments: Vec<&str> = text.trim_matches('/').split('/').collect();
        let mut parts = Vec::with_capacity(segments.len());
        for (index, segment) in segments.iter().enumerate() {
            let inner = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            let part = match inner {
                Some(name) => match name.strip_prefix('*') {
                    Some(_) if index + 1 < segments.len() => {
                        return Err(wrong("a capture of many segments must be the last one"));
                    }
                    Some(name) => Part::Tail(name.to_owned()),
                    None => Part::Capture(name.to_owned()),
                },
                None => Part::Literal((*segment).to_owned()),
            };
            let name = match &part {
                Part::Literal(text) if text.contains(['{', '}']) => {
                    return Err(wrong("a capture is a whole segment, such as {id}"));
                }
                Part::Literal(_) => None,
                Part::Capture(name) | Part::Tail(name) => Some(name),
            };
            if name.is_some_and(String::is_empty) {
                return Err(wrong("a capture has no name"));
            }
            parts.push(part);
        }
        Ok(Self(parts))
    }

    /// The whole text, when there is no capture in it.
    pub(super) fn literal(&self) -> Option<String> {
        let all: Option<Vec<&str>> = self
            .0
            .iter()
            .map(|part| match part {
                Part::Literal(text) => Some(text.as_str()),
                Part::Capture(_) | Part::Tail(_) => None,
            })
            .collect();
        Some(all?.join("/"))
    }

    /// Whether the other pattern takes the same paths, whatever its captures are called.
    pub(super) fn same_paths(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().zip(&other.0).all(|pair| match pair {
                (Part::Literal(one), Part::Literal(other)) => one == other,
                (Part::Capture(_), Part::Capture(_)) | (Part::Tail(_), Part::Tail(_)) => true,
                _ => false,
            })
    }

    /// The order in which patterns are tried: at the first difference a literal comes before a capture, and a capture
    /// before a tail.
    pub(super) fn rank(&self) -> Vec<u8> {
        let rank = |part: &Part| match part {
            Part::Literal(_) => 0,
            Part::Capture(_) => 1,
            Part::Tail(_) => 2,
        };
        self.0.iter().map(rank).collect()
    }

    /// The captures, when decoded segments match.
    pub(super) fn captures(&self, segments: &[String]) -> Option<Vec<(String, String)>> {
        let mut captures = Vec::new();
        for (index, part) in self.0.iter().enumerate() {
            let segment = segments.get(index)?;
            match part {
                Part::Literal(text) if text == segment => {}
                Part::Literal(_) => return None,
                Part::Capture(_) if segment.is_empty() => return None,
                Part::Capture(name) => captures.push((name.clone(), segment.clone())),
                Part::Tail(name) => {
                    captures.push((name.clone(), segments[index..].join("/")));
                    return Some(captures);
                }
            }
        }
        (segments.len() == self.0.len()).then_some(captures)
    }
}
