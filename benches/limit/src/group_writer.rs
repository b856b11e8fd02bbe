//! The bare grouped writer: how many durable rows a second SQLite takes when many callers share a transaction.
//!
//! Producers hand rows to one writer, which takes all that wait, writes them in one transaction and answers each after
//! the commit. The table is the one that Dapr's SQLite state store makes, the journal is a write-ahead log, and
//! `synchronous` is what SQLite has when nobody sets it, FULL: an answered row survives loss of power.

use std::{
    path::Path,
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, Transaction, params};
use serde_json::{Value, json};

use crate::histogram::Histogram;

/// Rows in one transaction at most, so that the first producer of a batch does not wait without bound.
const BATCH: usize = 1_024;
/// Keys each producer goes round, as the load on a state store does.
const KEYS: u64 = 10_000;
/// SQLite's wait for another writer; there is none here.
const BUSY: Duration = Duration::from_secs(2);
/// The state table in Dapr's layout.
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS state (
  key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, is_binary BOOLEAN NOT NULL, etag TEXT NOT NULL,
  expiration_time TIMESTAMP DEFAULT NULL, update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)";
const UPSERT: &str = "INSERT OR REPLACE INTO state (key, value, is_binary, etag, update_time)
  VALUES (?1, ?2, FALSE, ?3, CURRENT_TIMESTAMP)";

/// What is run: who writes what for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Callers at a time, each waiting for its answer before the next row.
    pub producers: usize,
    /// Bytes of each value.
    pub value_bytes: usize,
    /// Time before counting begins.
    pub warmup: Duration,
    /// Time counted.
    pub duration: Duration,
}

struct Row {
    key: String,
    etag: String,
    answer: SyncSender<()>,
}

/// Runs the plan on the file at `path`, which is made when it is missing; latencies in microseconds.
///
/// # Errors
/// What SQLite says, when it cannot open the file or write to it.
pub fn run(path: &Path, plan: &Plan) -> rusqlite::Result<Value> {
    let mut connection = open(path)?;
    // Every producer has one row on its way, so the queue never holds more than there are producers.
    let (queue, rows) = channel();
    let start = Instant::now() + plan.warmup;
    let end = start + plan.duration;
    let producers: Vec<_> = (0..plan.producers)
        .map(|number| {
            let queue = queue.clone();
            thread::spawn(move || produce(number, &queue, start, end))
        })
        .collect();
    drop(queue);
    let value = "x".repeat(plan.value_bytes);
    let batches = write_until_done(&mut connection, &rows, &format!("\"{value}\""))?;
    let mut latency = Histogram::default();
    for producer in producers {
        if let Ok(of_one) = producer.join() {
            latency.merge(&of_one);
        }
    }
    let rps = latency.len() as f64 / plan.duration.as_secs_f64();
    Ok(json!({
        "rps": rps, "requests": latency.len(), "errors": 0, "batches": batches,
        "p50": latency.quantile_micros(0.5), "p90": latency.quantile_micros(0.9), "p99": latency.quantile_micros(0.99),
        "p999": latency.quantile_micros(0.999), "max": latency.max_nanos() as f64 / 1_000.0,
    }))
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

/// Writes what waits, batch by batch, until all producers are gone; answers the number of transactions.
fn write_until_done(connection: &mut Connection, rows: &Receiver<Row>, value: &str) -> rusqlite::Result<u64> {
    let mut batches = 0;
    let mut batch = Vec::with_capacity(BATCH);
    while let Ok(first) = rows.recv() {
        batch.push(first);
        batch.extend(rows.try_iter().take(BATCH - 1));
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        upsert(&transaction, &batch, value)?;
        transaction.commit()?;
        batches += 1;
        for row in batch.drain(..) {
            // A producer that did not wait for its answer has ended.
            let _ = row.answer.send(());
        }
    }
    Ok(batches)
}

fn upsert(transaction: &Transaction<'_>, batch: &[Row], value: &str) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(UPSERT)?;
    for row in batch {
        statement.execute(params![row.key, value, row.etag])?;
    }
    Ok(())
}

/// Writes one row after the other until `end`, and counts those asked for after `start`.
fn produce(number: usize, queue: &Sender<Row>, start: Instant, end: Instant) -> Histogram {
    let mut latency = Histogram::default();
    let (answer, answered) = sync_channel(1);
    for count in 0u64.. {
        let asked = Instant::now();
        if asked >= end {
            break;
        }
        let key = format!("app||key-{number}-{}", count % KEYS);
        // As long as the random UUID that a store would draw here; that it is not random changes nothing for SQLite.
        let etag = format!("{number:08x}-0000-4000-8000-{count:012x}");
        if queue
            .send(Row {
                key,
                etag,
                answer: answer.clone(),
            })
            .is_err()
            || answered.recv().is_err()
        {
            break;
        }
        if asked >= start {
            latency.record(asked.elapsed());
        }
    }
    latency
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answered_row_is_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let plan = Plan {
            producers: 4,
            value_bytes: 10,
            warmup: Duration::ZERO,
            duration: Duration::from_millis(200),
        };
        let report = run(&path, &plan).unwrap();
        let written: i64 = Connection::open(&path)
            .unwrap()
            .query_row("SELECT count(*) FROM state", [], |row| row.get(0))
            .unwrap();
        assert!(written > 0);
        // Rows asked for in time are counted; keys repeat only after ten thousand rounds.
        assert_eq!(Some(written), report["requests"].as_i64());
        assert!(report["batches"].as_i64().unwrap() <= written);
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_an_error() {
        let plan = Plan {
            producers: 1,
            value_bytes: 1,
            warmup: Duration::ZERO,
            duration: Duration::ZERO,
        };
        assert!(run(Path::new("/no/such/folder/state.db"), &plan).is_err());
    }
}
