//! The shared picture of the directory: what readers look at, and when it is drawn again.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use tokio::time::Instant;

use super::{directory::Directory, process, record::Record};
use crate::{Endpoint, Endpoints, NameRef, name_map::NameMap};

/// File systems keep times in steps of the kernel's tick, 10 ms at most. A change within the same step as the
/// one we saw leaves the modification time as it was; so a picture is final only when it was drawn later than
/// this after the time was first seen.
const SETTLE: Duration = Duration::from_millis(25);

/// What readers look at.
#[derive(Debug)]
pub(super) struct View {
    directory: Directory,
    check_every: Duration,
    picture: ArcSwap<Picture>,
    /// The directory or a process may have changed since the picture was drawn.
    outdated: AtomicBool,
    /// When the picture was last compared with the directory, in nanoseconds since `epoch`.
    checked: AtomicU64,
    epoch: Instant,
    /// One reader of the directory at a time. Taken on a thread that may block.
    reading: Mutex<()>,
}

#[derive(Debug, Default)]
struct Picture {
    names: NameMap<Listed>,
    modified: Option<SystemTime>,
    settled: Option<Settling>,
}

/// Since when the directory had the modification time that we saw.
#[derive(Clone, Copy, Debug)]
struct Settling {
    since: Instant,
    drawn: Instant,
}

/// The instances of one name.
#[derive(Debug)]
struct Listed {
    endpoints: Endpoints,
    /// Process id and start time of each.
    processes: Vec<(u32, u64)>,
}

impl View {
    pub(super) fn new(directory: Directory, check_every: Duration) -> Self {
        Self {
            directory,
            check_every,
            picture: ArcSwap::default(),
            outdated: AtomicBool::new(true),
            checked: AtomicU64::new(0),
            epoch: Instant::now(),
            reading: Mutex::new(()),
        }
    }

    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The picture must be drawn again before it is used.
    pub(super) fn distrust(&self) {
        self.outdated.store(true, Ordering::Release);
    }

    /// The instances of `name` if the picture can be used as it is.
    pub(super) fn cached(&self, name: NameRef<'_>) -> Option<Endpoints> {
        if self.outdated.load(Ordering::Acquire) {
            return None;
        }
        let picture = self.picture.load();
        let listed = picture.names.get(name);
        if self.due() {
            let changed = !picture.is_current(&self.directory);
            if changed || listed.is_some_and(|listed| !listed.all_run()) {
                self.distrust();
                return None;
            }
        }
        listed.map(|listed| listed.endpoints.clone())
    }

    /// The instances of `name` in the picture as it is.
    pub(super) fn known(&self, name: NameRef<'_>) -> Option<Endpoints> {
        self.picture
            .load()
            .names
            .get(name)
            .map(|listed| listed.endpoints.clone())
    }

    /// Whether the directory must be read before "nobody" can be said: here every caller looks for himself,
    /// since an instance that has just registered must not be missed.
    pub(super) fn must_be_read(&self) -> bool {
        if !self.outdated.load(Ordering::Acquire) && !self.picture.load().is_current(&self.directory) {
            self.distrust();
        }
        self.outdated.load(Ordering::Acquire)
    }

    /// Draws the picture again, unless somebody else just did. Blocks.
    pub(super) fn read_again(&self) -> io::Result<()> {
        let _one_at_a_time = self
            .reading
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // Cleared before reading: a change while we read makes the picture outdated once more.
        if !self.outdated.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let drawn = self.draw();
        if drawn.is_err() {
            self.distrust();
        }
        drawn
    }

    fn draw(&self) -> io::Result<()> {
        let now = Instant::now();
        let modified = self.directory.modified()?;
        let previous = self.picture.load();
        let since = match previous.settled {
            Some(settling) if previous.modified == Some(modified) => settling.since,
            _ => now,
        };
        let mut picture = Picture::of(self.directory.scan()?);
        picture.modified = Some(modified);
        picture.settled = Some(Settling { since, drawn: now });
        self.picture.store(Arc::new(picture));
        Ok(())
    }

    /// Whether it is this caller's turn to compare picture and directory.
    fn due(&self) -> bool {
        let now = u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let last = self.checked.load(Ordering::Relaxed);
        let interval = u64::try_from(self.check_every.as_nanos()).unwrap_or(u64::MAX);
        now.saturating_sub(last) >= interval
            && self
                .checked
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

impl Picture {
    fn of(records: Vec<Record>) -> Self {
        let mut groups: NameMap<Vec<Record>> = NameMap::default();
        for record in records {
            groups
                .get_or_insert_with(record.name().as_name_ref(), Vec::new)
                .push(record);
        }
        let mut names = NameMap::default();
        for (name, group) in groups.iter() {
            names.get_or_insert_with(name, || Listed::of(group));
        }
        Self {
            names,
            ..Self::default()
        }
    }

    /// Whether the directory is still as it was drawn, and was drawn late enough to tell.
    fn is_current(&self, directory: &Directory) -> bool {
        let final_enough = self
            .settled
            .is_some_and(|settling| settling.drawn.saturating_duration_since(settling.since) >= SETTLE);
        final_enough && directory.modified().ok() == self.modified
    }
}

impl Listed {
    /// The instances in `group`, in the order of their addresses, so that the same instances make the same list.
    fn of(group: &[Record]) -> Self {
        let mut group: Vec<&Record> = group.iter().collect();
        group.sort_by_key(|record| record.address);
        let processes = group
            .iter()
            .map(|record| (record.pid, record.process_start))
            .collect();
        let endpoints: Vec<Endpoint> = group.iter().map(|record| record.endpoint()).collect();
        Self {
            endpoints: endpoints.into(),
            processes,
        }
    }

    fn all_run(&self) -> bool {
        self.processes
            .iter()
            .all(|(pid, start)| process::runs(*pid, *start))
    }
}
