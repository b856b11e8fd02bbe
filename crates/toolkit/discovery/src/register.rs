//! Announcing an instance, and taking the announcement back.

use std::{fmt, mem};

use crate::{BoxFuture, Endpoint, Error, Name};

/// Tells others where an instance listens.
pub trait Register: Send + Sync {
    /// Announces `instance` until the returned guard is closed or dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Register`] when the announcement could not be made, [`Error::Inexpressible`] when the
    /// instance does not fit into this registry's records.
    fn register<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Result<Registration, Error>>;
}

/// What is announced: this process, serving `name` at `endpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The service that the instance belongs to.
    pub name: Name,
    /// Where others reach it.
    pub endpoint: Endpoint,
}

/// An announcement that stands for as long as this value is kept.
#[must_use = "the announcement is withdrawn when this is dropped"]
pub struct Registration(Option<Withdraw>);

/// Starts the withdrawal at once, and waits for its end in the returned future.
type Withdraw = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send + Sync>;

// === impl Instance ===

impl Instance {
    /// This process, serving `name` at `endpoint`.
    pub fn new(name: Name, endpoint: impl Into<Endpoint>) -> Self {
        Self {
            name,
            endpoint: endpoint.into(),
        }
    }
}

// === impl Registration ===

impl Registration {
    /// An announcement that `withdraw` takes back. It is called once and starts the withdrawal before it
    /// returns, so that dropping the future loses only the news that it is done.
    pub fn new(withdraw: impl FnOnce() -> BoxFuture<'static, ()> + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(withdraw)))
    }

    /// An announcement that nobody could hear, so there is nothing to take back.
    pub fn inert() -> Self {
        Self(None)
    }

    /// Several announcements as one.
    pub fn all(registrations: impl IntoIterator<Item = Self>) -> Self {
        let parts: Vec<_> = registrations.into_iter().collect();
        Self::new(move || {
            let ends: Vec<_> = parts.into_iter().map(Self::start).collect();
            Box::pin(async move {
                for end in ends.into_iter().flatten() {
                    end.await;
                }
            })
        })
    }

    /// Takes the announcement back, and returns when others have been told.
    pub async fn close(self) {
        if let Some(end) = self.start() {
            end.await;
        }
    }

    fn start(mut self) -> Option<BoxFuture<'static, ()>> {
        mem::take(&mut self.0).map(|withdraw| withdraw())
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(withdraw) = self.0.take() {
            drop(withdraw());
        }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("standing", &self.0.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    fn counted(started: &Arc<AtomicU32>, ended: &Arc<AtomicU32>) -> Registration {
        let (started, ended) = (started.clone(), ended.clone());
        Registration::new(move || {
            started.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                ended.fetch_add(1, Ordering::SeqCst);
            })
        })
    }

    #[tokio::test]
    async fn a_registration_is_withdrawn_once_by_close_or_by_drop() {
        let (started, ended) = (Arc::default(), Arc::default());
        counted(&started, &ended).close().await;
        assert_eq!(
            (started.load(Ordering::SeqCst), ended.load(Ordering::SeqCst)),
            (1, 1)
        );
        drop(counted(&started, &ended));
        assert_eq!(
            (started.load(Ordering::SeqCst), ended.load(Ordering::SeqCst)),
            (2, 1)
        );
    }

    #[tokio::test]
    async fn several_registrations_are_withdrawn_together() {
        let (started, ended) = (Arc::default(), Arc::default());
        Registration::all([
            counted(&started, &ended),
            Registration::inert(),
            counted(&started, &ended),
        ])
        .close()
        .await;
        assert_eq!(
            (started.load(Ordering::SeqCst), ended.load(Ordering::SeqCst)),
            (2, 2)
        );
    }
}
