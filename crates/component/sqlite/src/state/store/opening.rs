//! How a store comes to be.

use std::{num::NonZero, sync::Arc, thread::available_parallelism, time::Duration};

use outrigger_base_clock::Clock;
use outrigger_base_task::Thread;
use outrigger_block_kit::{Context, OpenError, Properties};
use outrigger_block_state::Store;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{Inner, SqliteStore};
use crate::{
    connection_string::TransactionLock,
    failure::Failure,
    migrate::migrate,
    state::{
        cleanup,
        pool::{self, Pool},
        queue::{self, Job},
        settings::Settings,
        statements::Statements,
        writer::Writer,
    },
};

/// Opens the database that `properties` name, and makes its tables if they are not there.
///
/// Fails with [`OpenError::Missing`] or [`OpenError::Invalid`] when the properties cannot be used, and with
/// [`OpenError::Unavailable`] when the file cannot: it is no database, another process holds it, the folder is not
/// there. Everything that may wait for the disk happens on the writer's thread.
pub async fn open(context: Context, properties: Properties) -> Result<Arc<dyn Store>, OpenError> {
    let settings = Settings::parse(&properties)?;
    let statements = Arc::new(Statements::new(&settings.tables));
    let (queue, jobs) = mpsc::channel(queue::CAPACITY);
    let (writer, opened) = start_writer(&settings, statements.clone(), context.clock.clone(), jobs)?;
    let readers = opened
        .await
        .map_err(|error| OpenError::unavailable("open the SQLite database on its thread", error))??;
    let pool = match readers {
        Some(readers) => Some(Pool::start(statements, readers.borrowed, readers.owned)?),
        None => None,
    };
    let inner = Arc::new(Inner {
        timeout: settings.timeout,
        clock: context.clock,
        entropy: context.entropy,
        queue,
        writer,
        pool,
    });
    let cleanup = context.tasks.child(context.name);
    if let Some(interval) = settings.cleanup_interval {
        let run = cleanup::run(Arc::downgrade(&inner), interval, cleanup.signal().clone());
        cleanup.spawn("sqlite-cleanup", run);
    }
    Ok(Arc::new(SqliteStore { inner, cleanup }))
}

/// Connections to read from.
struct Readers {
    borrowed: Vec<Connection>,
    owned: Vec<Connection>,
}

/// Everything that is open.
struct Opened {
    /// The writer's.
    connection: Connection,
    /// How long the writer waits for a lock by itself.
    patience: Option<Duration>,
    /// `None` when the writer's connection is the only one there can be.
    readers: Option<Readers>,
}

type Report = Result<Option<Readers>, OpenError>;

/// Starts the thread that opens the database and then writes to it.
fn start_writer(
    settings: &Settings,
    statements: Arc<Statements>,
    clock: Arc<dyn Clock>,
    jobs: mpsc::Receiver<Job>,
) -> Result<(Thread, oneshot::Receiver<Report>), OpenError> {
    let settings = settings.clone();
    let (report, opened) = oneshot::channel();
    let body = move || {
        let opened = match connect(&settings) {
            Ok(opened) => opened,
            Err(error) => return drop(report.send(Err(error))),
        };
        // When nobody waits any more, `open` was dropped, and there is nothing to write.
        if report.send(Ok(opened.readers)).is_ok() {
            let writer = Writer {
                connection: opened.connection,
                statements,
                clock,
                begin: settings.connector.string.lock.begin(),
                patience: opened.patience,
            };
            writer.run(jobs);
        }
    };
    let thread = Thread::spawn("sqlite-writer", body)
        .map_err(|error| OpenError::unavailable("start the writer thread", error))?;
    Ok((thread, opened))
}

/// Opens every connection, the writer's first: it makes the file, sets its journal mode and makes the tables.
fn connect(settings: &Settings) -> Result<Opened, OpenError> {
    let connector = &settings.connector;
    let (connection, wal) = connector.writer()?;
    migrate(&connection, &settings.tables)?;
    if connector.string.in_memory {
        return Ok(Opened {
            connection,
            patience: None,
            readers: None,
        });
    }
    let many = |count: usize, busy_timeout: Duration| {
        (0..count)
            .map(|_| connector.reader(busy_timeout))
            .collect::<Result<Vec<_>, _>>()
    };
    // Outside WAL mode a reader may have to wait for the writer, and a caller's thread must not.
    let cores = available_parallelism().map_or(1, NonZero::get);
    let borrowed = if wal { cores.min(pool::MAX_BORROWED) } else { 0 };
    let readers = Readers {
        borrowed: many(borrowed, Duration::ZERO)?,
        owned: many(pool::THREADS, connector.busy_timeout)?,
    };
    // With a deferred lock it is not the beginning that waits, but the first write, by SQLite's own waiting.
    let waits_itself = wal && connector.string.lock != TransactionLock::Deferred;
    if waits_itself {
        connection
            .busy_timeout(Duration::ZERO)
            .map_err(|error| OpenError::unavailable("set the busy time-out", Failure::from(error)))?;
    }
    Ok(Opened {
        connection,
        patience: waits_itself.then_some(connector.busy_timeout),
        readers: Some(readers),
    })
}
