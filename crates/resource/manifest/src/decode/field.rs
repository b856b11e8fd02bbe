//! Readers of single fields. They never stop: what cannot be used is noted with its place and read as its default, so
//! that one pass finds everything that is wrong.

mod read;

use std::{borrow::Cow, cell::RefCell};

use super::nearest::nearest;
use crate::{
    Origin,
    problem::{FieldError, Issue, Warning},
    yaml::{Dialect, Entry, Node, NodeKind, Position, Scalar},
};
pub(crate) use read::{DURATION, plain_text};

/// Longest piece of a value that a message repeats, in characters.
const MAX_SHOWN_CHARS: usize = 40;

/// Collects what is found wrong in one document.
#[derive(Debug)]
pub struct Decoder {
    origin: Origin,
    dialect: Dialect,
    errors: RefCell<Vec<FieldError>>,
    warnings: RefCell<Vec<Warning>>,
}

impl Decoder {
    /// A collector for the document that `origin` names, whose values mean what `dialect` says.
    pub fn new(origin: Origin, dialect: Dialect) -> Self {
        Self {
            origin,
            dialect,
            errors: RefCell::default(),
            warnings: RefCell::default(),
        }
    }

    /// Notes keys that stand twice in one mapping.
    pub fn repeated(&self, keys: &[(String, Position)]) {
        for (key, position) in keys {
            self.warn(*position, key.clone(), Issue::Repeated);
        }
    }

    /// What was found: errors, which make the document unusable, and warnings.
    pub fn finish(self) -> (Vec<FieldError>, Vec<Warning>) {
        (self.errors.into_inner(), self.warnings.into_inner())
    }

    fn warn(&self, position: Position, path: String, issue: Issue) {
        self.warnings.borrow_mut().push(Warning {
            origin: self.origin.clone(),
            position,
            path,
            issue,
        });
    }
}

/// A field that may be there. A null counts as not there.
#[derive(Debug, Clone)]
pub struct Field<'d> {
    decoder: &'d Decoder,
    node: Option<&'d Node>,
    /// Where the field, or what it is missing from, stands.
    position: Position,
    path: String,
}

/// The entries of a mapping, by their known names.
#[derive(Debug)]
pub struct Object<'d> {
    decoder: &'d Decoder,
    entries: Vec<(&'static str, &'d Node)>,
    position: Position,
    path: String,
}

impl<'d> Object<'d> {
    /// The entry `name`, which must be one of the known names.
    pub fn get(&self, name: &'static str) -> Field<'d> {
        let node = self
            .entries
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, node)| *node);
        Field::new(self.decoder, node, self.position, join(&self.path, name))
    }
}

impl<'d> Field<'d> {
    /// The whole document.
    pub fn root(decoder: &'d Decoder, node: &'d Node) -> Self {
        Self::new(decoder, Some(node), node.position, String::new())
    }

    fn new(decoder: &'d Decoder, node: Option<&'d Node>, position: Position, path: String) -> Self {
        let node = node.filter(|node| !node.is_null());
        Self {
            decoder,
            node,
            position: node.map_or(position, |node| node.position),
            path,
        }
    }

    /// Whether the field is there.
    pub fn is_present(&self) -> bool {
        self.node.is_some()
    }

    /// What is there, where something is.
    pub fn node(&self) -> Option<&'d Node> {
        self.node
    }

    /// The document.
    pub fn origin(&self) -> Origin {
        self.decoder.origin.clone()
    }

    /// Notes that the field is not what `expected` says; the document is unusable.
    pub fn fail(&self, expected: impl Into<Cow<'static, str>>) {
        self.decoder.errors.borrow_mut().push(FieldError {
            origin: self.decoder.origin.clone(),
            position: self.position,
            path: self.path.clone(),
            found: self.found(),
            expected: expected.into(),
        });
    }

    /// Notes something that does not make the document unusable.
    pub fn warn(&self, issue: Issue) {
        self.decoder.warn(self.position, self.path.clone(), issue);
    }

    /// Notes that the value is not understood and has no effect.
    pub fn ignore(&self, expected: impl Into<Cow<'static, str>>) {
        self.warn(Issue::Ignored {
            found: self.found(),
            expected: expected.into(),
        });
    }

    /// Notes that the value is not what it should be, though the document is used as if it were.
    pub fn use_anyway(&self, expected: impl Into<Cow<'static, str>>) {
        self.warn(Issue::UsedAnyway {
            found: self.found(),
            expected: expected.into(),
        });
    }

    /// Notes that the field is needed but not there.
    pub fn missing(&self, expected: &'static str) {
        self.warn(Issue::Missing {
            expected: expected.into(),
        });
    }

    /// What is there, for a message.
    fn found(&self) -> String {
        match self.node.map(|node| &node.kind) {
            None => "nothing".to_owned(),
            Some(NodeKind::Sequence(items)) if items.is_empty() => "an empty list".to_owned(),
            Some(NodeKind::Sequence(_)) => "a list".to_owned(),
            Some(NodeKind::Mapping(_)) => "a mapping".to_owned(),
            Some(NodeKind::Scalar { text, value }) => {
                let shown: String = text.chars().take(MAX_SHOWN_CHARS).collect();
                let rest = if shown.len() < text.len() { "…" } else { "" };
                match value {
                    Scalar::Text => format!("the text {:?}", format!("{shown}{rest}")),
                    _ => format!("{shown}{rest}"),
                }
            }
        }
    }

    /// The entries of a mapping. Those that are not in `known` are noted.
    pub fn object(&self, known: &[&'static str]) -> Object<'d> {
        let mut object = Object {
            decoder: self.decoder,
            entries: Vec::new(),
            position: self.position,
            path: self.path.clone(),
        };
        for entry in self.mapping().unwrap_or_default() {
            let note = |issue| {
                let path = join(&self.path, &entry.key);
                self.decoder.warn(entry.position, path, issue);
            };
            let Some(name) = self.known_name(&entry.key, known) else {
                note(Issue::UnknownField {
                    nearest: nearest(&entry.key, known),
                });
                continue;
            };
            // Two spellings of one name: the later has effect.
            let before = object.entries.len();
            object.entries.retain(|(other, _)| *other != name);
            if object.entries.len() < before {
                note(Issue::Repeated);
            }
            object.entries.push((name, &entry.value));
        }
        object
    }

    /// The known name that a key stands for. Resources match without regard to case, as Go's JSON decoder does.
    fn known_name(&self, key: &str, known: &[&'static str]) -> Option<&'static str> {
        let exact = known.iter().find(|name| **name == key);
        let found = match self.decoder.dialect {
            Dialect::Plain => exact,
            Dialect::Kubernetes => exact.or_else(|| known.iter().find(|name| name.eq_ignore_ascii_case(key))),
        };
        found.copied()
    }

    fn mapping(&self) -> Option<&'d [Entry]> {
        let entries = self.node?.entries();
        if entries.is_none() {
            self.fail("a mapping");
        }
        entries
    }

    /// The entries of a mapping whose keys are free.
    pub fn map(&self) -> Vec<(String, Self)> {
        self.mapping()
            .unwrap_or_default()
            .iter()
            .map(|entry| {
                let path = join(&self.path, &entry.key);
                let field = Self::new(self.decoder, Some(&entry.value), entry.position, path);
                (entry.key.clone(), field)
            })
            .collect()
    }

    /// The items of a list.
    pub fn list(&self) -> Vec<Self> {
        match self.node.map(|node| &node.kind) {
            None => Vec::new(),
            Some(NodeKind::Sequence(items)) => items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    let path = format!("{}[{index}]", self.path);
                    Self::new(self.decoder, Some(item), item.position, path)
                })
                .collect(),
            Some(_) => {
                self.fail("a list");
                Vec::new()
            }
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
