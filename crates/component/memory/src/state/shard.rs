//! One part of the map: entries, and which of them end when.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use outrigger_base_clock::Timestamp;
use outrigger_block_state::{Concurrency, ETag, Error, Item, Metadata, Ttl, Value};

/// A version: the bytes of a random UUID. Its text is made when somebody reads it.
type Version = [u8; 16];

/// The name under which an answer tells when its value ends.
const TTL_EXPIRE_TIME: &str = "ttlExpireTime";
/// Length of a UUID's text, in bytes.
const UUID_TEXT: usize = 36;

/// The entries of one shard.
#[derive(Default)]
pub(super) struct Shard {
    entries: HashMap<Box<str>, Entry>,
    /// Ends (milliseconds since 1970) and keys of the entries that have one, each exactly once.
    ends: BTreeSet<(i64, Box<str>)>,
}

/// One stored value.
pub(super) struct Entry {
    data: Bytes,
    version: Version,
    /// Milliseconds since 1970.
    ends: Option<i64>,
}

/// What a write asks of what is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// Nothing.
    None,
    /// There must be no value.
    Absent,
    /// There must be a value with this version; `None` when the text is no version of ours and so matches nothing.
    Version(Option<Version>),
}

/// What happens to a key.
pub(super) enum Change {
    /// The value is written.
    Write(Entry),
    /// The value is removed.
    Remove,
}

impl Shard {
    pub(super) fn get(&self, key: &str, now: impl FnOnce() -> i64) -> Option<Item> {
        self.live(key, now).map(Entry::item)
    }

    /// Whether `condition` holds for `key`. A value that ended counts as absent.
    pub(super) fn check(
        &self,
        key: &str,
        condition: &Condition,
        now: impl FnOnce() -> i64,
    ) -> Result<(), Error> {
        let holds = match condition {
            Condition::None => true,
            Condition::Absent => self.live(key, now).is_none(),
            Condition::Version(version) => {
                let stored = self.live(key, now).map(|entry| entry.version);
                stored.is_some() && stored == *version
            }
        };
        holds.then_some(()).ok_or(Error::ETagMismatch)
    }

    pub(super) fn apply(&mut self, key: Box<str>, change: Change) {
        match change {
            Change::Remove => self.remove(&key),
            Change::Write(entry) => self.insert(key, entry),
        }
    }

    fn insert(&mut self, key: Box<str>, entry: Entry) {
        let end = entry.ends;
        let Some(place) = self.entries.get_mut(&key) else {
            if let Some(end) = end {
                self.ends.insert((end, key.clone()));
            }
            self.entries.insert(key, entry);
            return;
        };
        let old = std::mem::replace(place, entry).ends;
        if old == end {
            return;
        }
        let mut listed = (old.unwrap_or_default(), key);
        if old.is_some() {
            self.ends.remove(&listed);
        }
        if let Some(end) = end {
            listed.0 = end;
            self.ends.insert(listed);
        }
    }

    fn remove(&mut self, key: &str) {
        if let Some((key, old)) = self.entries.remove_entry(key)
            && let Some(end) = old.ends
        {
            self.ends.remove(&(end, key));
        }
    }

    /// Removes what ended by `now`.
    pub(super) fn sweep(&mut self, now: i64) {
        while self.ends.first().is_some_and(|(end, _)| *end < now) {
            if let Some((_, key)) = self.ends.pop_first() {
                self.entries.remove(&key);
            }
        }
    }

    /// Whether a sweep at `now` would remove anything.
    pub(super) fn has_ended(&self, now: i64) -> bool {
        self.ends.first().is_some_and(|(end, _)| *end < now)
    }

    /// The keys of live values.
    pub(super) fn keys(&self, now: i64) -> impl Iterator<Item = &str> {
        let live = self
            .entries
            .iter()
            .filter(move |(_, entry)| !entry.has_ended(now));
        live.map(|(key, _)| &**key)
    }

    pub(super) fn remove_all(&mut self, keys: &[String]) {
        for key in keys {
            self.remove(key);
        }
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.entries.len(), self.ends.len())
    }

    fn live(&self, key: &str, now: impl FnOnce() -> i64) -> Option<&Entry> {
        let entry = self.entries.get(key)?;
        // Only a value that ends needs to know what time it is.
        (entry.ends.is_none() || !entry.has_ended(now())).then_some(entry)
    }
}

impl Entry {
    /// The value is copied: it must not keep alive the buffer of the request that it came in.
    pub(super) fn new(value: &Value, version: Version, ends: Option<i64>) -> Self {
        Self {
            data: Bytes::copy_from_slice(value.bytes()),
            version,
            ends,
        }
    }

    fn has_ended(&self, now: i64) -> bool {
        self.ends.is_some_and(|end| end < now)
    }

    fn item(&self) -> Item {
        Item {
            data: self.data.clone(),
            etag: ETag::new(version_text(self.version)),
            metadata: self.ends.map(expire_time).unwrap_or_default(),
        }
    }
}

fn expire_time(end: i64) -> Metadata {
    let time = Timestamp::from_second(end.div_euclid(1000)).unwrap_or(Timestamp::MAX);
    Metadata::from([(TTL_EXPIRE_TIME.to_owned(), time.to_string())])
}

impl Condition {
    pub(super) fn new(etag: Option<&ETag>, concurrency: Concurrency) -> Self {
        match (etag, concurrency) {
            (Some(etag), _) => Self::Version(version(etag.as_str())),
            (None, Concurrency::FirstWrite) => Self::Absent,
            (None, Concurrency::LastWrite | Concurrency::Unspecified) => Self::None,
        }
    }
}

/// When a write with this metadata ends, in milliseconds since 1970.
pub(super) fn end(metadata: &Metadata, now: impl FnOnce() -> i64) -> Result<Option<i64>, Error> {
    if metadata.is_empty() {
        return Ok(None);
    }
    Ok(match Ttl::from_metadata(metadata)? {
        Ttl::Unset | Ttl::Forever => None,
        Ttl::After(life) => {
            let life = i64::try_from(life.as_millis()).unwrap_or(i64::MAX);
            Some(now().saturating_add(life))
        }
    })
}

/// The hyphenated text of a UUID.
fn version_text(version: Version) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(UUID_TEXT);
    for (at, byte) in version.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(char::from(HEX[usize::from(byte >> 4)]));
        text.push(char::from(HEX[usize::from(byte & 0xF)]));
    }
    text
}

/// The version that [`version_text`] writes as `text`; nothing for any other text.
fn version(text: &str) -> Option<Version> {
    let digits = text.bytes().filter(|byte| *byte != b'-');
    let mut version = Version::default();
    for (at, digit) in digits.enumerate() {
        let value = char::from(digit).to_digit(16)? as u8;
        *version.get_mut(at / 2)? |= if at % 2 == 0 { value << 4 } else { value };
    }
    (version_text(version) == text).then_some(version)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_are_uuid_texts() {
        let text = "12345678-9abc-4def-8123-456789abcdef";
        assert_eq!(version(text).map(version_text).as_deref(), Some(text));
        for bad in [
            "",
            "bad-etag",
            "12345678-9ABC-4def-8123-456789abcdef",
            "123456789abc4def8123456789abcdef",
        ] {
            assert_eq!(version(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_version_reads_back(bytes in any::<Version>(), text in any::<String>()) {
            prop_assert_eq!(version(&version_text(bytes)), Some(bytes));
            if let Some(found) = version(&text) {
                prop_assert_eq!(version_text(found), text);
            }
        }
    }
}
