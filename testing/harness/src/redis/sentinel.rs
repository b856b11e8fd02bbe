//! A real Redis sentinel.

use std::{process::Command, time::Duration};

use super::{PACKAGE, PROGRAM, RedisServer, answers};
use crate::{Error, Folder, FreePort, Process, eventually};

/// How long a start may take.
const START_DEADLINE: Duration = Duration::from_secs(20);

/// A sentinel that watches one master, and alone decides when a replica takes over: soon after the master is gone.
#[derive(Debug)]
pub struct RedisSentinel {
    _process: Process,
    _folder: Folder,
    port: u16,
}

impl RedisSentinel {
    /// Starts a sentinel that calls `master` by `name`, and waits until it answers.
    pub async fn start(master: &RedisServer, name: &str) -> Result<Self, Error> {
        let folder = Folder::new("sentinel")?;
        let port = FreePort::hold()?.release();
        // A sentinel keeps what it learns in its configuration file.
        let file = folder.file("sentinel.conf");
        let settings = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor {name} 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds {name} 300\nsentinel failover-timeout {name} 3000\n",
            folder.path().display(),
            master.port(),
        );
        std::fs::write(&file, settings).map_err(|error| Error::io("write a sentinel's settings", error))?;
        let process = Process::spawn(Command::new(PROGRAM).arg(&file).arg("--sentinel"), PACKAGE)?;
        eventually(START_DEADLINE, || answers(port)).await;
        Ok(Self {
            _process: process,
            _folder: folder,
            port,
        })
    }

    /// `127.0.0.1:<port>`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Waits until it knows a replica that could take over.
    pub async fn wait_for_replica(&self, deadline: Duration) {
        eventually(deadline, || async {
            let masters = super::ask(self.port, "INFO sentinel").await;
            masters.is_ok_and(|text| text.contains("slaves=1"))
        })
        .await;
    }
}
