//! A database in memory.

use crate::support::{set, text, try_open_string};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_store_in_memory_is_its_own_and_reads_what_it_wrote() {
    for string in [":memory:", "file::memory:", ":memory:?cache=shared"] {
        let (a, b) = (
            try_open_string(string, &[]).await.unwrap(),
            try_open_string(string, &[("cleanupInterval", "1h")])
                .await
                .unwrap(),
        );
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..16 {
            let a = a.clone();
            tasks.spawn(async move {
                for round in 0..20 {
                    let (key, value) = (format!("k{task}"), round.to_string());
                    a.set(set(&key, &value)).await.unwrap();
                    assert_eq!(text(&a, &key).await, Some(value));
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        let page = a.keys_like().unwrap().keys_like("k%", None, None).await.unwrap();
        assert_eq!(page.keys.len(), 16);
        if !string.contains("shared") {
            assert_eq!(text(&b, "k0").await, None);
        }
        a.ping().await.unwrap();
        a.close().await;
        b.close().await;
    }
}

#[tokio::test]
async fn a_named_database_in_memory_is_shared_by_those_who_name_it() {
    let string = "file:outrigger-sqlite-test?mode=memory&cache=shared";
    let (a, b) = (
        try_open_string(string, &[]).await.unwrap(),
        try_open_string(string, &[]).await.unwrap(),
    );
    a.set(set("k", "1")).await.unwrap();
    assert_eq!(text(&b, "k").await.as_deref(), Some("1"));
    a.close().await;
    b.close().await;
}
