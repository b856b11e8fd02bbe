//! What the daemon does, without sockets and clocks: commands and messages in, messages out.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};

use super::{
    MdnsOptions, RESOLVER,
    announce::{self, Announced},
    form::RecordForm,
    message::{Message, Question},
    shown::{Entry, Shown},
    watch::Heard,
};
use crate::{Endpoints, Error, Instance, Name};

/// The port of multicast DNS. Whoever asks from another one knows nothing of multicast.
pub(super) const PORT: u16 = 5353;

/// After how long an unsolicited announcement is repeated, twice (RFC 6762, 8.3: twice the pause each time).
const ANNOUNCE_AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// After how long a question is repeated while somebody waits for the answer: a datagram may be lost.
const ASK_AGAIN: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
];

/// The time to live of what is told to a resolver that knows nothing of multicast, in seconds (RFC 6762, 6.7).
const LEGACY_TTL: u32 = 10;

/// The bits of a header's flags that are zero in every message that concerns us (RFC 6762, 18.3 and 18.11).
const OPCODE_AND_RCODE: u16 = 0x780f;

/// Who waits for a name.
pub(super) type Waiter = oneshot::Sender<Result<Endpoints, Error>>;

/// A message to send.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) message: Message,
    pub(super) to: To,
}

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// To all on every link.
    Everyone,
    /// To all on one link.
    Link(u64),
    /// To one, over a link.
    One(u64, SocketAddr),
}

/// Where a message came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct From {
    /// The link's number, for an answer.
    pub(super) link: u64,
    /// The number of the link's interface, as addresses that need it name it.
    pub(super) interface: u32,
    pub(super) source: SocketAddr,
}

/// The daemon's state.
pub(super) struct Core {
    form: Arc<dyn RecordForm>,
    options: MdnsOptions,
    shown: Arc<Shown>,
    announcing: Vec<Announcing>,
    watches: HashMap<Name, Watch>,
}

/// An instance of ours.
struct Announcing {
    records: Announced,
    withdrawn: Arc<AtomicBool>,
    /// How often it was announced without being asked, and when it is next.
    said: usize,
    next: Option<Instant>,
}

/// A name that somebody resolved.
struct Watch {
    heard: Heard,
    entry: Arc<Entry>,
    waiters: Vec<(Instant, Waiter)>,
    /// How often in a row it was asked without pause, and when it is next.
    asked: usize,
    next: Instant,
    used: Instant,
}

impl Core {
    pub(super) fn new(form: Arc<dyn RecordForm>, options: MdnsOptions, shown: Arc<Shown>) -> Self {
        Self {
            form,
            options,
            shown,
            announcing: Vec::new(),
            watches: HashMap::new(),
        }
    }

    /// Begins to announce `instance`, until `withdrawn` is set. Gives what to say at the end.
    pub(super) fn register(
        &mut self,
        instance: &Instance,
        withdrawn: Arc<AtomicBool>,
        now: Instant,
    ) -> Result<Message, Error> {
        let service = self.form.service((&instance.name).into());
        let advert = self.form.advert(instance);
        let records = Announced::new(
            &service,
            advert,
            instance.endpoint.address,
            self.options.ttl_seconds(),
        )
        .map_err(|error| inexpressible(&instance.name, &error))?;
        let goodbye = records.goodbye();
        self.announcing.push(Announcing {
            records,
            withdrawn,
            said: 0,
            next: Some(now),
        });
        Ok(goodbye)
    }

    /// Says everything again, as to links that are new.
    pub(super) fn announce_again(&mut self, now: Instant) {
        for announcing in &mut self.announcing {
            (announcing.said, announcing.next) = (0, Some(now));
        }
        for watch in self.watches.values_mut() {
            watch.next = now;
        }
    }

    /// Finds the instances of `name` for `waiter`.
    pub(super) fn resolve(&mut self, name: Name, waiter: Waiter, now: Instant) {
        let Self {
            form,
            options,
            shown,
            watches,
            ..
        } = self;
        let watch = match watches.get_mut(&name) {
            Some(watch) => watch,
            None => match announce::name("the service type", &form.service((&name).into())) {
                Ok(service) => watches.entry(name.clone()).or_insert_with(|| Watch {
                    heard: Heard::new(service, options.believe),
                    entry: shown.add(&name),
                    waiters: Vec::new(),
                    asked: 0,
                    next: now,
                    used: now,
                }),
                Err(error) => {
                    // A waiter that went away needs no answer, here and below.
                    let _ = waiter.send(Err(inexpressible(&name, &error)));
                    return;
                }
            },
        };
        match watch.update(&name, form.as_ref()) {
            Some(endpoints) => {
                let _ = waiter.send(Ok(endpoints));
            }
            None => {
                if watch.waiters.is_empty() {
                    (watch.asked, watch.next) = (0, now);
                }
                watch.waiters.push((now + options.first_answer, waiter));
            }
        }
    }

    /// Forgets the instances of `name` at `address`.
    pub(super) fn evict(&mut self, name: &Name, address: SocketAddr) {
        if let Some(watch) = self.watches.get_mut(name) {
            watch.heard.evict(address);
            watch.update(name, self.form.as_ref());
        }
    }

    /// Takes in a message from the network.
    pub(super) fn hear(&mut self, message: &Message, from: From, now: Instant, out: &mut Vec<Outgoing>) {
        if message.flags & OPCODE_AND_RCODE != 0 {
            return;
        }
        if !message.is_response() {
            self.answer(message, from, out);
        } else if from.source.port() == PORT {
            // A response from another port would be somebody's forgery (RFC 6762, 6).
            self.learn(message, from, now, out);
        }
    }

    fn answer(&mut self, query: &Message, from: From, out: &mut Vec<Outgoing>) {
        self.sweep();
        let mut response = Message::response();
        for question in &query.questions {
            for announcing in &self.announcing {
                announcing.records.answer(question, &query.answers, &mut response);
            }
        }
        if response.answers.is_empty() {
            return;
        }
        // Whoever asks for a unicast answer from the common port gets a multicast one all the same: several programs
        // on his machine have that port, and only one of them would see it.
        let to = if from.source.port() == PORT {
            To::Link(from.link)
        } else {
            make_legacy(&mut response, query);
            To::One(from.link, from.source)
        };
        out.push(Outgoing {
            message: response,
            to,
        });
    }

    fn learn(&mut self, message: &Message, from: From, now: Instant, out: &mut Vec<Outgoing>) {
        let mut questions: Vec<Question> = Vec::new();
        for (name, watch) in &mut self.watches {
            questions.extend(watch.heard.hear(message, from.interface, now));
            watch.update(name, self.form.as_ref());
        }
        if !questions.is_empty() {
            out.push(Outgoing {
                message: Message::query(questions),
                to: To::Link(from.link),
            });
        }
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, now: Instant, out: &mut Vec<Outgoing>) {
        self.sweep();
        for announcing in &mut self.announcing {
            if announcing.next.is_some_and(|next| next <= now) {
                announcing.next = ANNOUNCE_AGAIN.get(announcing.said).map(|pause| now + *pause);
                announcing.said += 1;
                out.push(Outgoing {
                    message: announcing.records.announcement(),
                    to: To::Everyone,
                });
            }
        }
        let mut idle = Vec::new();
        let mut questions = Vec::new();
        for (name, watch) in &mut self.watches {
            questions.extend(watch.tick(name, self.form.as_ref(), &self.options, now));
            if watch.is_idle(&self.options, now) {
                idle.push(name.clone());
            }
        }
        for name in idle {
            self.watches.remove(&name);
            self.shown.remove(&name);
        }
        // One question a message: some responders answer only the first.
        out.extend(questions.into_iter().map(|question| Outgoing {
            message: Message::query(vec![question]),
            to: To::Everyone,
        }));
    }

    /// When [`tick`](Self::tick) next has something to do.
    pub(super) fn next_tick(&self) -> Option<Instant> {
        let announcing = self.announcing.iter().filter_map(|announcing| announcing.next);
        let watches = self.watches.values().filter_map(Watch::next_tick);
        announcing.chain(watches).min()
    }

    fn sweep(&mut self) {
        self.announcing
            .retain(|announcing| !announcing.withdrawn.load(Ordering::Acquire));
    }
}

impl Watch {
    /// Shows what is known, and tells those who wait for it.
    fn update(&mut self, name: &Name, form: &dyn RecordForm) -> Option<Endpoints> {
        let endpoints = self.heard.endpoints(|texts| form.accepts(name.into(), texts));
        let shown = self.entry.show(endpoints);
        if let Some(endpoints) = &shown {
            for (_, waiter) in self.waiters.drain(..) {
                let _ = waiter.send(Ok(endpoints.clone()));
            }
        }
        shown
    }

    /// Forgets what is old, sends those away who waited long enough, and gives the question if it is due.
    fn tick(
        &mut self,
        name: &Name,
        form: &dyn RecordForm,
        options: &MdnsOptions,
        now: Instant,
    ) -> Option<Question> {
        if self.heard.expire(now) {
            self.update(name, form);
        }
        for (_, waiter) in self.waiters.extract_if(.., |(until, _)| *until <= now) {
            let _ = waiter.send(Err(Error::NotFound {
                name: name.clone(),
                resolver: RESOLVER,
            }));
        }
        if self.entry.take_used() {
            self.used = now;
        }
        (self.next <= now).then(|| {
            let pause = match ASK_AGAIN.get(self.asked) {
                Some(pause) if !self.waiters.is_empty() => *pause,
                _ => options.refresh,
            };
            self.asked += 1;
            self.next = now + pause;
            self.heard.question()
        })
    }

    /// Whether nobody is interested any more, or nobody is there.
    fn is_idle(&self, options: &MdnsOptions, now: Instant) -> bool {
        let unused = now.saturating_duration_since(self.used) >= options.idle;
        self.waiters.is_empty() && (self.heard.is_empty() || unused)
    }

    fn next_tick(&self) -> Option<Instant> {
        let waiters = self.waiters.iter().map(|(until, _)| *until);
        waiters.chain(self.heard.next_expiry()).chain([self.next]).min()
    }
}

/// Makes of a response one for a resolver that knows nothing of multicast (RFC 6762, 6.7).
fn make_legacy(response: &mut Message, query: &Message) {
    response.id = query.id;
    response.questions.clone_from(&query.questions);
    for record in response.answers.iter_mut().chain(&mut response.additionals) {
        record.ttl = record.ttl.min(LEGACY_TTL);
        record.flush = false;
    }
}

fn inexpressible(name: &Name, error: &announce::AdvertError) -> Error {
    Error::Inexpressible {
        name: name.clone(),
        resolver: RESOLVER,
        reason: error.to_string(),
    }
}
