//! The suite that every state store must pass: components.md §4 "state", and what this crate's traits promise beyond it.
//!
//! A test opens its store and calls [`run`] with the [`Traits`] that say which parts apply. Where a part does not apply,
//! the suite checks that it is not declared either. Every key begins with [`Traits::namespace`], so that a store can be
//! shared as long as each run has a name of its own.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
pub use outrigger_block_kit::conformance::{Failure, Outcome, Report, Rule};
use outrigger_block_kit::{conformance::check_all, ensure, rules};

use crate::{
    Capability, Concurrency, DeleteRequest, ETag, Error, GetRequest, Item, Options, SetRequest, Store, Value,
};

pub mod basic;
pub mod close;
pub mod concurrency;
pub mod keys;
pub mod prefix;
pub mod transaction;
pub mod ttl;

/// How long a value written with a time to live of a second may still be seen: the second, and a slow server's sweep.
pub const TTL_LIMIT: Duration = Duration::from_secs(6);

/// Which parts of the suite apply to a store.
#[derive(Debug, Clone)]
pub struct Traits {
    /// Begins every key of the run. Letters, digits and `-` only.
    pub namespace: String,
    /// Versions are kept and checked.
    pub etag: bool,
    /// A well-formed version that no value of the run has.
    pub bad_etag: &'static str,
    /// A text that cannot be a version of this store, where there is one.
    pub invalid_etag: Option<&'static str>,
    /// A version given for a key that is not there is a mismatch; otherwise such a write goes through.
    pub etag_needs_value: bool,
    /// The first of two writers wins when asked for.
    pub first_write: bool,
    /// Values can be told to end.
    pub ttl: bool,
    /// Reads tell when a value ends (`ttlExpireTime`).
    pub ttl_expire_time: bool,
    /// A write without a time to live lifts an earlier one.
    pub omitted_ttl_lifts: bool,
    /// Several operations commit as one.
    pub transactional: bool,
    /// A transaction one of whose operations fails leaves nothing behind.
    pub rolls_back: bool,
    /// Keys can be listed by pattern.
    pub keys_like: bool,
    /// The direct children of a prefix can be removed at once.
    pub delete_with_prefix: bool,
    /// Fit to be an actor store.
    pub actor: bool,
}

impl Traits {
    /// Everything applies.
    pub fn all(namespace: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            etag: true,
            bad_etag: "bad-etag",
            invalid_etag: None,
            etag_needs_value: true,
            first_write: true,
            ttl: true,
            ttl_expire_time: true,
            omitted_ttl_lifts: true,
            transactional: true,
            rolls_back: true,
            keys_like: true,
            delete_with_prefix: true,
            actor: true,
        }
    }

    /// Only reads, writes and removals apply.
    pub fn none(namespace: impl Into<String>) -> Self {
        Self {
            etag: false,
            etag_needs_value: false,
            first_write: false,
            ttl: false,
            ttl_expire_time: false,
            omitted_ttl_lifts: false,
            transactional: false,
            rolls_back: false,
            keys_like: false,
            delete_with_prefix: false,
            actor: false,
            ..Self::all(namespace)
        }
    }
}

/// A store under test.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Which parts apply.
    pub traits: Traits,
}

/// Every rule, in the order in which they are checked. The last one closes the store.
pub const RULES: &[Rule<Subject>] = rules![
    declares_what_it_has,
    basic::answers_ping,
    basic::values_come_back_as_written,
    basic::large_values_come_back,
    basic::odd_keys_are_keys,
    basic::a_missing_key_is_nothing,
    basic::a_write_replaces,
    basic::delete_removes_and_tolerates_absence,
    basic::bulk_get_answers_each_key_in_order,
    basic::bulk_set_and_bulk_delete_reach_every_key,
    concurrency::every_write_changes_the_etag,
    concurrency::a_wrong_etag_is_a_mismatch,
    concurrency::an_invalid_etag_is_called_so,
    concurrency::an_etag_of_nothing_is_a_mismatch,
    concurrency::bulk_writes_fail_one_by_one,
    concurrency::of_writers_with_one_etag_one_wins,
    concurrency::the_first_write_wins,
    concurrency::of_first_writers_one_wins,
    ttl::a_bad_ttl_is_refused,
    ttl::a_value_ends,
    ttl::the_end_is_told,
    ttl::an_end_can_be_lifted,
    ttl::what_ended_can_be_written_first,
    transaction::operations_apply_in_order,
    transaction::an_empty_transaction_is_nothing,
    transaction::a_failed_transaction_leaves_nothing,
    transaction::a_transaction_keeps_ttl_and_bytes,
    transaction::transactions_do_not_interleave,
    prefix::only_direct_children_go,
    prefix::a_prefix_must_say_something,
    keys::an_empty_pattern_is_refused,
    keys::patterns_match_as_like_does,
    keys::escapes_are_literal,
    keys::pages_lose_nothing,
    keys::pages_survive_changes,
    keys::a_long_list_needs_no_pages,
    keys::what_ended_is_not_listed,
    close::a_closed_store_says_so,
];

/// Checks every rule.
///
/// # Errors
///
/// The report of all rules that are broken.
pub async fn run(store: Arc<dyn Store>, traits: Traits) -> Result<(), Report> {
    check_all(RULES, &Subject { store, traits }).await
}

/// Capabilities and views are there exactly where the traits say so.
pub async fn declares_what_it_has(subject: &Subject) -> Outcome {
    let (store, traits) = (&subject.store, &subject.traits);
    for (capability, expected) in [
        (Capability::ETag, traits.etag),
        (Capability::Transactional, traits.transactional),
        (Capability::Ttl, traits.ttl),
        (Capability::KeysLike, traits.keys_like),
        (Capability::DeleteWithPrefix, traits.delete_with_prefix),
        (Capability::Actor, traits.actor),
    ] {
        let declared = store.capabilities().contains(&capability);
        ensure!(
            declared == expected,
            "{capability:?}: expected {expected}, declared {declared}"
        );
    }
    for (view, present, expected) in [
        (
            "transactional",
            store.transactional().is_some(),
            traits.transactional,
        ),
        ("keys_like", store.keys_like().is_some(), traits.keys_like),
        (
            "delete_with_prefix",
            store.delete_with_prefix().is_some(),
            traits.delete_with_prefix,
        ),
    ] {
        ensure!(
            present == expected,
            "view {view}: expected {expected}, found {present}"
        );
    }
    Ok(())
}

impl Subject {
    /// The key `name` of this run.
    pub fn key(&self, name: &str) -> String {
        format!("{}||{name}", self.traits.namespace)
    }

    /// A write of bytes with nothing special.
    pub fn set_request(&self, name: &str, value: &str) -> SetRequest {
        SetRequest {
            key: self.key(name),
            value: Value::Bytes(Bytes::copy_from_slice(value.as_bytes())),
            etag: None,
            options: Options::default(),
            metadata: Default::default(),
        }
    }

    /// Writes bytes.
    pub async fn set(&self, name: &str, value: &str) -> Result<(), Error> {
        self.store.set(self.set_request(name, value)).await
    }

    /// Writes bytes that end after `seconds`.
    pub async fn set_ttl(&self, name: &str, value: &str, seconds: &str) -> Result<(), Error> {
        self.store.set(self.ttl_request(name, value, seconds)).await
    }

    fn ttl_request(&self, name: &str, value: &str, seconds: &str) -> SetRequest {
        let mut request = self.set_request(name, value);
        request
            .metadata
            .insert("ttlInSeconds".to_owned(), seconds.to_owned());
        request
    }

    fn first_write(&self, name: &str, value: &str, etag: Option<ETag>) -> SetRequest {
        let mut request = self.set_request(name, value);
        request.options.concurrency = Concurrency::FirstWrite;
        request.etag = etag;
        request
    }

    /// Reads a key.
    pub async fn get(&self, name: &str) -> Result<Option<Item>, Error> {
        self.store.get(self.get_request(name)).await
    }

    fn get_request(&self, name: &str) -> GetRequest {
        GetRequest {
            key: self.key(name),
            ..GetRequest::default()
        }
    }

    fn delete_request(&self, name: &str, etag: Option<ETag>) -> DeleteRequest {
        DeleteRequest {
            key: self.key(name),
            etag,
            ..DeleteRequest::default()
        }
    }

    /// The bytes of a key that must be there.
    async fn bytes(&self, name: &str) -> Result<Bytes, Failure> {
        match self.get(name).await? {
            Some(item) => Ok(item.data),
            None => Err(Failure::new(format!("key {name:?} is not there"))),
        }
    }

    /// The version of a key that must be there.
    async fn etag(&self, name: &str) -> Result<ETag, Failure> {
        let item = self.get(name).await?;
        item.and_then(|item| item.etag)
            .ok_or_else(|| Failure::new(format!("key {name:?} has no etag")))
    }

    fn bad_etag(&self) -> Option<ETag> {
        ETag::new(self.traits.bad_etag)
    }
}

/// The call was refused as a version mismatch.
fn ensure_mismatch<T: std::fmt::Debug>(result: Result<T, Error>, what: &str) -> Outcome {
    ensure!(
        matches!(result, Err(Error::ETagMismatch)),
        "{what}: expected an etag mismatch, found {result:?}"
    );
    Ok(())
}
