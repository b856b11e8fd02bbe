//! Transactions: in order, all or none.

use outrigger_block_state::{Error, Metadata, Operation, Store};

use crate::raw::{delete, delete_if, first, held, read, set, set_if, setup, ttl};

async fn transact(store: &dyn Store, operations: Vec<Operation>) -> Result<(), Error> {
    store
        .transactional()
        .unwrap()
        .transact(operations, Metadata::new())
        .await
}

#[tokio::test]
async fn operations_happen_in_their_order() {
    let (_server, store, raw) = setup().await;
    transact(
        &*store,
        vec![Operation::Set(set("a", "1")), Operation::Set(set("b", "1"))],
    )
    .await
    .unwrap();
    let steps = vec![
        Operation::Delete(delete("a")),
        Operation::Set(set("b", "2")),
        Operation::Delete(delete("b")),
        Operation::Set(set("c", "3")),
        Operation::Delete(delete("never")),
        Operation::Set(ttl(set("d", "4"), "100")),
        Operation::Set(set("d", "5")),
    ];
    transact(&*store, steps).await.unwrap();
    assert_eq!(read(&*store, "a").await, None);
    assert_eq!(read(&*store, "b").await, None);
    assert_eq!(read(&*store, "c").await, held("3", "1"));
    assert_eq!(read(&*store, "d").await, held("5", "2"));
    assert!(raw.ask::<i64>(&["TTL", "d"]).await > 90);
    transact(&*store, vec![]).await.unwrap();
}

#[tokio::test]
async fn one_refused_operation_refuses_all() {
    let (_server, store, _raw) = setup().await;
    store.set(set("a", "1")).await.unwrap();
    store.set(set("b", "1")).await.unwrap();
    for refused in [
        Operation::Set(set_if("b", "2", "9")),
        Operation::Delete(delete_if("b", "9")),
    ] {
        let steps = vec![
            Operation::Set(set("a", "2")),
            Operation::Set(set("c", "2")),
            refused,
        ];
        assert!(matches!(transact(&*store, steps).await, Err(Error::ETagMismatch)));
        assert_eq!(read(&*store, "a").await, held("1", "1"));
        assert_eq!(read(&*store, "b").await, held("1", "1"));
        assert_eq!(read(&*store, "c").await, None);
    }
    let invalid = vec![
        Operation::Set(set("a", "2")),
        Operation::Set(set_if("b", "2", "x")),
    ];
    assert!(matches!(
        transact(&*store, invalid).await,
        Err(Error::ETagInvalid)
    ));
    assert_eq!(read(&*store, "a").await, held("1", "1"));
}

#[tokio::test]
async fn versions_are_those_that_an_operation_will_meet() {
    let (_server, store, raw) = setup().await;
    let steps = vec![
        Operation::Set(set("a", "1")),
        Operation::Set(set_if("a", "2", "1")),
        Operation::Delete(delete_if("a", "2")),
        Operation::Set(set_if("a", "3", "7")),
    ];
    transact(&*store, steps).await.unwrap();
    assert_eq!(read(&*store, "a").await, held("3", "1"));
    let stale = vec![
        Operation::Set(set_if("a", "4", "1")),
        Operation::Set(set_if("a", "5", "1")),
    ];
    assert!(matches!(transact(&*store, stale).await, Err(Error::ETagMismatch)));
    assert_eq!(read(&*store, "a").await, held("3", "1"));
    // A first write inside a transaction leaves no mark, as in Dapr; one from outside is heeded.
    transact(&*store, vec![Operation::Set(first(set("f", "1")))])
        .await
        .unwrap();
    assert_eq!(raw.ask::<i64>(&["HEXISTS", "f", "first-write"]).await, 0);
    store.set(first(set("g", "1"))).await.unwrap();
    assert!(
        transact(&*store, vec![Operation::Set(set("g", "2"))])
            .await
            .is_err()
    );
    transact(&*store, vec![Operation::Set(set_if("g", "2", "1"))])
        .await
        .unwrap();
    raw.tell(&["SET", "plain", "x"]).await;
    transact(&*store, vec![Operation::Set(set_if("plain", "y", "3"))])
        .await
        .unwrap();
    assert_eq!(read(&*store, "plain").await, held("y", "1"));
}

#[tokio::test]
async fn two_transactions_that_ask_for_one_version_do_not_both_win() {
    let (_server, store, _raw) = setup().await;
    store.set(set("k", "0")).await.unwrap();
    let tries = (0..20).map(|n| {
        let store = store.clone();
        async move {
            let step = Operation::Set(set_if("k", &n.to_string(), "1"));
            transact(&*store, vec![step, Operation::Set(set(&format!("won{n}"), "x"))])
                .await
                .is_ok()
        }
    });
    let won = futures_util::future::join_all(tries)
        .await
        .into_iter()
        .filter(|won| *won)
        .count();
    assert_eq!(won, 1);
    let page = store
        .keys_like()
        .unwrap()
        .keys_like("won%", None, None)
        .await
        .unwrap();
    assert_eq!(page.keys.len(), 1);
}
