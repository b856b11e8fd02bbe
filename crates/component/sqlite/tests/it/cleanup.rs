//! The removal of rows whose life is over.

use std::sync::Arc;

use outrigger_base_clock::{ManualClock, SignedDuration, Timestamp};
use outrigger_testing_harness::eventually;

use crate::support::{LONG, one, open_at, raw, set, set_ttl, text};

#[tokio::test]
async fn rows_that_are_over_are_removed_in_turns_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let clock = Arc::new(ManualClock::new(
        "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap(),
    ));
    let store = open_at(&path, clock.clone(), &[("cleanupInterval", "200ms")]).await;
    // More than one transaction's worth.
    let over = (0..600)
        .map(|n| set_ttl(&format!("over-{n}"), "1", "5"))
        .collect();
    assert!(store.bulk_set(over).await.iter().all(Result::is_ok));
    store.set(set_ttl("later", "1", "60")).await.unwrap();
    store.set(set("ever", "1")).await.unwrap();
    let file = raw(&path);
    let stamp = "SELECT coalesce((SELECT value FROM metadata WHERE key = 'last-cleanup'), '-')";
    eventually(LONG, async || one(&file, stamp) == "2026-01-01 00:00:00").await;
    assert_eq!(one(&file, "SELECT count(*) FROM state"), "602");
    clock.advance(SignedDuration::from_secs(6));
    eventually(LONG, async || one(&file, "SELECT count(*) FROM state") == "2").await;
    // The first one may have been still at it when the clock moved.
    eventually(LONG, async || one(&file, stamp) == "2026-01-01 00:00:06").await;
    assert_eq!(text(&store, "later").await.as_deref(), Some("1"));
    assert_eq!(text(&store, "ever").await.as_deref(), Some("1"));
    store.close().await;
}
