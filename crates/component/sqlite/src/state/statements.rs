//! Every statement of the store, for one pair of tables.
//!
//! A table's name cannot be a parameter, so the texts are made once at open; the names were checked to be identifiers.
//! Parameters: `?1` is the key where there is one; times are text in UTC, `YYYY-MM-DD HH:MM:SS`, as
//! `CURRENT_TIMESTAMP` gives, and compare as text.

use crate::migrate::Tables;

/// The texts.
#[derive(Debug)]
pub(super) struct Statements {
    /// `?1` key → value, is_binary, etag, expiration_time. Whether the row is alive is for the reader to see.
    pub(super) get: String,
    /// `?1` key, `?2` value, `?3` is_binary, `?4` etag, `?5` now, `?6` end of life.
    pub(super) set: String,
    /// As `set`, and writes nothing where a live row stands.
    pub(super) set_first: String,
    /// As `set`, and writes nothing unless a live row with the ETag `?7` stands.
    pub(super) set_matching: String,
    /// `?1` key.
    pub(super) delete: String,
    /// `?1` key, `?2` ETag.
    pub(super) delete_matching: String,
    /// `?1` pattern, `?2` now, `?3` rowid to begin after, `?4` how many (-1: all) → key, rowid.
    pub(super) keys: String,
    /// `?1` now, `?2` rowid to begin after, `?3` how many → rowid.
    pub(super) expired: String,
    /// `?1` rowid, `?2` now.
    pub(super) sweep: String,
    /// `?1` now, `?2` milliseconds that must have passed since the last cleanup.
    pub(super) claim_cleanup: String,
}

impl Statements {
    /// The statements for `tables`.
    pub(super) fn new(tables: &Tables) -> Self {
        let Tables { state, metadata } = tables;
        // Dapr replaces the row, which gives it a new rowid. Updating it in place is cheaper, and a key that is
        // overwritten while someone pages through the keys is not listed twice. The row's content is the same.
        let upsert = format!(
            "INSERT INTO \"{state}\" AS s (key, value, is_binary, etag, update_time, expiration_time)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value, is_binary = excluded.is_binary,
            etag = excluded.etag, update_time = excluded.update_time, expiration_time = excluded.expiration_time"
        );
        Self {
            get: format!("SELECT value, is_binary, etag, expiration_time FROM \"{state}\" WHERE key = ?1"),
            set_first: format!("{upsert} WHERE s.expiration_time <= ?5"),
            set: upsert,
            set_matching: format!(
                "UPDATE \"{state}\" SET value = ?2, is_binary = ?3, etag = ?4, update_time = ?5, expiration_time = ?6
                WHERE key = ?1 AND etag = ?7 AND (expiration_time IS NULL OR expiration_time > ?5)"
            ),
            delete: format!("DELETE FROM \"{state}\" WHERE key = ?1"),
            delete_matching: format!("DELETE FROM \"{state}\" WHERE key = ?1 AND etag = ?2"),
            keys: format!(
                "SELECT key, rowid FROM \"{state}\" WHERE rowid > ?3 AND key LIKE ?1 ESCAPE '\\'
                AND (expiration_time IS NULL OR expiration_time > ?2) ORDER BY rowid LIMIT ?4"
            ),
            expired: format!(
                "SELECT rowid FROM \"{state}\" WHERE rowid > ?2 AND expiration_time < ?1 ORDER BY rowid LIMIT ?3"
            ),
            sweep: format!("DELETE FROM \"{state}\" WHERE rowid = ?1 AND expiration_time < ?2"),
            claim_cleanup: format!(
                "INSERT INTO \"{metadata}\" AS m (key, value) VALUES ('last-cleanup', ?1)
                ON CONFLICT (key) DO UPDATE SET value = excluded.value
                WHERE (unixepoch(excluded.value) - unixepoch(m.value)) * 1000 > ?2"
            ),
        }
    }
}
