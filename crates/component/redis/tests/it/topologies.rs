//! Sentinels and clusters.

use std::{collections::BTreeSet, time::Duration};

use outrigger_block_kit::{Context, Properties};
use outrigger_block_state::{Error, Metadata, Operation, Store};
use outrigger_testing_harness::{RedisCluster, RedisSentinel, RedisServer, eventually};

use crate::{
    raw::{delete, held, read, set, set_if},
    sink::{Rule, SOON, Sink, message, subscribe},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_takes_over_is_found_through_the_sentinel() {
    let mut master = RedisServer::start().await.unwrap();
    let port = master.port().to_string();
    let replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", &port])
        .await
        .unwrap();
    let sentinel = RedisSentinel::start(&master, "main").await.unwrap();
    sentinel.wait_for_replica(SOON).await;
    let hosts = format!("127.0.0.1:1,{}", sentinel.address());
    let properties = Properties::new([
        ("redisHost", hosts.as_str()),
        ("failover", "true"),
        ("sentinelMasterName", "main"),
        ("redisMinRetryInterval", "5"),
    ]);
    let context = Context::for_test("failover");
    let store = outrigger_component_redis::store(context.clone(), properties.clone())
        .await
        .unwrap();
    let broker = outrigger_component_redis::broker(context.clone(), properties)
        .await
        .unwrap();
    let sink = Sink::new(Rule::Succeed);
    let _subscription = subscribe(&*broker, "orders", &sink).await;
    store.set(set("k", "before")).await.unwrap();
    broker.publish(message("orders", "before")).await.unwrap();
    sink.wait_for(1).await;
    eventually(SOON, || async {
        replica.ask("HGET k data").await.unwrap() == "before"
    })
    .await;
    eventually(SOON, || async {
        replica.ask("EXISTS orders").await.unwrap() == ":1"
    })
    .await;
    master.kill();
    eventually(SOON, || async { store.set(set_if("k", "after", "1")).await }).await;
    assert_eq!(replica.ask("HGET k data").await.unwrap(), "after");
    eventually(SOON, || broker.publish(message("orders", "after"))).await;
    eventually(SOON, || {
        std::future::ready(sink.texts().contains(&"after".to_owned()))
    })
    .await;
    let unknown = Properties::new([
        ("redisHost", sentinel.address().as_str()),
        ("failover", "true"),
        ("sentinelMasterName", "other"),
        ("redisMaxRetries", "-1"),
    ]);
    let error = outrigger_component_redis::store(context, unknown)
        .await
        .unwrap_err();
    assert!(
        error.retryable() && error.to_string().contains("other"),
        "{error}"
    );
}

async fn on_cluster() -> (RedisCluster, Properties) {
    let cluster = RedisCluster::start(3).await.unwrap();
    let properties = Properties::new([
        ("redisHost", cluster.addresses()),
        ("redisType", "cluster".to_owned()),
    ]);
    (cluster, properties)
}

async fn transact(store: &dyn Store, operations: Vec<Operation>) -> Result<(), Error> {
    store
        .transactional()
        .unwrap()
        .transact(operations, Metadata::new())
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_holds_state() {
    let (cluster, properties) = on_cluster().await;
    let store = outrigger_component_redis::store(Context::for_test("cluster"), properties)
        .await
        .unwrap();
    let keys: Vec<String> = (0..100).map(|n| format!("k{n:02}")).collect();
    let written = store
        .bulk_set(keys.iter().map(|key| set(key, key)).collect())
        .await;
    assert!(written.iter().all(Result::is_ok), "{written:?}");
    for node in cluster.nodes() {
        assert_ne!(node.ask("DBSIZE").await.unwrap(), ":0", "the keys are spread");
    }
    assert_eq!(read(&*store, "k42").await, held("k42", "1"));
    assert!(matches!(
        store.set(set_if("k42", "x", "9")).await,
        Err(Error::ETagMismatch)
    ));
    store.delete(delete("k99")).await.unwrap();

    let steps = || {
        (0..30)
            .map(|n| Operation::Set(set_if(&format!("k{n:02}"), "tx", "1")))
            .collect::<Vec<_>>()
    };
    let mut refused = steps();
    refused.push(Operation::Set(set_if("k31", "tx", "9")));
    assert!(matches!(
        transact(&*store, refused).await,
        Err(Error::ETagMismatch)
    ));
    assert_eq!(
        read(&*store, "k00").await,
        held("k00", "1"),
        "all slots are checked before any is written"
    );
    transact(&*store, steps()).await.unwrap();
    assert_eq!(read(&*store, "k29").await, held("tx", "2"));

    let view = store.keys_like().unwrap();
    let page = view.keys_like("k%", Some(60), None).await.unwrap();
    let rest = view
        .keys_like("k%", Some(60), page.next.as_deref())
        .await
        .unwrap();
    let all: BTreeSet<_> = page.keys.into_iter().chain(rest.keys).collect();
    assert_eq!((all.len(), rest.next), (99, None));
    store.close().await;
    assert!(matches!(store.set(set("k", "v")).await, Err(Error::Closed)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_over_several_slots_is_never_half_done_though_its_caller_goes_away() {
    const KEYS: usize = 20;
    let (_cluster, properties) = on_cluster().await;
    let store = outrigger_component_redis::store(Context::for_test("cluster"), properties)
        .await
        .unwrap();
    for round in 0..40 {
        let key = |n: usize| format!("{round}-{n}");
        let steps = (0..KEYS).map(|n| Operation::Set(set(&key(n), "x"))).collect();
        // The caller goes away a little later each time, wherever the transaction is then.
        let patience = Duration::from_micros(250 * round);
        let _ = tokio::time::timeout(patience, transact(&*store, steps)).await;
        eventually(SOON, async || {
            let mut written = 0;
            for n in 0..KEYS {
                written += usize::from(read(&*store, &key(n)).await.is_some());
            }
            if written == 0 || written == KEYS {
                Ok(())
            } else {
                Err(written)
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_over_several_slots_is_never_half_done_though_the_store_is_closed() {
    const KEYS: usize = 20;
    let (_cluster, properties) = on_cluster().await;
    let open = || outrigger_component_redis::store(Context::for_test("cluster"), properties.clone());
    let reader = open().await.unwrap();
    for round in 0..40 {
        let key = |n: usize| format!("{round}-{n}");
        let store = open().await.unwrap();
        let steps = (0..KEYS).map(|n| Operation::Set(set(&key(n), "x"))).collect();
        // The close comes a little later each time, wherever the transaction is then.
        let patience = Duration::from_micros(250 * round);
        let _ = tokio::time::timeout(patience, transact(&*store, steps)).await;
        tokio::time::timeout(SOON, store.close()).await.unwrap();
        let mut written = 0;
        for n in 0..KEYS {
            written += usize::from(read(&*reader, &key(n)).await.is_some());
        }
        assert!(written == 0 || written == KEYS, "{written} in round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_carries_messages() {
    let (_cluster, properties) = on_cluster().await;
    let context = Context::for_test("cluster");
    let broker = outrigger_component_redis::broker(context.clone(), properties)
        .await
        .unwrap();
    let sink = Sink::new(Rule::Succeed);
    let mut subscriptions = Vec::new();
    for topic in ["a", "b", "c", "d"] {
        subscriptions.push(subscribe(&*broker, topic, &sink).await);
        for n in 0..20 {
            broker
                .publish(message(topic, &format!("{topic}{n:02}")))
                .await
                .unwrap();
        }
    }
    sink.wait_for(80).await;
    assert_eq!(sink.sorted().into_iter().collect::<BTreeSet<_>>().len(), 80);
    tokio::time::timeout(SOON, subscriptions.remove(0).close())
        .await
        .unwrap();
    tokio::time::timeout(SOON, broker.close()).await.unwrap();
    assert_eq!(context.tasks.close(SOON).await, []);
}
