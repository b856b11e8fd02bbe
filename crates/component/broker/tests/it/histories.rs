//! Random histories: publishers and consumers are killed, ended and started again while messages flow; afterwards the
//! logs of all processes are held against what the broker promises.
//!
//! `OUTRIGGER_BROKER_SEED` repeats a history's decisions, `OUTRIGGER_BROKER_ROUNDS` runs more of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use outrigger_base_clock::{Entropy, SeededEntropy, SystemEntropy, fraction};
use outrigger_testing_harness::{Folder, Process, eventually};
use tokio::time::Instant;

use crate::{
    child::Child,
    log::{self, Event},
    support::PATIENCE,
};

/// Rounds unless told otherwise.
const ROUNDS: u64 = 2;
/// How long processes are killed in a round.
const CHAOS: Duration = Duration::from_secs(8);
/// The pause between two kills is at most this.
const BETWEEN: Duration = Duration::from_millis(250);
/// How long the survivors may take to deliver the rest.
const DRAIN: Duration = Duration::from_secs(40);
/// The lease, as a property and in microseconds.
const LEASE: (&str, i64) = ("2s", 2_000_000);
/// A lease begins with the claim, its line in the log is written a little later, and a process that writes may wait for
/// its turn on a busy machine. A lease that is cut short by less than this is not noticed.
const LATE_LINE: i64 = 300_000;
/// An acknowledgement takes effect after the handler's last line; a process killed in this time may not have made it.
const ACK_WINDOW: i64 = 1_000_000;
/// Processes that take part: role and group.
const CAST: [(&str, &str); 7] = [
    ("chaotic", "one"),
    ("chaotic", "one"),
    ("chaotic", "one"),
    ("chaotic", "two"),
    ("publisher", "-"),
    ("publisher", "-"),
    ("publisher", "-"),
];
/// How many of them, from the first, consume.
const CONSUMERS: usize = 4;

/// One life of a process.
struct Life {
    group: &'static str,
    log: PathBuf,
    /// When it was killed, read before the kill; never when it was told to end.
    killed: Option<i64>,
}

/// A delivery as the logs tell it.
#[derive(Debug)]
struct Delivered {
    life: usize,
    got: i64,
    /// When the holder said it was over, and how.
    over: Option<(i64, bool)>,
    killed: Option<i64>,
}

/// What a round came to.
#[derive(Debug, Default)]
struct Verdict {
    published: usize,
    acknowledged: usize,
    kills: usize,
    lost: Vec<(String, &'static str)>,
    doubled: usize,
    unexplained: Vec<String>,
    out_of_lease: Vec<String>,
    errors: Vec<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_nor_taken_away_whoever_is_killed() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seed = number("OUTRIGGER_BROKER_SEED").unwrap_or_else(|| {
        let mut bytes = [0; 8];
        SystemEntropy.fill(&mut bytes);
        // Short enough to be typed.
        u64::from_le_bytes(bytes) % 1_000_000
    });
    for round in 0..number("OUTRIGGER_BROKER_ROUNDS").unwrap_or(ROUNDS) {
        let seed = seed + round;
        let verdict = history(seed).await;
        println!("seed {seed}: {verdict:?}");
        assert!(
            verdict.acknowledged > 100,
            "seed {seed}: too little happened: {verdict:?}"
        );
        assert!(verdict.kills > 10, "seed {seed}: too few kills: {verdict:?}");
        assert!(
            verdict.published >= verdict.acknowledged,
            "seed {seed}: {verdict:?}"
        );
        assert!(verdict.lost.is_empty(), "seed {seed}: {verdict:?}");
        assert!(verdict.out_of_lease.is_empty(), "seed {seed}: {verdict:?}");
        assert!(verdict.unexplained.is_empty(), "seed {seed}: {verdict:?}");
        assert!(verdict.errors.is_empty(), "seed {seed}: {verdict:?}");
    }
}

async fn history(seed: u64) -> Verdict {
    let folder = Folder::new("broker-history").unwrap();
    let dice = SeededEntropy::new(seed);
    let mut lives = Vec::new();
    let mut running = Vec::new();
    for part in 0..CAST.len() {
        if part == CONSUMERS {
            // A group gets what is published after it came to be.
            everyone_is_ready(&lives).await;
        }
        running.push(start(part, &folder, &dice, &mut lives));
    }
    let end = Instant::now() + CHAOS;
    while Instant::now() < end {
        tokio::time::sleep(BETWEEN.mul_f64(fraction(&dice))).await;
        let part = pick(&dice, CAST.len());
        let (life, process) = &mut running[part];
        if fraction(&dice) < 0.85 {
            lives[*life].killed = Some(log::now());
            process.kill();
        } else {
            process.terminate(DRAIN).await.unwrap();
        }
        running[part] = start(part, &folder, &dice, &mut lives);
    }
    // Publishers end in order; consumers deliver the rest.
    for (_, process) in &mut running[CONSUMERS..] {
        process.terminate(DRAIN).await.unwrap();
    }
    drain(&lives).await;
    for (_, process) in &mut running[..CONSUMERS] {
        process.terminate(DRAIN).await.unwrap();
    }
    judge(&lives)
}

async fn everyone_is_ready(lives: &[Life]) {
    eventually(PATIENCE, async || {
        lives
            .iter()
            .all(|life| log::read(&life.log).iter().any(|event| event.kind == "ready"))
    })
    .await;
}

fn start(part: usize, folder: &Folder, dice: &SeededEntropy, lives: &mut Vec<Life>) -> (usize, Process) {
    let (role, group) = CAST[part];
    let mut bytes = [0; 8];
    dice.fill(&mut bytes);
    let log = folder.file(&format!("{}-{role}.log", lives.len()));
    let child = Child {
        role,
        folder: folder.file("broker"),
        log: log.clone(),
        group,
        lease: LEASE.0,
        seed: u64::from_le_bytes(bytes),
    };
    lives.push(Life {
        group,
        log,
        killed: None,
    });
    (lives.len() - 1, child.spawn())
}

fn pick(dice: &SeededEntropy, of: usize) -> usize {
    ((fraction(dice) * of as f64) as usize).min(of - 1)
}

/// Waits until both groups are done with all that was acknowledged. Giving up is not an error here: the verdict says
/// what was lost.
async fn drain(lives: &[Life]) {
    let all = async {
        while !missing(lives).is_empty() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let _ = tokio::time::timeout(DRAIN, all).await;
}

fn ids(lives: &[Life], group: &str, kind: &str) -> BTreeSet<String> {
    lives
        .iter()
        .filter(|life| life.group == group)
        .flat_map(|life| log::read(&life.log))
        .filter(|event| event.kind == kind)
        .map(|event| event.text)
        .collect()
}

/// Acknowledged messages that a group has not done.
fn missing(lives: &[Life]) -> Vec<(String, &'static str)> {
    let acked = ids(lives, "-", "acked");
    let mut missing = Vec::new();
    for group in ["one", "two"] {
        let done = ids(lives, group, "done");
        missing.extend(acked.difference(&done).map(|id| (id.clone(), group)));
    }
    missing
}

fn judge(lives: &[Life]) -> Verdict {
    let mut verdict = Verdict {
        published: ids(lives, "-", "try").len(),
        acknowledged: ids(lives, "-", "acked").len(),
        kills: lives.iter().filter(|life| life.killed.is_some()).count(),
        lost: missing(lives),
        ..Verdict::default()
    };
    for life in lives {
        let errors = log::read(&life.log)
            .into_iter()
            .filter(|event| event.kind == "error");
        verdict.errors.extend(errors.map(|event| event.text));
    }
    for ((group, id), mut deliveries) in deliveries(lives) {
        deliveries.sort_by_key(|delivered| delivered.got);
        verdict.doubled += deliveries.len() - 1;
        for pair in deliveries.windows(2) {
            let what = || format!("{group} {id}: {pair:?}");
            if pair[1].got < held_until(&pair[0]) {
                verdict.out_of_lease.push(what());
            }
            if !may_come_again(&pair[0]) {
                verdict.unexplained.push(what());
            }
        }
    }
    verdict
}

fn deliveries(lives: &[Life]) -> BTreeMap<(&'static str, String), Vec<Delivered>> {
    let mut all: BTreeMap<_, Vec<Delivered>> = BTreeMap::new();
    for (number, life) in lives.iter().enumerate().filter(|(_, life)| life.group != "-") {
        for Event { kind, at, text } in log::read(&life.log) {
            let entry = all.entry((life.group, text));
            match &*kind {
                "got" => entry.or_default().push(Delivered {
                    life: number,
                    got: at,
                    over: None,
                    killed: life.killed,
                }),
                // The newest of this life: a process never has a message in hand twice at once.
                "done" | "nack" => {
                    let open = entry
                        .or_default()
                        .iter_mut()
                        .rfind(|delivered| delivered.life == number && delivered.over.is_none());
                    open.unwrap().over = Some((at, kind == "done"));
                }
                _ => {}
            }
        }
    }
    all.retain(|_, deliveries| !deliveries.is_empty());
    all
}

/// Until when nobody else of the group may get the message.
fn held_until(delivered: &Delivered) -> i64 {
    let lease = delivered.got + LEASE.1 - LATE_LINE;
    let over = delivered.over.map_or(i64::MAX, |(at, _)| at);
    lease.min(over).min(delivered.killed.unwrap_or(i64::MAX))
}

/// Whether at-least-once permits another delivery after this one.
fn may_come_again(delivered: &Delivered) -> bool {
    match delivered.over {
        Some((_, false)) => true,
        Some((at, true)) => delivered.killed.is_some_and(|killed| killed - at < ACK_WINDOW),
        // It was killed, or its lease ran out.
        None => true,
    }
}
