//! The form of one entry: a JSON object in a file named after the process.

use std::{collections::BTreeMap, net::SocketAddr};

use serde::{Deserialize, Serialize};

use super::process::{Namespaces, Process};
use crate::{Endpoint, Instance, Metadata, Name};

/// The end of the name of a file that holds an entry.
const ENTRY: &str = ".json";

/// The end of the name of a file that is being written.
const DRAFT: &str = ".tmp";

/// One entry. Fields may be added later: readers skip what they do not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
    pub(super) address: SocketAddr,
    pub(super) pid: u32,
    /// In clock ticks since the machine started, as in `/proc/<pid>/stat`.
    pub(super) process_start: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) started_unix_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pid_namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) net_namespace: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) metadata: BTreeMap<String, String>,
}

/// What a file's name says: whose it is, and whether it is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileName {
    pub(super) pid: u32,
    pub(super) start: u64,
    /// Tells the entries of one process apart.
    pub(super) number: u64,
    pub(super) draft: bool,
}

// === impl Record ===

impl Record {
    pub(super) fn new(instance: &Instance, process: Process, started_unix_ms: Option<u128>) -> Self {
        let pairs = instance.endpoint.metadata.iter();
        Self {
            id: instance.name.id().to_owned(),
            namespace: instance.name.namespace().map(str::to_owned),
            address: instance.endpoint.address,
            pid: process.pid,
            process_start: process.start,
            started_unix_ms: started_unix_ms.and_then(|ms| ms.try_into().ok()),
            pid_namespace: process.namespaces.pid,
            net_namespace: process.namespaces.net,
            metadata: pairs
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        }
    }

    pub(super) fn name(&self) -> Name {
        let name = Name::new(self.id.as_str());
        match &self.namespace {
            Some(namespace) => name.in_namespace(namespace.as_str()),
            None => name,
        }
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint::new(self.address).with_metadata(Metadata::from_iter(self.metadata.clone()))
    }

    pub(super) fn namespaces(&self) -> Namespaces {
        Namespaces {
            pid: self.pid_namespace.clone(),
            net: self.net_namespace.clone(),
        }
    }
}

// === impl FileName ===

impl FileName {
    /// The name as text. Drafts start with a dot, so that people who list the directory do not see them.
    pub(super) fn text(self) -> String {
        let Self {
            pid,
            start,
            number,
            draft,
        } = self;
        if draft {
            format!(".{pid}-{start}-{number}{DRAFT}")
        } else {
            format!("{pid}-{start}-{number}{ENTRY}")
        }
    }

    /// Reads a name; `None` when the file is none of ours.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (stem, draft) = match text.strip_prefix('.') {
            Some(rest) => (rest.strip_suffix(DRAFT)?, true),
            None => (text.strip_suffix(ENTRY)?, false),
        };
        let mut parts = stem.split('-');
        let name = Self {
            pid: parts.next()?.parse().ok()?,
            start: parts.next()?.parse().ok()?,
            number: parts.next()?.parse().ok()?,
            draft,
        };
        parts.next().is_none().then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_file_name_reads_back(pid: u32, start: u64, number: u64, draft: bool) {
            let name = FileName { pid, start, number, draft };
            prop_assert_eq!(FileName::parse(&name.text()), Some(name));
        }

        #[test]
        fn any_file_name_is_read_or_refused(text in "\\PC*") {
            let _ = FileName::parse(&text);
        }

        #[test]
        fn an_entry_reads_back(id in "\\PC{1,20}", namespace in proptest::option::of("\\PC{1,20}"), port: u16) {
            let name = Name::new(id.as_str());
            let name = match namespace.as_deref() {
                Some(namespace) => name.in_namespace(namespace),
                None => name,
            };
            let metadata = Metadata::from_iter([("zone", "b")]);
            let endpoint = Endpoint::new(([127, 0, 0, 1], port).into()).with_metadata(metadata);
            let instance = Instance::new(name.clone(), endpoint.clone());
            let record = Record::new(&instance, Process::current().unwrap(), Some(7));
            let read: Record = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
            prop_assert_eq!((read.name(), read.endpoint()), (name, endpoint));
            prop_assert_eq!(read, record);
        }
    }

    #[test]
    fn names_that_are_not_ours_are_refused() {
        for text in [
            "README",
            "1-2.json",
            "1-2-3-4.json",
            "1-2-3.tmp",
            ".1-2-3.json",
            "a-2-3.json",
            "-1-2-3.json",
            "",
        ] {
            assert_eq!(FileName::parse(text), None, "{text:?}");
        }
    }
}
