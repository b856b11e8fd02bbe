//! This test binary as a process of its own: a publisher or a consumer that can be killed.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use outrigger_base_clock::{SeededEntropy, fraction};
use outrigger_block_pubsub::{Delivery, Handler, Nack, Publish};
use outrigger_testing_harness::Process;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    log::Log,
    support::{open, subscribe},
};

/// What a child is to do; handed over in its environment.
#[derive(Debug, Clone)]
pub(crate) struct Child {
    pub(crate) role: &'static str,
    pub(crate) folder: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) group: &'static str,
    pub(crate) lease: &'static str,
    pub(crate) seed: u64,
}

impl Child {
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([
                "--exact",
                "child::entry",
                "--ignored",
                "--nocapture",
                "--test-threads=1",
            ])
            .env("BROKER_CHILD_ROLE", self.role)
            .env("BROKER_CHILD_FOLDER", &self.folder)
            .env("BROKER_CHILD_LOG", &self.log)
            .env("BROKER_CHILD_GROUP", self.group)
            .env("BROKER_CHILD_LEASE", self.lease)
            .env("BROKER_CHILD_SEED", self.seed.to_string());
        command
    }

    pub(crate) fn spawn(&self) -> Process {
        Process::spawn(&mut self.command(), "none: it is this test").unwrap()
    }
}

/// Not a test: the main function of a child.
#[test]
#[ignore = "the main function of a child of other tests"]
fn entry() {
    let text = |name: &str| std::env::var(format!("BROKER_CHILD_{name}")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let log = Arc::new(Log::open(Path::new(&text("LOG"))));
    let (folder, group, lease) = (PathBuf::from(text("FOLDER")), text("GROUP"), text("LEASE"));
    let seed: u64 = text("SEED").parse().unwrap();
    runtime.block_on(async {
        match &*text("ROLE") {
            "publisher" => publisher(&folder, log, seed).await,
            "filler" => filler(&folder, log).await,
            role => consumer(&folder, &group, &lease, role, log, seed).await,
        }
    });
}

/// Publishes numbered messages, four at a time, until it is killed or told to end.
async fn publisher(folder: &Path, log: Arc<Log>, seed: u64) {
    let broker = open(folder, &[]).await;
    let next = AtomicU64::new(0);
    let pauses = SeededEntropy::new(seed);
    let one = || async {
        loop {
            let id = format!("{seed}-{}", next.fetch_add(1, Ordering::Relaxed));
            log.write("try", &id);
            let message = Publish {
                topic: "t".to_owned(),
                data: id.clone().into(),
                ..Publish::default()
            };
            match broker.publish(message).await {
                Ok(()) => log.write("acked", &id),
                Err(error) => log.write("error", &outrigger_base_std::chain(&error)),
            }
            tokio::time::sleep(Duration::from_secs_f64(fraction(&pauses) * 0.03)).await;
        }
    };
    let mut terminated = signal(SignalKind::terminate()).unwrap();
    tokio::select! {
        () = async { tokio::join!(one(), one(), one(), one()); } => {}
        _ = terminated.recv() => {}
    }
    broker.close().await;
}

/// Publishes large messages until one is refused, then small ones to see what is left.
async fn filler(folder: &Path, log: Arc<Log>) {
    let broker = open(folder, &[]).await;
    for _ in 0..200 {
        let message = Publish {
            topic: "t".to_owned(),
            data: vec![b'x'; 64 << 10].into(),
            ..Publish::default()
        };
        match broker.publish(message).await {
            Ok(()) => log.write("acked", ""),
            Err(error) => {
                let text = format!("{} {}", error.retryable(), outrigger_base_std::chain(&error));
                log.write("error", &text);
                break;
            }
        }
    }
    log.write("ping", &format!("{:?}", broker.ping().await));
    broker.close().await;
    log.write("closed", "");
}

/// Consumes until it is killed or told to end. Its role says how it handles: `consumer` is quick, `hanging` never
/// ends, `chaotic` fails and dawdles at random.
async fn consumer(folder: &Path, group: &str, lease: &str, role: &str, log: Arc<Log>, seed: u64) {
    let broker = open(folder, &[("consumerID", group), ("processingTimeout", lease)]).await;
    let handler = Arc::new(Consumer {
        log: log.clone(),
        role: role.to_owned(),
        entropy: SeededEntropy::new(seed),
    });
    let mut terminated = signal(SignalKind::terminate()).unwrap();
    let _subscription = subscribe(&broker, "t", handler).await;
    log.write("ready", "");
    terminated.recv().await;
    broker.close().await;
}

struct Consumer {
    log: Arc<Log>,
    role: String,
    entropy: SeededEntropy,
}

#[async_trait]
impl Handler for Consumer {
    async fn handle(&self, delivery: Delivery) -> Result<(), Nack> {
        let id = String::from_utf8(delivery.message.data.to_vec()).unwrap();
        self.log.write("got", &id);
        match &*self.role {
            "hanging" => std::future::pending().await,
            "chaotic" => {
                let (dice, pause) = (fraction(&self.entropy), fraction(&self.entropy));
                if dice < 0.002 {
                    // Longer than its lease.
                    std::future::pending::<()>().await;
                }
                tokio::time::sleep(Duration::from_secs_f64(pause * 0.02)).await;
                if dice > 0.97 {
                    self.log.write("nack", &id);
                    return Err(Nack("at random".to_owned()));
                }
            }
            _ => {}
        }
        self.log.write("done", &id);
        Ok(())
    }
}
