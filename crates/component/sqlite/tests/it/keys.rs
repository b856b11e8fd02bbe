//! Keys by pattern.

use std::{collections::BTreeSet, sync::Arc};

use outrigger_base_clock::{ManualClock, SignedDuration, Timestamp};
use outrigger_block_state::{Error, KeysPage};
use proptest::{prelude::*, test_runner::TestCaseError};

use crate::support::{Shared, delete, open, open_at, set, set_ttl, try_open_string};

async fn keys(store: &Shared, pattern: &str, size: Option<u32>, token: Option<&str>) -> KeysPage {
    let view = store.keys_like().unwrap();
    view.keys_like(pattern, size, token).await.unwrap()
}

/// `LIKE` as SQL has it, with a backslash to escape.
fn like(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|at| like(rest, &text[at..])),
        ['_', rest @ ..] => !text.is_empty() && like(rest, &text[1..]),
        // A backslash that escapes nothing matches nothing.
        ['\\'] => false,
        ['\\', literal, rest @ ..] | [literal, rest @ ..] => {
            text.first() == Some(literal) && like(rest, &text[1..])
        }
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    like(&chars(pattern), &chars(text))
}

#[test]
fn the_reference_matcher_is_right_about_known_cases() {
    for (pattern, text, expected) in [
        ("%", "", true),
        ("a%c", "abbc", true),
        ("a_c", "ac", false),
        (r"a\%c", "a%c", true),
        (r"a\%c", "abc", false),
        (r"a\\%", r"a\b", true),
        (r"a\", r"a\", false),
        ("A.c", "a.c", false),
        ("a.c", "abc", false),
        ("_", "é", true),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn patterns_mean_what_the_reference_says(
        stored in prop::collection::btree_set(r"[aB%_\\.|é]{1,6}", 1..24),
        patterns in prop::collection::vec(r"[aAbB%_\\.|é]{1,6}", 1..12),
        size in 1u32..8,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(stored, patterns, size))?;
    }
}

async fn check(stored: BTreeSet<String>, patterns: Vec<String>, size: u32) -> Result<(), TestCaseError> {
    let store = try_open_string(":memory:", &[]).await.unwrap();
    let written = store
        .bulk_set(stored.iter().map(|key| set(key, "1")).collect())
        .await;
    prop_assert!(written.iter().all(Result::is_ok));
    for pattern in patterns {
        let expected: BTreeSet<_> = stored
            .iter()
            .filter(|key| matches(&pattern, key))
            .cloned()
            .collect();
        let all = keys(&store, &pattern, None, None).await;
        prop_assert_eq!(all.next, None);
        prop_assert_eq!(
            &all.keys.into_iter().collect::<BTreeSet<_>>(),
            &expected,
            "{}",
            pattern
        );
        let mut paged = Vec::new();
        let mut token = None;
        loop {
            let page = keys(&store, &pattern, Some(size), token.as_deref()).await;
            prop_assert!(page.keys.len() <= size as usize);
            paged.extend(page.keys);
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        prop_assert_eq!(paged.len(), expected.len());
        prop_assert_eq!(&paged.into_iter().collect::<BTreeSet<_>>(), &expected);
    }
    store.close().await;
    Ok(())
}

#[tokio::test]
async fn pages_survive_changes_between_them_and_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("state.db"), &[]).await;
    for n in 0..12 {
        store.set(set(&format!("k{n:02}"), "1")).await.unwrap();
    }
    let first = keys(&store, "k%", Some(5), None).await;
    assert_eq!(first.keys, ["k00", "k01", "k02", "k03", "k04"]);
    store.delete(delete("k04")).await.unwrap();
    store.delete(delete("k07")).await.unwrap();
    // Overwritten: it was listed, and is not listed again.
    store.set(set("k01", "2")).await.unwrap();
    store.set(set("k12", "1")).await.unwrap();
    let second = keys(&store, "k%", Some(5), first.next.as_deref()).await;
    assert_eq!(second.keys, ["k05", "k06", "k08", "k09", "k10"]);
    let third = keys(&store, "k%", Some(2), second.next.as_deref()).await;
    assert_eq!(third.keys, ["k11", "k12"]);
    assert_eq!(third.next, None);
    assert_eq!(keys(&store, "k%", Some(0), Some("")).await.keys.len(), 11);
    store.close().await;
}

#[tokio::test]
async fn many_keys_come_in_one_answer() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("state.db"), &[]).await;
    let rows = (0..1025).map(|n| set(&format!("k{n}"), "1")).collect();
    assert!(store.bulk_set(rows).await.iter().all(Result::is_ok));
    for size in [None, Some(100_000), Some(1025)] {
        let page = keys(&store, "%", size, None).await;
        assert_eq!((page.keys.len(), page.next), (1025, None));
    }
    store.close().await;
}

#[tokio::test]
async fn what_cannot_be_listed_is_refused_and_what_is_over_is_not_listed() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(
        "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap(),
    ));
    let store = open_at(&folder.path().join("state.db"), clock.clone(), &[]).await;
    let view = store.keys_like().unwrap();
    for (pattern, token) in [("", None), ("%", Some("later")), (&*"%".repeat(50_001), None)] {
        let answer = view.keys_like(pattern, None, token).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "{answer:?}");
    }
    let error = view.keys_like("", None, None).await.unwrap_err();
    assert_eq!(error.to_string(), "keys like pattern cannot be empty");
    store.set(set_ttl("short", "1", "5")).await.unwrap();
    store.set(set_ttl("long", "1", "50")).await.unwrap();
    assert_eq!(keys(&store, "%", None, None).await.keys, ["short", "long"]);
    clock.advance(SignedDuration::from_secs(5));
    assert_eq!(keys(&store, "%", None, None).await.keys, ["long"]);
    store.close().await;
}

#[tokio::test]
async fn the_case_of_a_key_counts_unless_the_connection_string_says_otherwise() {
    for (string, expected) in [
        (":memory:", &["shop||1"][..]),
        (":memory:?_pragma=case_sensitive_like(0)", &["Shop||1", "shop||1"]),
    ] {
        let store = try_open_string(string, &[]).await.unwrap();
        let written = store
            .bulk_set(vec![set("Shop||1", "1"), set("shop||1", "1")])
            .await;
        assert!(written.iter().all(Result::is_ok));
        assert_eq!(keys(&store, "shop||%", None, None).await.keys, expected);
        store.close().await;
    }
}
