//! A subscriber with nothing to do does nothing.

use std::{fs, time::Duration};

use outrigger_testing_harness::{Folder, eventually};

use crate::{
    child::Child,
    log,
    support::{PATIENCE, open, publish},
};

/// How long idleness is watched.
const WATCH: Duration = Duration::from_secs(2);

/// Clock ticks of CPU time, and voluntary context switches of all threads, since the start of the process.
fn usage(process: u32) -> (u64, u64) {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // Fields are counted behind the name, which may hold anything but a closing parenthesis at its end.
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
    let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let mut switches = 0;
    for task in fs::read_dir(format!("/proc/{process}/task")).unwrap() {
        let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("voluntary_ctxt_switches"));
        switches += line.unwrap().split('\t').nth(1).unwrap().parse::<u64>().unwrap();
    }
    (ticks, switches)
}

#[tokio::test]
async fn an_idle_subscriber_takes_no_time_and_never_wakes() {
    let folder = Folder::new("broker").unwrap();
    let consumers = ["a", "b"].map(|name| Child {
        role: "consumer",
        folder: folder.file("broker"),
        log: folder.file(name),
        group: "g",
        lease: "60s",
        seed: 1,
    });
    let processes = consumers.each_ref().map(Child::spawn);
    let seen = |kind: &str| {
        let events = consumers.iter().flat_map(|child| log::read(&child.log));
        events.filter(|event| event.kind == kind).count()
    };
    eventually(PATIENCE, async || seen("ready") == 2).await;
    // They have worked before, and hold life lines to each other.
    let broker = open(&consumers[0].folder, &[]).await;
    for n in 0..20 {
        publish(&broker, "t", &n.to_string()).await;
    }
    eventually(PATIENCE, async || seen("done") == 20).await;
    broker.close().await;
    // The acknowledgements of the last messages may be under way: begin when nothing happens for a moment.
    let sample = || processes.each_ref().map(|process| usage(process.id()));
    eventually(PATIENCE, async || {
        let before = sample();
        tokio::time::sleep(Duration::from_millis(200)).await;
        before == sample()
    })
    .await;
    let before = sample();
    tokio::time::sleep(WATCH).await;
    let after = sample();
    for (before, after) in before.iter().zip(&after) {
        let (ticks, switches) = (after.0 - before.0, after.1 - before.1);
        println!("an idle subscriber in {WATCH:?}: {ticks} ticks, {switches} voluntary switches");
        assert!(ticks <= 1, "{ticks} clock ticks of CPU time");
        assert!(switches <= 2, "{switches} voluntary context switches");
    }
}
