//! DNS-SD over multicast DNS (RFC 6762, RFC 6763): services of a local network find each other without a server.
//!
//! [`Mdns`] answers for the instances that it registers, and watches the names that it is asked about: the first
//! [`resolve`](Resolve::resolve) of a name asks the network and waits for the first answer; from then on the daemon
//! listens to what comes and goes and asks again from time to time, so that [`cached`](Resolve::cached) knows
//! the instances of the moment without waiting. A name that nobody uses for a while is no longer watched.
//!
//! How names and instances look in records is the caller's choice: a [`RecordForm`]. [`IdForm`] is the plainest.
//!
//! # Where multicast is not available
//!
//! Then nothing is found, at once, and nothing is announced; one warning says so. Interfaces that come up later
//! are taken into use.
//!
//! # What is believed
//!
//! Only messages of neighbours, that is, from an address on the link they came in over, and responses only from
//! the port that needs no guessing. Multicast DNS has no authentication: whoever is on the link can announce
//! anything. Identity is to be proved on the connection.

mod announce;
mod core;
mod daemon;
mod form;
mod link;
pub mod message;
mod shown;
mod watch;

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};

pub use self::form::{Advert, IdForm, RecordForm};
use self::{
    core::{Core, To},
    daemon::{Command, Daemon},
    link::Links,
    shown::Shown,
};
use crate::{BoxFuture, Endpoints, Error, Instance, Name, NameRef, Register, Registration, Resolve, task};

const RESOLVER: &str = "multicast DNS";

/// How many callers can hand something to the daemon before they wait for their turn.
const COMMANDS: usize = 256;

/// How many messages can come in before the daemon has read them. Beyond it they are lost, as datagrams may be.
const MESSAGES: usize = 256;

/// How multicast DNS is used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MdnsOptions {
    /// The names of the interfaces to use. Default: all that have an address, the loopback interface among them.
    pub interfaces: Option<Vec<String>>,
    /// How long others may keep what we announce, in whole seconds. Default: 120 s, as RFC 6762 (10) recommends
    /// for records that depend on a host.
    pub ttl: Duration,
    /// How long a caller waits for the first answer about a name. Default: 1 s.
    pub first_answer: Duration,
    /// How often watched names are asked about, and interfaces looked for. Default: 30 s.
    pub refresh: Duration,
    /// The longest time that an instance is believed in without being heard of. Default: 60 s, which is two
    /// questions and bounds how long a crashed instance is named.
    pub believe: Duration,
    /// How long a name is watched after its last use. Default: 10 min.
    pub idle: Duration,
}

/// A resolver and registry over multicast DNS. Cheap to clone; the daemon ends with the last clone and the last
/// registration.
#[derive(Clone)]
pub struct Mdns(Arc<Shared>);

struct Shared {
    shown: Arc<Shown>,
    links: Arc<Links>,
    commands: mpsc::Sender<Command>,
    _daemon: task::Owned,
}

// === impl MdnsOptions ===

impl Default for MdnsOptions {
    fn default() -> Self {
        Self {
            interfaces: None,
            ttl: Duration::from_secs(120),
            first_answer: Duration::from_secs(1),
            refresh: Duration::from_secs(30),
            believe: Duration::from_secs(60),
            idle: Duration::from_secs(600),
        }
    }
}

impl MdnsOptions {
    fn ttl_seconds(&self) -> u32 {
        // 0 would take the records back.
        u32::try_from(self.ttl.as_secs()).unwrap_or(u32::MAX).max(1)
    }
}

// === impl Mdns ===

impl Mdns {
    /// Joins the groups of multicast DNS and starts the daemon on the current tokio runtime. Where multicast is
    /// not available this works too, and finds nothing.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn open(form: impl RecordForm + 'static, options: MdnsOptions) -> Self {
        let (commands, commands_out) = mpsc::channel(COMMANDS);
        let (heard, heard_out) = mpsc::channel(MESSAGES);
        let (shown, links) = (
            Arc::default(),
            Arc::new(Links::new(options.interfaces.clone(), heard)),
        );
        links.renew();
        let daemon = Daemon {
            core: Core::new(Arc::new(form), options.clone(), Arc::clone(&shown)),
            links: links.clone(),
            options,
            commands: commands_out,
            heard: heard_out,
        };
        Self(Arc::new(Shared {
            shown,
            links,
            commands,
            _daemon: task::spawn("mdns", daemon.run()),
        }))
    }

    /// Whether there is a network to ask.
    pub fn is_available(&self) -> bool {
        !self.0.links.is_empty()
    }

    /// Hands a command to the daemon and waits for its answer.
    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Command,
    ) -> Result<T, Error> {
        let closed = || Error::Closed { resolver: RESOLVER };
        let (reply, answer) = oneshot::channel();
        self.0.commands.send(command(reply)).await.map_err(|_| closed())?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }
}

impl Resolve for Mdns {
    fn resolve<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Endpoints, Error>> {
        Box::pin(async move {
            match self.cached(name.into()) {
                Some(endpoints) => Ok(endpoints),
                None => {
                    self.ask(|waiter| Command::Resolve {
                        name: name.clone(),
                        waiter,
                    })
                    .await
                }
            }
        })
    }

    fn cached(&self, name: NameRef<'_>) -> Option<Endpoints> {
        self.0.shown.get(name)
    }

    fn evict(&self, name: NameRef<'_>, address: SocketAddr) {
        self.0.shown.evict(name, address);
        // When the daemon is too busy to hear it, the instance comes back with its next announcement, and a
        // failed dial evicts it again.
        let _ = self.0.commands.try_send(Command::Evict {
            name: name.to_name(),
            address,
        });
    }
}

impl Register for Mdns {
    fn register<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Result<Registration, Error>> {
        Box::pin(async move {
            let withdrawn = Arc::new(AtomicBool::new(false));
            let (instance, flag) = (instance.clone(), withdrawn.clone());
            let goodbye = self
                .ask(|reply| Command::Register {
                    instance,
                    withdrawn: flag,
                    reply,
                })
                .await?;
            let mdns = self.clone();
            Ok(Registration::new(move || {
                // First the daemon stops answering, then all are told.
                withdrawn.store(true, Ordering::Release);
                mdns.0.links.send(&goodbye, To::Everyone);
                Box::pin(async {})
            }))
        })
    }
}

impl fmt::Debug for Mdns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mdns")
            .field("available", &self.is_available())
            .finish_non_exhaustive()
    }
}
