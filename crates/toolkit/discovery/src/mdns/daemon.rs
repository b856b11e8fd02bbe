//! The task that owns all that is announced and watched.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};

use super::{
    MdnsOptions, RESOLVER,
    core::{Core, Outgoing, Waiter},
    link::{Heard, Links},
    message::Message,
};
use crate::{Error, Instance, Name};

/// How often links are looked for while there is none and somebody resolves.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What others want of the daemon.
pub(super) enum Command {
    /// Announce an instance until `withdrawn`; answered with what to say at the end.
    Register {
        instance: Instance,
        withdrawn: Arc<AtomicBool>,
        reply: oneshot::Sender<Result<Message, Error>>,
    },
    /// Find the instances of a name.
    Resolve { name: Name, waiter: Waiter },
    /// An instance could not be dialled.
    Evict { name: Name, address: SocketAddr },
}

/// What the task owns.
pub(super) struct Daemon {
    pub(super) core: Core,
    pub(super) links: Arc<Links>,
    pub(super) options: MdnsOptions,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) heard: mpsc::Receiver<Heard>,
}

impl Daemon {
    /// Serves until nobody can send commands any more.
    pub(super) async fn run(mut self) {
        let mut out = Vec::new();
        let mut looked = Instant::now();
        loop {
            let look = looked + self.options.refresh;
            let wake = self.core.next_tick().map_or(look, |tick| tick.min(look));
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command, &mut looked),
                    None => return,
                },
                Some(Heard { message, from }) = self.heard.recv() => {
                    self.core.hear(&message, from, Instant::now(), &mut out);
                }
                () = sleep_until(wake) => {}
            }
            let now = Instant::now();
            if now >= looked + self.options.refresh {
                self.look(&mut looked);
            }
            self.core.tick(now, &mut out);
            for Outgoing { message, to } in out.drain(..) {
                self.links.send(&message, to);
            }
        }
    }

    fn obey(&mut self, command: Command, looked: &mut Instant) {
        let now = Instant::now();
        match command {
            // Whoever asked may have gone away and needs no answer, here and below.
            Command::Register {
                instance,
                withdrawn,
                reply,
            } => {
                let _ = reply.send(self.core.register(&instance, withdrawn, now));
            }
            Command::Evict { name, address } => self.core.evict(&name, address),
            Command::Resolve { name, waiter } => {
                if self.links.is_empty() && now >= *looked + LOOK_AGAIN {
                    self.look(looked);
                }
                if self.links.is_empty() {
                    let _ = waiter.send(Err(Error::NotFound {
                        name,
                        resolver: RESOLVER,
                    }));
                } else {
                    self.core.resolve(name, waiter, now);
                }
            }
        }
    }

    /// Looks for interfaces that came up or went away.
    fn look(&mut self, looked: &mut Instant) {
        *looked = Instant::now();
        if self.links.renew() {
            self.core.announce_again(*looked);
        }
    }
}
