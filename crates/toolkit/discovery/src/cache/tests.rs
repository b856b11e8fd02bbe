//! What the cache promises, on tokio's paused clock.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::time::{advance, sleep};

use super::*;
use crate::Endpoint;

/// A resolver whose answers a test changes, and which counts how often it is asked.
#[derive(Default)]
struct Scripted {
    asked: AtomicUsize,
    script: Mutex<Script>,
}

#[derive(Clone)]
enum Script {
    Ports(Vec<u16>),
    Fail,
    Panic,
    Hang,
}

impl Default for Script {
    fn default() -> Self {
        Self::Ports(vec![])
    }
}

/// How long the scripted resolver takes.
const SLOW: Duration = Duration::from_millis(10);

impl Scripted {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn say(&self, script: Script) {
        *self.script.lock().unwrap() = script;
    }
}

impl Resolve for Scripted {
    fn resolve<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Endpoints, Error>> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            sleep(SLOW).await;
            let script = self.script.lock().unwrap().clone();
            match script {
                Script::Ports(ports) => Ok(ports.into_iter().map(|port| Endpoint::new(at(port))).collect()),
                Script::Fail => Err(Error::Unavailable {
                    name: name.clone(),
                    resolver: "scripted",
                    source: Arc::new(std::io::Error::other("down")),
                }),
                Script::Panic => panic!("as scripted"),
                Script::Hang => std::future::pending().await,
            }
        })
    }
}

fn at(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn orders() -> Name {
    Name::new("orders")
}

fn cache(script: Script, options: CacheOptions) -> Cache<Scripted> {
    let resolver = Scripted::default();
    resolver.say(script);
    Cache::new(resolver, options)
}

fn ports(endpoints: &Endpoints) -> Vec<u16> {
    endpoints.iter().map(|endpoint| endpoint.address.port()).collect()
}

async fn resolved(cache: &Cache<Scripted>) -> Vec<u16> {
    ports(&cache.resolve(&orders()).await.unwrap())
}

fn cached(cache: &Cache<Scripted>) -> Option<Vec<u16>> {
    cache.cached(NameRef::new("orders")).as_ref().map(ports)
}

#[tokio::test(start_paused = true)]
async fn a_fresh_answer_is_given_without_asking() {
    let cache = cache(Script::Ports(vec![1, 2]), CacheOptions::default());
    assert_eq!(cached(&cache), None);
    assert_eq!(resolved(&cache).await, [1, 2]);
    advance(Duration::from_secs(19)).await;
    assert_eq!(resolved(&cache).await, [1, 2]);
    assert_eq!(cached(&cache), Some(vec![1, 2]));
    assert_eq!(cache.get_ref().asked(), 1);
    assert!(
        cache
            .cached(NameRef::new("orders").in_namespace("test"))
            .is_none(),
        "namespaces are apart"
    );
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_is_given_while_a_new_one_is_fetched_once() {
    let cache = cache(Script::Ports(vec![1]), CacheOptions::default());
    resolved(&cache).await;
    cache.get_ref().say(Script::Ports(vec![2]));
    advance(Duration::from_secs(20)).await;
    for _ in 0..10 {
        assert_eq!(cached(&cache), Some(vec![1]), "the caller does not wait");
    }
    sleep(SLOW * 2).await;
    assert_eq!(cached(&cache), Some(vec![2]));
    assert_eq!(cache.get_ref().asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_too_old_is_not_given() {
    let cache = cache(Script::Ports(vec![1]), CacheOptions::default());
    resolved(&cache).await;
    cache.get_ref().say(Script::Ports(vec![2]));
    advance(Duration::from_secs(60)).await;
    assert_eq!(cached(&cache), None);
    assert_eq!(resolved(&cache).await, [2]);
}

#[tokio::test(start_paused = true)]
async fn callers_that_wait_for_one_name_share_one_flight() {
    let cache = cache(Script::Ports(vec![1]), CacheOptions::default());
    let (one, two, three) = tokio::join!(resolved(&cache), resolved(&cache), resolved(&cache));
    assert_eq!((one, two, three), (vec![1], vec![1], vec![1]));
    assert_eq!(cache.get_ref().asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_believed_briefly() {
    let cache = cache(Script::Ports(vec![]), CacheOptions::default());
    for _ in 0..3 {
        assert!(cache.resolve(&orders()).await.unwrap_err().is_not_found());
    }
    assert_eq!(cache.get_ref().asked(), 1);
    cache.get_ref().say(Script::Ports(vec![1]));
    advance(Duration::from_millis(500)).await;
    assert_eq!(resolved(&cache).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_not_kept_and_does_not_replace_an_old_answer() {
    let cache = cache(Script::Fail, CacheOptions::default());
    assert!(matches!(
        cache.resolve(&orders()).await,
        Err(Error::Unavailable { .. })
    ));
    cache.get_ref().say(Script::Ports(vec![1]));
    assert_eq!(resolved(&cache).await, [1]);

    cache.get_ref().say(Script::Fail);
    advance(Duration::from_secs(20)).await;
    assert_eq!(cached(&cache), Some(vec![1]));
    sleep(SLOW * 2).await;
    assert_eq!(
        cached(&cache),
        Some(vec![1]),
        "the refresh failed, the old answer stays"
    );
    assert_eq!(cache.get_ref().asked(), 3, "and is not tried again at once");
    advance(Duration::from_secs(1)).await;
    assert_eq!(cached(&cache), Some(vec![1]));
    sleep(SLOW * 2).await;
    assert_eq!(cache.get_ref().asked(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_panics_or_hangs_fails_the_look_up_only() {
    let cache = cache(Script::Panic, CacheOptions::default());
    assert!(matches!(
        cache.resolve(&orders()).await,
        Err(Error::Unavailable { .. })
    ));
    cache.get_ref().say(Script::Hang);
    assert!(matches!(
        cache.resolve(&orders()).await,
        Err(Error::Timeout { .. })
    ));
    cache.get_ref().say(Script::Ports(vec![1]));
    assert_eq!(resolved(&cache).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn an_evicted_address_is_out_at_once() {
    let cache = cache(Script::Ports(vec![1, 2]), CacheOptions::default());
    resolved(&cache).await;
    cache.evict(NameRef::new("orders"), at(1));
    assert_eq!(cached(&cache), Some(vec![2]));
    sleep(SLOW * 2).await;
    assert_eq!(
        cached(&cache),
        Some(vec![1, 2]),
        "the resolver was asked anew and vouches for it"
    );
    assert_eq!(cache.get_ref().asked(), 2);

    cache.get_ref().say(Script::Ports(vec![3]));
    cache.evict(NameRef::new("orders"), at(1));
    cache.evict(NameRef::new("orders"), at(2));
    assert_eq!(
        cached(&cache),
        None,
        "the last one is gone: ask again, do not claim that there is nobody"
    );
    assert_eq!(resolved(&cache).await, [3]);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_name_makes_room() {
    let cache = cache(
        Script::Ports(vec![1]),
        CacheOptions {
            names: 2,
            ..CacheOptions::default()
        },
    );
    for id in ["a", "b", "c"] {
        cache.resolve(&Name::new(id)).await.unwrap();
    }
    let kept = ["a", "b", "c"].map(|id| cache.cached(NameRef::new(id)).is_some());
    assert_eq!(kept, [false, true, true]);
}
