//! A tree of JSON as flat names. Leaves are kept as they are written, so that long numbers stay exact.

use std::collections::{BTreeMap, btree_map::Entry};

use outrigger_base_std::Secret;
use outrigger_block_secret::Secrets;
use serde_json::value::RawValue;

/// How deep the file may nest; each level costs a look at everything below it.
const DEPTH_MAX: usize = 64;

/// Entries of an object in their order.
type Object<'a> = BTreeMap<String, &'a RawValue>;

/// The secrets of a file, or why it has none. No reason shows a part of the file.
pub(super) fn parse(
    text: &[u8],
    separator: &str,
    multi_valued: bool,
) -> Result<BTreeMap<String, Secrets>, String> {
    let top: Object<'_> = serde_json::from_slice(text).map_err(|error| not_an_object(&error))?;
    let mut secrets = BTreeMap::new();
    for (name, value) in top {
        let container = matches!(value.get().as_bytes().first(), Some(b'{' | b'['));
        let mut leaves = Leaves::new(separator);
        if multi_valued && container {
            leaves.descend("", value, 1)?;
            secrets.insert(name, leaves.found);
            continue;
        }
        leaves.visit(name, value, 1)?;
        for (name, secret) in leaves.found {
            insert_once(&mut secrets, name.clone(), || Secrets::from([(name, secret)]));
        }
    }
    Ok(secrets)
}

/// The reader's own text could quote the file; place and kind are enough to find the fault.
fn not_an_object(error: &serde_json::Error) -> String {
    let kind = if error.is_data() {
        "not one JSON object"
    } else {
        "not valid JSON"
    };
    format!("{kind} (line {}, column {})", error.line(), error.column())
}

/// Leaves by the paths to them.
struct Leaves<'s> {
    separator: &'s str,
    found: Secrets,
}

impl<'s> Leaves<'s> {
    fn new(separator: &'s str) -> Self {
        Self {
            separator,
            found: Secrets::new(),
        }
    }

    fn visit(&mut self, path: String, value: &RawValue, depth: usize) -> Result<(), String> {
        let json = value.get();
        match json.as_bytes().first() {
            Some(b'{' | b'[') => self.descend(&path, value, depth),
            Some(b'"') => {
                let text: String = serde_json::from_str(json).map_err(|error| not_an_object(&error))?;
                self.leaf(path, text);
                Ok(())
            }
            _ => {
                self.leaf(path, json.to_owned());
                Ok(())
            }
        }
    }

    /// Visits what is inside an object or a list.
    fn descend(&mut self, path: &str, value: &RawValue, depth: usize) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err(format!("nested deeper than {DEPTH_MAX} levels"));
        }
        let json = value.get();
        if json.starts_with('[') {
            let items: Vec<&RawValue> = serde_json::from_str(json).map_err(|error| not_an_object(&error))?;
            for (number, item) in items.into_iter().enumerate() {
                self.visit(self.join(path, &number.to_string(), depth), item, depth + 1)?;
            }
            return Ok(());
        }
        let entries: Object<'_> = serde_json::from_str(json).map_err(|error| not_an_object(&error))?;
        for (name, item) in entries {
            self.visit(self.join(path, &name, depth), item, depth + 1)?;
        }
        Ok(())
    }

    /// The path of what is inside `path`; at the top of a secret of several keys there is no path yet.
    fn join(&self, path: &str, name: &str, depth: usize) -> String {
        if depth == 1 && path.is_empty() {
            return name.to_owned();
        }
        format!("{path}{}{name}", self.separator)
    }

    fn leaf(&mut self, path: String, text: String) {
        insert_once(&mut self.found, path, || Secret::from(text));
    }
}

/// Two places of a file can have one name (`{"a:b": …, "a": {"b": …}}`). The first in the order of the tree counts, and
/// the log says so.
fn insert_once<V>(map: &mut BTreeMap<String, V>, name: String, value: impl FnOnce() -> V) {
    match map.entry(name) {
        Entry::Vacant(place) => drop(place.insert(value())),
        Entry::Occupied(place) => {
            tracing::warn!(
                name = place.key(),
                "the secrets file has this name twice; the later one is left out"
            );
        }
    }
}
