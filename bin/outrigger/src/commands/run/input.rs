//! What is typed, on its way to the one app that may have it.
//!
//! An app is in a process group of its own, so that all of it can be ended. To the terminal it is in the background for
//! that, and the kernel stops a process that reads its terminal from the background. So `run` reads for it.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use outrigger_base_task::StopSignal;
use tokio::{
    io::AsyncWriteExt,
    net::unix::pipe::{OpenOptions, Receiver},
    process::ChildStdin,
    time::sleep,
};

use crate::commands::process_table::is_in_foreground;

/// The standard input, to be opened anew: not to block belongs to an open file, and that of the shell must stay as it is.
const STDIN: &str = "/dev/stdin";
/// Bytes that are read at once: the longest line that a terminal gives.
const READ: usize = 4 << 10;
/// Between two looks whether this program was brought back into the foreground.
const LOOK: Duration = Duration::from_millis(200);

/// The terminal, if it is the standard input.
pub(super) fn terminal() -> Option<Receiver> {
    if !io::stdin().is_terminal() {
        return None;
    }
    OpenOptions::new().unchecked(true).open_receiver(STDIN).ok()
}

/// Copies what is typed to an app until either is at its end, or the app has ended.
pub(super) async fn copy(terminal: Receiver, app: ChildStdin, ended: StopSignal) {
    ended.run_until(copy_all(terminal, app)).await;
}

async fn copy_all(terminal: Receiver, mut app: ChildStdin) {
    let mut buffer = vec![0; READ];
    while terminal.readable().await.is_ok() {
        if !is_in_foreground() {
            sleep(LOOK).await;
            continue;
        }
        match terminal.try_read(&mut buffer) {
            // At the end of the input the app's pipe is closed.
            Ok(0) => return,
            Ok(read) => {
                if app.write_all(&buffer[..read]).await.is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}
