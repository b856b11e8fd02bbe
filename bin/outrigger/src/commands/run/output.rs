//! Where lines go: to the terminal and into log files, written by one thread so that lines stay whole and a reader
//! who is slow stops no signal.
//!
//! A reader who is slow makes apps wait, as a terminal would, and gets every line in the end. Once the end is ordered,
//! a reader who takes nothing (a terminal that is held, a pager) is waited for a moment, and no longer.

use std::{
    fs::File,
    io::{self, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use outrigger_resource_manifest::ProcessEnv;
use tokio::sync::{mpsc, oneshot};

use super::{
    logs::without_colours,
    orders::{Commander, Order, Orders},
};
use crate::commands::{
    talk::{Mark, Stream, Talk},
    terminal::Terminal,
};

/// Lines that wait to be written. When it is full, apps wait, as they would with a terminal that is slow.
const QUEUE_LINES: usize = 1024;
/// How long a line of this program waits for room once the end is ordered.
const OWN_LINE: Duration = Duration::from_secs(1);
/// How long the last lines may take to be written once the end is ordered.
const LAST_LINES: Duration = Duration::from_secs(2);

/// Colours of apps, in turn: bright blue as Dapr's, then others that differ on dark and on light.
const COLOURS: [&str; 6] = ["94", "92", "95", "96", "93", "91"];

/// A line on its way.
#[derive(Debug)]
struct Item {
    console: Option<(Stream, Vec<u8>)>,
    file: Option<(Arc<LogFile>, Vec<u8>)>,
}

/// A log file.
#[derive(Debug)]
pub(super) struct LogFile {
    /// Where it is.
    pub(super) path: PathBuf,
    /// What is written to.
    pub(super) file: File,
    /// Whether writing failed; it is told once.
    pub(super) failed: AtomicBool,
}

/// The thread that writes.
#[derive(Debug)]
pub(super) struct Output {
    sender: mpsc::Sender<Item>,
    orders: Orders,
    done: oneshot::Receiver<()>,
    /// Whether the terminal has colours.
    colours: bool,
}

/// One way to the terminal, or into a file, or both.
#[derive(Debug, Clone)]
pub(super) struct Sink {
    sender: mpsc::Sender<Item>,
    orders: Orders,
    console: bool,
    file: Option<Arc<LogFile>>,
    talk: Talk,
}

/// What stands before the lines of an app.
#[derive(Debug, Clone)]
pub(super) struct Tag {
    plain: Vec<u8>,
    coloured: Vec<u8>,
}

impl Output {
    /// Starts the thread. If the terminal is gone, the commander is told to stop everything.
    pub(super) fn start(commander: Commander) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE_LINES);
        let (tell, done) = oneshot::channel();
        let orders = commander.orders();
        std::thread::Builder::new()
            .name("run-output".to_owned())
            .spawn(move || {
                Writer {
                    commander,
                    closed: false,
                }
                .run(receiver);
                // Whoever does not wait does not need to know.
                let _ = tell.send(());
            })?;
        Ok(Self {
            sender,
            orders,
            done,
            colours: Terminal::of_output(&ProcessEnv).colours,
        })
    }

    /// A way to the terminal, into a file, or both.
    pub(super) fn sink(&self, talk: Talk, console: bool, file: Option<Arc<LogFile>>) -> Sink {
        Sink {
            sender: self.sender.clone(),
            orders: self.orders.clone(),
            console,
            file,
            talk,
        }
    }

    /// What stands before the lines of the app at `index`; its id is named where there are several.
    pub(super) fn tag(&self, index: usize, app_id: Option<&str>) -> Tag {
        Tag::new(index, app_id, self.colours)
    }

    /// Waits until everything is written. All sinks must be gone.
    pub(super) async fn finish(mut self) {
        drop(self.sender);
        tokio::select! {
            _ = self.done => {}
            () = self.orders.stopped_for(LAST_LINES) => {}
        }
    }
}

impl Tag {
    fn new(index: usize, app_id: Option<&str>, colours: bool) -> Self {
        let plain = match app_id {
            Some(app_id) => format!("== APP - {app_id} =="),
            None => "== APP ==".to_owned(),
        };
        let coloured = if colours {
            let colour = COLOURS[index % COLOURS.len()];
            format!("\x1b[1;{colour}m{plain}\x1b[0m")
        } else {
            plain.clone()
        };
        Self {
            plain: plain.into_bytes(),
            coloured: coloured.into_bytes(),
        }
    }
}

impl Sink {
    /// A line of this program.
    pub(super) async fn say(&self, mark: Mark, text: &str) {
        let console = (mark.stream(), self.talk.line(mark, text).into_bytes());
        let mut orders = self.orders.clone();
        tokio::select! {
            biased;
            () = self.send(console, || self.talk.plain(mark, text).into_bytes()) => {}
            () = orders.stopped_for(OWN_LINE) => {}
        }
    }

    /// A line of an app behind its tag, or of a sidecar as it is.
    pub(super) async fn line(&self, stream: Stream, tag: Option<&Tag>, line: &[u8]) {
        let Some(tag) = tag else {
            let whole = [line, b"\n"].concat();
            return self.send((stream, whole.clone()), || whole).await;
        };
        let whole = |tag: &[u8], line: &[u8]| [tag, b" ", line, b"\n"].concat();
        let file = || whole(&tag.plain, &without_colours(line));
        self.send((stream, whole(&tag.coloured, line)), file).await;
    }

    /// Whether its lines are seen on the terminal.
    pub(super) fn is_seen(&self) -> bool {
        self.console
    }

    /// The file that its lines go into.
    pub(super) fn file(&self) -> Option<&std::path::Path> {
        self.file.as_deref().map(|file| file.path.as_path())
    }

    async fn send(&self, console: (Stream, Vec<u8>), file: impl FnOnce() -> Vec<u8>) {
        let item = Item {
            console: self.console.then_some(console),
            file: self.file.clone().map(|to| (to, file())),
        };
        // The thread ends only after all sinks are gone.
        let _ = self.sender.send(item).await;
    }
}

struct Writer {
    commander: Commander,
    /// Whether nobody reads any more.
    closed: bool,
}

impl Writer {
    fn run(mut self, mut receiver: mpsc::Receiver<Item>) {
        while let Some(item) = receiver.blocking_recv() {
            if let Some((stream, bytes)) = item.console {
                self.console(stream, &bytes);
            }
            if let Some((to, bytes)) = item.file {
                to.write(&bytes);
            }
        }
    }

    fn console(&mut self, stream: Stream, bytes: &[u8]) {
        let written = match stream {
            Stream::Out if self.closed => return,
            Stream::Out => {
                let mut out = io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
            Stream::Err => io::stderr().lock().write_all(bytes),
        };
        // A standard error that is closed has nobody to be told; a standard output that is closed means that whoever
        // started this has gone.
        if written.is_err() && stream == Stream::Out {
            self.closed = true;
            self.commander.give(Order::Stop);
        }
    }
}

impl LogFile {
    fn write(&self, bytes: &[u8]) {
        if let Err(error) = (&self.file).write_all(bytes)
            && !self.failed.swap(true, Ordering::Relaxed)
        {
            let text = format!("cannot write to {}: {error}", self.path.display());
            Talk::new(false).say(Mark::Failure, &text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apps_differ_in_colour_and_files_have_none() {
        let tags = [0, 1, COLOURS.len()].map(|index| Tag::new(index, Some("a"), true));
        assert_eq!(tags[0].coloured, b"\x1b[1;94m== APP - a ==\x1b[0m");
        assert_ne!(tags[0].coloured, tags[1].coloured);
        assert_eq!(tags[0].coloured, tags[2].coloured);
        assert_eq!(tags[0].plain, b"== APP - a ==");
        assert_eq!(Tag::new(0, None, false).coloured, b"== APP ==");
    }
}
