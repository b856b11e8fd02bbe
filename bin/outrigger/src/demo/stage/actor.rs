//! A process on the stage: watched over from its start to its end, and started again on cue.

use std::{io, time::Duration};

use outrigger_base_task::TaskSet;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::{mpsc, oneshot, watch};

use super::recipe::Recipe;
use crate::commands::{Ended, Guard, Orders, Process};

/// Cues that may wait. They are given one after the other.
const CUES: usize = 4;

/// A process that ended without being told to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fallen {
    /// Its name among processes and logs.
    pub(crate) process: String,
    /// How it ended, in words.
    pub(crate) how: String,
}

/// What all actors share.
#[derive(Debug, Clone)]
pub(crate) struct Crew {
    pub(crate) guard: Guard,
    pub(crate) orders: Orders,
    pub(crate) fallen: watch::Sender<Option<Fallen>>,
}

/// A process, in the director's hands.
#[derive(Debug)]
pub(crate) struct Actor {
    name: String,
    cues: mpsc::Sender<Cue>,
}

#[derive(Debug)]
enum Cue {
    /// Die, without a word.
    Kill(oneshot::Sender<()>),
    /// Start again.
    Start(oneshot::Sender<io::Result<()>>),
    /// Come to an end.
    Stop(Duration, oneshot::Sender<Option<Ended>>),
}

impl Actor {
    /// Starts a process, which a task of `tasks` watches over.
    pub(crate) fn start(name: String, recipe: Recipe, crew: &Crew, tasks: &TaskSet) -> io::Result<Self> {
        let process = Process::start(&mut recipe.command()?, &crew.guard)?;
        let (cues, heard) = mpsc::channel(CUES);
        let keeper = Keeper {
            name: name.clone(),
            recipe,
            crew: crew.clone(),
            process: Some(process),
        };
        tasks.spawn(format!("process {name}"), keeper.run(heard));
        Ok(Self { name, cues })
    }

    /// Its name among processes and logs.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Kills it (`SIGKILL`), and returns when it is gone.
    pub(crate) async fn kill(&self) {
        let (done, gone) = oneshot::channel();
        self.cue(Cue::Kill(done), gone).await;
    }

    /// Starts it again.
    pub(crate) async fn restart(&self) -> io::Result<()> {
        let (done, started) = oneshot::channel();
        let started = self.cue(Cue::Start(done), started).await;
        started.unwrap_or_else(|| Err(io::ErrorKind::BrokenPipe.into()))
    }

    /// Ends it: a word, and force after `grace`. `None` where it had ended already.
    pub(crate) async fn stop(&self, grace: Duration) -> Option<Ended> {
        let (done, ended) = oneshot::channel();
        self.cue(Cue::Stop(grace, done), ended).await.flatten()
    }

    /// Gives a cue and waits for its answer; `None` where the keeper is gone, and the process with it.
    async fn cue<T>(&self, cue: Cue, answer: oneshot::Receiver<T>) -> Option<T> {
        self.cues.send(cue).await.ok()?;
        answer.await.ok()
    }
}

/// Owns the process. Dropped, it kills it.
struct Keeper {
    name: String,
    recipe: Recipe,
    crew: Crew,
    process: Option<Process>,
}

impl Keeper {
    async fn run(mut self, mut cues: mpsc::Receiver<Cue>) {
        loop {
            let cue = tokio::select! {
                biased;
                cue = cues.recv() => cue,
                ended = ended(&mut self.process) => {
                    self.fall(ended).await;
                    continue;
                }
            };
            // Nobody who waits for an answer has gone away, or does not care.
            match cue {
                None => return,
                Some(Cue::Kill(done)) => {
                    self.kill().await;
                    let _ = done.send(());
                }
                Some(Cue::Start(done)) => {
                    let _ = done.send(self.start());
                }
                Some(Cue::Stop(grace, done)) => {
                    let _ = done.send(self.stop(grace).await);
                }
            }
        }
    }

    /// The process ended by itself: what is left of its group goes as well, and everybody is told.
    async fn fall(&mut self, ended: Ended) {
        self.stop(Duration::ZERO).await;
        let fallen = Fallen {
            process: self.name.clone(),
            how: ended.to_string(),
        };
        // The first one counts: others may fall because of it.
        self.crew.fallen.send_if_modified(|now| {
            let is_first = now.is_none();
            if is_first {
                *now = Some(fallen);
            }
            is_first
        });
    }

    async fn kill(&mut self) {
        if let Some(group) = self
            .process
            .as_ref()
            .and_then(|process| Pid::from_raw(process.id()))
        {
            // It has not been waited for, so the number is still its own.
            let _ = kill_process_group(group, Signal::KILL);
        }
        self.stop(Duration::ZERO).await;
    }

    fn start(&mut self) -> io::Result<()> {
        self.process = Some(Process::start(&mut self.recipe.command()?, &self.crew.guard)?);
        Ok(())
    }

    async fn stop(&mut self, grace: Duration) -> Option<Ended> {
        let mut process = self.process.take()?;
        Some(process.stop(grace, &mut self.crew.orders.clone()).await)
    }
}

/// Waits for the end of a process; for ever where there is none.
async fn ended(process: &mut Option<Process>) -> Ended {
    match process {
        Some(process) => process.wait().await,
        None => std::future::pending().await,
    }
}
