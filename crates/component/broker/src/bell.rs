//! Waking: a datagram to every process that has a subscription of a topic, a notification to those of this process.
//!
//! A ring says "look" and nothing else, so one that is dropped because others lie unread before it loses nothing.

use std::{
    collections::{BTreeSet, HashMap},
    io,
    os::unix::net::UnixDatagram,
    sync::{Arc, Mutex, PoisonError},
};

use outrigger_base_task::StopSignal;
use tokio::sync::Notify;

use crate::folder::{Folder, MemberId};

/// What a ring is made of. Nobody reads it.
const RING: &[u8] = b"!";

/// The subscriptions of this process, and how to wake each.
#[derive(Debug, Default)]
pub(crate) struct Sleepers(Mutex<HashMap<u64, (i64, Arc<Notify>)>>);

impl Sleepers {
    /// Adds the subscription `id` of `topic`; what it gets is notified when it should look.
    pub(crate) fn add(&self, id: u64, topic: i64) -> Arc<Notify> {
        let wake = Arc::new(Notify::new());
        self.lock().insert(id, (topic, wake.clone()));
        wake
    }

    /// Removes a subscription.
    pub(crate) fn remove(&self, id: u64) {
        self.lock().remove(&id);
    }

    /// Wakes the subscriptions of `topics`.
    pub(crate) fn wake(&self, topics: &BTreeSet<i64>) {
        for (topic, wake) in self.lock().values() {
            if topics.contains(topic) {
                wake.notify_one();
            }
        }
    }

    /// Wakes every subscription.
    pub(crate) fn wake_all(&self) {
        self.lock().values().for_each(|(_, wake)| wake.notify_one());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, (i64, Arc<Notify>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rings for other processes.
#[derive(Debug)]
pub(crate) struct Ringer(UnixDatagram);

impl Ringer {
    /// A ringer; it has no address.
    pub(crate) fn new() -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        Ok(Self(socket))
    }

    /// Rings for `member`. Says whether somebody is there to hear it.
    pub(crate) fn ring(&self, folder: &Folder, member: MemberId) -> bool {
        let bell = folder.bell(member);
        let rung = match self.0.send_to(RING, &bell) {
            // Either its queue is full, or this socket's buffer is, with rings that somebody else has not read. A new
            // socket has room.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Self::new().and_then(|fresh| fresh.0.send_to(RING, &bell))
            }
            rung => rung,
        };
        match rung.map_err(|error| (error.kind(), error)) {
            Ok(_) => true,
            // Its queue is full: rings that it has not read yet say the same.
            Err((io::ErrorKind::WouldBlock, _)) => true,
            Err((io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound, _)) => false,
            Err((_, error)) => {
                tracing::warn!(member, %error, "cannot wake a process of the broker: it looks when a lease ends");
                true
            }
        }
    }
}

/// Hears the rings of others until `stop`, and wakes everyone here.
pub(crate) async fn hear(bell: tokio::net::UnixDatagram, sleepers: Arc<Sleepers>, stop: StopSignal) {
    let mut ring = [0; 16];
    while let Some(heard) = stop.run_until(bell.recv(&mut ring)).await {
        if let Err(error) = heard {
            tracing::error!(%error, "the broker's bell is broken: subscriptions look only when a lease ends");
            return;
        }
        // Rings that came meanwhile say the same.
        while bell.try_recv(&mut ring).is_ok() {}
        sleepers.wake_all();
    }
}
