//! How many sets and gets a second one SQLite store carries, grouped and not, and what a read costs on a thread.
//!
//! `cargo run --release -p outrigger-component-sqlite --example throughput [seconds per line] [folder]`. The folder decides
//! what is measured: on a file system in memory a commit costs nothing.

#![allow(clippy::print_stdout, reason = "a program whose result is its output")]

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use outrigger_block_kit::{Context, Properties};
use outrigger_block_state::{GetRequest, Metadata, Operation, Options, SetRequest, Store, Value};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Keys that the readers choose from.
const KEYS: usize = 10_000;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().map_or(Ok(3), |text| text.parse())?;
    let span = Duration::from_secs(seconds);
    let folder = match arguments.next() {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    for synchronous in ["FULL", "NORMAL"] {
        let path = folder.path().join(synchronous);
        let store = open(&path, synchronous).await?;
        for tasks in [1, 8, 32, 128] {
            report(
                &format!("set {synchronous} {tasks} tasks"),
                measure(tasks, span, |task| sets(store.clone(), task)).await?,
            );
        }
        report(
            &format!("transaction of 5 {synchronous} 32 tasks"),
            measure(32, span, |task| transactions(store.clone(), task)).await?,
        );
        store.close().await;
    }
    two_stores(&folder.path().join("two"), span).await?;
    reads(&folder.path().join("reads"), span).await
}

/// Two stores that write one file, as two sidecars of a machine do.
async fn two_stores(path: &Path, span: Duration) -> Result<(), Failure> {
    let stores = [open(path, "FULL").await?, open(path, "FULL").await?];
    let caller = |task: usize| sets(stores[task % 2].clone(), task);
    report(
        "set FULL 32 tasks, two stores on one file",
        measure(32, span, caller).await?,
    );
    for store in stores {
        store.close().await;
    }
    Ok(())
}

/// Point reads as the store does them, and as they would be if each went to a thread.
async fn reads(path: &Path, span: Duration) -> Result<(), Failure> {
    let store = open(path, "FULL").await?;
    let requests = (0..KEYS).map(|key| set(&format!("key-{key}"))).collect();
    for result in store.bulk_set(requests).await {
        result?;
    }
    let hop = Hop::start(path)?;
    for tasks in [1, 32] {
        report(
            &format!("get {tasks} tasks"),
            measure(tasks, span, |task| gets(store.clone(), task)).await?,
        );
        report(
            &format!("get through a thread {tasks} tasks"),
            measure(tasks, span, |task| hops(hop.clone(), task)).await?,
        );
    }
    store.close().await;
    Ok(())
}

async fn open(path: &Path, synchronous: &str) -> Result<Arc<dyn Store>, Failure> {
    let string = format!("file:{}?_pragma=synchronous({synchronous})", path.display());
    let properties = Properties::new([("connectionString", string)]);
    Ok(outrigger_component_sqlite::open(Context::for_test("throughput"), properties).await?)
}

/// One caller: counts its calls until the moment, and keeps how long each took.
type Caller = std::pin::Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

async fn measure<M>(
    tasks: usize,
    span: Duration,
    mut caller: impl FnMut(usize) -> M,
) -> Result<Vec<Duration>, Failure>
where
    M: FnMut(usize) -> Caller + Send + 'static,
{
    let mut set = tokio::task::JoinSet::new();
    let end = Instant::now() + span;
    for task in 0..tasks {
        let mut call = caller(task);
        set.spawn(async move {
            let mut took = Vec::new();
            while Instant::now() < end {
                let started = Instant::now();
                call(took.len()).await?;
                took.push(started.elapsed());
            }
            Ok::<_, Failure>(took)
        });
    }
    let mut all = vec![span];
    while let Some(took) = set.join_next().await {
        all.extend(took??);
    }
    Ok(all)
}

fn report(what: &str, mut took: Vec<Duration>) {
    let span = took.remove(0);
    took.sort_unstable();
    let rate = took.len() as f64 / span.as_secs_f64();
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
    let (median, late, last) = (at(0.5), at(0.99), at(1.0));
    println!("{what:40} {rate:9.0}/s  p50 {median:>10.1?}  p99 {late:>10.1?}  max {last:>10.1?}");
}

fn sets(store: Arc<dyn Store>, task: usize) -> impl FnMut(usize) -> Caller {
    move |call| {
        let store = store.clone();
        Box::pin(async move { Ok(store.set(set(&format!("app||{task}-{}", call % 1000))).await?) })
    }
}

fn transactions(store: Arc<dyn Store>, task: usize) -> impl FnMut(usize) -> Caller {
    move |call| {
        let store = store.clone();
        let operations = (0..5).map(|n| Operation::Set(set(&format!("app||{task}-{}-{n}", call % 200))));
        let operations = operations.collect();
        Box::pin(async move {
            let view = store.transactional().ok_or("the store is transactional")?;
            Ok(view.transact(operations, Metadata::new()).await?)
        })
    }
}

fn gets(store: Arc<dyn Store>, task: usize) -> impl FnMut(usize) -> Caller {
    move |call| {
        let store = store.clone();
        let request = GetRequest {
            key: key(task, call),
            ..GetRequest::default()
        };
        Box::pin(async move { Ok(store.get(request).await?.map(drop).ok_or("the key is there")?) })
    }
}

fn key(task: usize, call: usize) -> String {
    format!("key-{}", (task * 7919 + call * 104_729) % KEYS)
}

fn set(key: &str) -> SetRequest {
    SetRequest {
        key: key.to_owned(),
        value: Value::Json(Bytes::from(format!("\"{}\"", "x".repeat(256)))),
        etag: None,
        options: Options::default(),
        metadata: Metadata::new(),
    }
}

/// A thread that reads for others.
#[derive(Clone)]
struct Hop(mpsc::Sender<(String, oneshot::Sender<Option<Bytes>>)>);

impl Hop {
    fn start(path: &Path) -> Result<Self, Failure> {
        let connection = Connection::open(path)?;
        let (sender, mut jobs) = mpsc::channel::<(String, oneshot::Sender<Option<Bytes>>)>(256);
        std::thread::spawn(move || {
            while let Some((key, reply)) = jobs.blocking_recv() {
                let value = connection
                    .prepare_cached(
                        "SELECT value, is_binary, etag, expiration_time FROM state WHERE key = ?1",
                    )
                    .and_then(|mut statement| statement.query_row([key], |row| row.get::<_, String>(0)));
                let _ = reply.send(value.ok().map(Bytes::from));
            }
        });
        Ok(Self(sender))
    }
}

fn hops(hop: Hop, task: usize) -> impl FnMut(usize) -> Caller {
    move |call| {
        let hop = hop.clone();
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            hop.0.send((key(task, call), reply)).await?;
            answer.await?.map(drop).ok_or_else(|| "the key is there".into())
        })
    }
}
