//! Learning that a process died: a connection to it ends.
//!
//! Processes that share a group hold one connection per pair. When it ends, the survivor asks the store to bury the
//! other: the store looks at the lock that only a living process holds, and releases its leases. A missed end costs
//! time, not correctness: leases run out by themselves.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use outrigger_base_task::TaskSet;
use tokio::{
    io::AsyncReadExt,
    net::{UnixListener, UnixStream},
};

use crate::{
    folder::{Folder, MemberId},
    store::{Bury, Fate, StoreHandle},
};

/// A dying process closes its files one after another: its connection may end before its lock does. Looked at again
/// after this, then twice this, and so on.
const FIRST_LOOK_AGAIN: Duration = Duration::from_millis(5);
/// How often it is looked at again: two and a half seconds in all, more than the death of a large process takes.
const LOOKS: u32 = 9;
/// A pause after a failed accept, which is for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// The life lines of this process.
#[derive(Debug)]
pub(crate) struct LifeLines {
    me: MemberId,
    folder: Arc<Folder>,
    store: StoreHandle,
    tasks: TaskSet,
    /// Members with a line that this process drew.
    drawn: Mutex<HashSet<MemberId>>,
}

impl LifeLines {
    /// No lines yet.
    pub(crate) fn new(me: MemberId, folder: Arc<Folder>, store: StoreHandle, tasks: TaskSet) -> Arc<Self> {
        Arc::new(Self {
            me,
            folder,
            store,
            tasks,
            drawn: Mutex::default(),
        })
    }

    /// Draws lines to `peers` where there are none.
    pub(crate) fn draw(self: &Arc<Self>, peers: &[MemberId]) {
        for &peer in peers {
            if self.drawn().insert(peer) {
                let lines = self.clone();
                self.tasks
                    .spawn("broker-life-line", async move { lines.hold(peer).await });
            }
        }
    }

    /// Accepts lines that others draw.
    pub(crate) async fn accept(self: Arc<Self>, listener: UnixListener) {
        let stop = self.tasks.signal().clone();
        while let Some(accepted) = stop.run_until(listener.accept()).await {
            match accepted {
                Ok((line, _)) => {
                    let lines = self.clone();
                    self.tasks
                        .spawn("broker-life-line", async move { lines.answer(line).await });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection of another process of the broker");
                    stop.run_until(tokio::time::sleep(ACCEPT_PAUSE)).await;
                }
            }
        }
    }

    /// Connects to `peer`, says who is calling, waits for the end.
    async fn hold(&self, peer: MemberId) {
        let ended = self.tasks.signal().run_until(async {
            if let Ok(mut line) = UnixStream::connect(self.folder.life(peer)).await
                && tokio::io::AsyncWriteExt::write_all(&mut line, &self.me.to_le_bytes())
                    .await
                    .is_ok()
            {
                wait_for_end(&mut line).await;
            }
        });
        if ended.await.is_some() {
            self.bury(peer).await;
        }
        self.drawn().remove(&peer);
    }

    /// Learns who called, waits for the end.
    async fn answer(&self, mut line: UnixStream) {
        let mut caller = [0; size_of::<MemberId>()];
        let ended = self.tasks.signal().run_until(async {
            line.read_exact(&mut caller).await.ok()?;
            wait_for_end(&mut line).await;
            Some(())
        });
        if ended.await.flatten().is_some() {
            self.bury(MemberId::from_le_bytes(caller)).await;
        }
    }

    async fn bury(&self, member: MemberId) {
        let mut pause = FIRST_LOOK_AGAIN;
        for _ in 0..LOOKS {
            match self.store.run(Bury { member }).await {
                Ok(Fate::Alive) => {}
                Ok(Fate::Gone) => return,
                Err(error) => {
                    tracing::debug!(member, %error, "cannot release the leases of a process that ended");
                }
            }
            let slept = self.tasks.signal().run_until(tokio::time::sleep(pause)).await;
            if slept.is_none() {
                return;
            }
            pause *= 2;
        }
    }

    fn drawn(&self) -> std::sync::MutexGuard<'_, HashSet<MemberId>> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nothing is sent on a line: whatever a read gives, and be it an error, only its end matters.
async fn wait_for_end(line: &mut UnixStream) {
    let mut nothing = [0; 16];
    while line.read(&mut nothing).await.is_ok_and(|read| read > 0) {}
}
