//! Builds the node tree of one document from the parser's events.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde_saphyr::granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use super::{
    Dialect, Document, Entry, MAX_DEPTH, MAX_NODES, Node, NodeKind, Position, Scalar, TEXT_UNIT, YamlError,
    scalar, split::Part,
};

/// Reads the document in `part`; `None` if there is nothing in it.
pub(super) fn document(
    part: Part<'_>,
    number: usize,
    dialect: Dialect,
) -> Result<Option<Document>, YamlError> {
    let mut builder = Builder::new(part.first_line, dialect);
    let fail = |at: Position, problem: String| YamlError {
        document: number,
        position: at,
        problem,
    };
    let mut documents = 0;
    let mut last = builder.at_line(part.first_line);
    for event in Parser::new_from_str(part.text) {
        let (event, span) = event
            .map_err(|error| builder.scan_error(&error))
            .map_err(|e| fail(e.0, e.1))?;
        last = builder.position(&span.start);
        if matches!(event, Event::DocumentStart(..)) {
            documents += 1;
            if documents > 1 {
                return Err(fail(
                    last,
                    "a second document begins without a \"---\" line".to_owned(),
                ));
            }
        }
        builder
            .event(event, last)
            .map_err(|problem| fail(last, problem))?;
    }
    let root = match builder.root.take() {
        None => return Ok(None),
        Some(root) if root.is_null() => return Ok(None),
        Some(root) => root,
    };
    within_limits(&root).map_err(|problem| fail(last, problem))?;
    Ok(Some(Document {
        number,
        root,
        repeated_keys: builder.repeated_keys,
    }))
}

/// What is being read.
struct Builder {
    dialect: Dialect,
    /// Added to the parser's lines to get lines of the file.
    line_offset: usize,
    /// Collections that are open, outermost first.
    open: Vec<Frame>,
    /// Complete nodes that aliases may name.
    anchors: HashMap<usize, Arc<Node>>,
    /// Nodes made or copied so far, aliases not followed, and the texts of copied keys: what the tree costs us in memory
    /// beyond the file's own size.
    spent: usize,
    repeated_keys: Vec<(String, Position)>,
    root: Option<Arc<Node>>,
}

/// A collection that is open.
struct Frame {
    position: Position,
    anchor: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Arc<Node>>),
    Mapping(OpenMapping),
}

#[derive(Default)]
struct OpenMapping {
    entries: Vec<Entry>,
    /// Where each key is in `entries`.
    index: HashMap<String, usize>,
    /// A key whose value has not come yet; `None` in it is the merge key.
    key: Option<(Option<String>, Position)>,
    /// Mappings to merge, in the order in which they win.
    merges: Vec<Arc<Node>>,
}

impl Builder {
    fn new(first_line: usize, dialect: Dialect) -> Self {
        Self {
            dialect,
            line_offset: first_line - 1,
            open: Vec::new(),
            anchors: HashMap::new(),
            spent: 0,
            repeated_keys: Vec::new(),
            root: None,
        }
    }

    fn at_line(&self, line: usize) -> Position {
        Position { line, column: 1 }
    }

    fn position(&self, marker: &Marker) -> Position {
        Position {
            line: marker.line() + self.line_offset,
            column: marker.col() + 1,
        }
    }

    fn scan_error(&self, error: &ScanError) -> (Position, String) {
        (self.position(error.marker()), error.info())
    }

    /// Takes one event; the error is what is wrong at its position.
    fn event(&mut self, event: Event<'_>, at: Position) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = self.scalar(&text, style, tag.as_deref())?;
                let is_merge = style == ScalarStyle::Plain && text == "<<";
                let kind = NodeKind::Scalar {
                    text: text.into_owned(),
                    value,
                };
                self.complete(Node::new(at, kind), anchor, is_merge)
            }
            Event::SequenceStart(_, anchor, _) => self.push(at, anchor, Content::Sequence(Vec::new())),
            Event::MappingStart(_, anchor, _) => {
                self.push(at, anchor, Content::Mapping(OpenMapping::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => {
                let target = self
                    .anchors
                    .get(&anchor)
                    .map(Arc::clone)
                    .ok_or("an alias stands within the value it names")?;
                self.attach(target, false)
            }
            // Stream and document marks, comments, and metadata that we did not ask for.
            _ => Ok(()),
        }
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Scalar, String> {
        let Some(tag) = tag else {
            return Ok(match style {
                ScalarStyle::Plain => scalar::resolve(text, self.dialect),
                _ => Scalar::Text,
            });
        };
        let value = scalar::resolve(text, self.dialect);
        match (tag.core_suffix(), value) {
            (Some("int"), Scalar::Int(_)) | (Some("float"), Scalar::Float(_)) => Ok(value),
            (Some("bool"), Scalar::Bool(_)) | (Some("null"), Scalar::Null) => Ok(value),
            (Some("float"), Scalar::Int(whole)) => Ok(Scalar::Float(whole as f64)),
            (Some(kind @ ("int" | "float" | "bool" | "null")), _) => {
                Err(format!("the value is not a !!{kind}"))
            }
            _ if tag.is_yaml_core_schema_tag("binary") || tag.suffix() == "binary" => {
                Err("the tag !!binary is not supported: write the base64 text without it".to_owned())
            }
            _ => Ok(Scalar::Text),
        }
    }

    fn push(&mut self, position: Position, anchor: usize, content: Content) -> Result<(), String> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep());
        }
        if self.open.last().is_some_and(Frame::wants_key) {
            return Err(complex_key());
        }
        self.open.push(Frame {
            position,
            anchor,
            content,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(frame) = self.open.pop() else {
            return Ok(());
        };
        let kind = match frame.content {
            Content::Sequence(items) => NodeKind::Sequence(items),
            Content::Mapping(mapping) => NodeKind::Mapping(self.merged(mapping)?),
        };
        self.complete(Node::new(frame.position, kind), frame.anchor, false)
    }

    /// The entries of a mapping with what its merge keys bring; its own entries win, then earlier merges.
    fn merged(&mut self, mapping: OpenMapping) -> Result<Vec<Entry>, String> {
        let mut entries = mapping.entries;
        let mut seen: HashSet<String> = mapping.index.into_keys().collect();
        for source in mapping.merges {
            for entry in source.entries().unwrap_or_default() {
                if !seen.contains(&entry.key) {
                    self.spend(1 + entry.key.len() / TEXT_UNIT)?;
                    seen.insert(entry.key.clone());
                    entries.push(entry.clone());
                }
            }
        }
        Ok(entries)
    }

    fn spend(&mut self, nodes: usize) -> Result<(), String> {
        self.spent += nodes;
        if self.spent > MAX_NODES {
            return Err(too_large());
        }
        Ok(())
    }

    fn complete(&mut self, node: Node, anchor: usize, is_merge: bool) -> Result<(), String> {
        self.spend(1)?;
        let node = Arc::new(node);
        within_limits(&node)?;
        if anchor != 0 {
            self.anchors.insert(anchor, Arc::clone(&node));
        }
        self.attach(node, is_merge)
    }

    /// Puts a complete node where it belongs.
    fn attach(&mut self, node: Arc<Node>, is_merge: bool) -> Result<(), String> {
        let dialect = self.dialect;
        match self.open.last_mut().map(|frame| &mut frame.content) {
            None => self.root = Some(node),
            Some(Content::Sequence(items)) => items.push(node),
            Some(Content::Mapping(mapping)) => match mapping.key.take() {
                None if is_merge => mapping.key = Some((None, node.position)),
                None => mapping.key = Some((Some(key_text(&node, dialect)?), node.position)),
                Some((None, _)) => mapping.merge(node)?,
                Some((Some(key), position)) => {
                    if let Some(repeated) = mapping.insert(key, position, node) {
                        self.repeated_keys.push(repeated);
                    }
                }
            },
        }
        Ok(())
    }
}

impl Frame {
    /// Whether the next node is a key.
    fn wants_key(&self) -> bool {
        matches!(&self.content, Content::Mapping(mapping) if mapping.key.is_none())
    }
}

impl OpenMapping {
    fn merge(&mut self, node: Arc<Node>) -> Result<(), String> {
        let wrong = || "a merge key (<<) takes a mapping or a list of mappings".to_owned();
        match &node.kind {
            NodeKind::Mapping(_) => self.merges.push(node),
            NodeKind::Sequence(items) => {
                if items.iter().any(|item| item.entries().is_none()) {
                    return Err(wrong());
                }
                self.merges.extend(items.iter().map(Arc::clone));
            }
            NodeKind::Scalar { .. } => return Err(wrong()),
        }
        Ok(())
    }

    /// Sets an entry; gives the key back if it was there already.
    fn insert(&mut self, key: String, position: Position, value: Arc<Node>) -> Option<(String, Position)> {
        let entry = Entry {
            key: key.clone(),
            position,
            value,
        };
        match self.index.get(&key) {
            Some(&at) => {
                self.entries[at] = entry;
                Some((key, position))
            }
            None => {
                self.index.insert(key, self.entries.len());
                self.entries.push(entry);
                None
            }
        }
    }
}

/// The text of a key.
fn key_text(node: &Node, dialect: Dialect) -> Result<String, String> {
    let NodeKind::Scalar { text, value } = &node.kind else {
        return Err(complex_key());
    };
    match (dialect, value) {
        (Dialect::Kubernetes, Scalar::Null) => Err("a key is null".to_owned()),
        (Dialect::Kubernetes, value) => Ok(scalar::as_text(*value).unwrap_or_else(|| text.clone())),
        (Dialect::Plain, _) => Ok(text.clone()),
    }
}

fn complex_key() -> String {
    "a key is a list or a mapping; only single values can be keys".to_owned()
}

fn within_limits(node: &Node) -> Result<(), String> {
    if node.size > MAX_NODES {
        return Err(too_large());
    }
    if node.depth > MAX_DEPTH {
        return Err(too_deep());
    }
    Ok(())
}

fn too_large() -> String {
    format!(
        "the document has more than {MAX_NODES} values (aliases counted where they are used, and long texts as one for \
         every {TEXT_UNIT} bytes)"
    )
}

fn too_deep() -> String {
    format!("the document is nested more than {MAX_DEPTH} deep")
}
