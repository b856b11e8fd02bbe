//! How requests reach the connections.

use std::{sync::Arc, time::Duration, time::Instant};

use outrigger_base_clock::{Clock, Entropy, Timestamp};
use outrigger_base_task::Thread;
use outrigger_block_state::{Error, Operation, SetRequest};
use tokio::sync::{mpsc, oneshot};

use crate::state::{
    error::{self, READING, WRITING},
    operation::Ready,
    pool::Pool,
    queue::{Done, Job, Work, Write},
    reader::{ReadJob, Reader},
    row::ReadError,
};

/// The store without its cleanup task, which holds this weakly.
pub(in crate::state) struct Inner {
    /// `None` when the writer's connection is the only one there can be. It stands before the queue, so that a store
    /// which is dropped lets go of these connections before the writer ends: the last close of a file writes to it.
    pub(super) pool: Option<Pool>,
    pub(super) timeout: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) queue: mpsc::Sender<Job>,
    pub(super) writer: Thread,
}

/// The call took longer than the component's `timeout`.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {0:?}, the timeout of the component")]
struct TimedOut(Duration);

impl Inner {
    /// Wall time.
    pub(in crate::state) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Checks a write and makes it ready.
    pub(super) fn ready_set(&self, request: SetRequest) -> Result<Ready, Error> {
        Ready::set(request, &*self.clock, &*self.entropy)
    }

    /// Checks a step of a transaction and makes it ready.
    pub(super) fn ready(&self, operation: Operation) -> Result<Ready, Error> {
        Ready::new(operation, &*self.clock, &*self.entropy)
    }

    /// Has the writer do `work`. Done means committed. When this is dropped, the work may still happen, or not; when
    /// it is dropped before the writer came to it, it does not.
    pub(in crate::state) async fn write(&self, work: Work) -> Result<Done, Error> {
        let (reply, answer) = oneshot::channel();
        let write = Write {
            work,
            reply,
            outcome: None,
        };
        self.within(WRITING, async {
            self.queue
                .send(Job::Write(write))
                .await
                .map_err(|_| Error::Closed)?;
            answer.await.unwrap_or(Err(Error::Closed))
        })
        .await
    }

    /// Writes many, each on its own, in one commit; what was not ready keeps its error.
    pub(super) async fn write_each(&self, requests: Vec<Result<Ready, Error>>) -> Vec<Result<(), Error>> {
        let mut results = Vec::with_capacity(requests.len());
        let mut ready = Vec::with_capacity(requests.len());
        for request in requests {
            results.push(request.map(|one| ready.push(one)));
        }
        if ready.is_empty() {
            return results;
        }
        let answers = results.iter_mut().filter(|result| result.is_ok());
        match self.write(Work::Each(ready)).await {
            Ok(done) => answers.zip(done.each).for_each(|(slot, result)| *slot = result),
            Err(Error::Closed) => answers.for_each(|slot| *slot = Err(Error::Closed)),
            // All else that happened in the database stands in `each`.
            Err(_) => answers.for_each(|slot| *slot = Err(self.timed_out(WRITING))),
        }
        results
    }

    /// A query of a few rows by key: on this thread if it can be done at once, otherwise where [`Inner::scan`] runs.
    pub(super) async fn glance<T, Q>(&self, query: Q) -> Result<T, Error>
    where
        T: Send + 'static,
        Q: Fn(Reader<'_>) -> Result<T, ReadError> + Send + 'static,
    {
        let Some(pool) = &self.pool else {
            return self.scan(query).await;
        };
        // A read that never waits would otherwise let its task keep the worker for as long as it likes.
        tokio::task::consume_budget().await;
        if let Some(answer) = pool.try_here(&query) {
            return answer.map_err(error::of_read);
        }
        let pace = pool.pace();
        self.scan(move |reader| {
            let started = Instant::now();
            let answer = query(reader);
            pace.read_there(started.elapsed());
            answer
        })
        .await
    }

    /// A query of any length, on a thread that may wait.
    pub(in crate::state) async fn scan<T, Q>(&self, query: Q) -> Result<T, Error>
    where
        T: Send + 'static,
        Q: FnOnce(Reader<'_>) -> Result<T, ReadError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: ReadJob = Box::new(move |reader| {
            if !reply.is_closed() {
                // A caller that went away meanwhile does not want to know.
                let _ = reply.send(query(reader));
            }
        });
        self.within(READING, async {
            let sent = match &self.pool {
                Some(pool) => pool.send(job).await,
                None => self.queue.send(Job::Read(job)).await.is_ok(),
            };
            if !sent {
                return Err(Error::Closed);
            }
            match answer.await {
                Ok(answer) => answer.map_err(error::of_read),
                Err(_) => Err(Error::Closed),
            }
        })
        .await
    }

    /// Finishes what waits, then closes the connections, the writer's last.
    pub(super) async fn close(&self) {
        if let Some(pool) = &self.pool {
            pool.close().await;
        }
        // It fails when the writer has ended already.
        let _ = self.queue.send(Job::Close).await;
        self.writer.ended().await;
    }

    async fn within<T>(
        &self,
        attempted: &'static str,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout(self.timeout, call).await {
            Ok(answer) => answer,
            Err(_) => Err(self.timed_out(attempted)),
        }
    }

    fn timed_out(&self, attempted: &'static str) -> Error {
        Error::unavailable(attempted, TimedOut(self.timeout))
    }
}
