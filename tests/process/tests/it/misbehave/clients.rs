//! Clients that abandon what they send, and never read what they asked for.

use std::time::Duration;

use bytes::Bytes;
use outrigger_testing_harness::{Folder, eventually};

use crate::rig::{
    App, PATIENCE, Plan, Raw, Sidecar, get,
    memory::{resident, until_at_most},
};

/// Bytes of one write of an upload.
const CHUNK: usize = 64 * 1024;
/// Bytes of each upload that is abandoned: more than the sidecar's limit for a body would be if it were on, and more
/// than any buffer on the way.
const UPLOAD: usize = 24 * 1024 * 1024;
/// Uploads that are abandoned one after another.
const UPLOADS: usize = 6;
/// Readers that never read, at a time.
pub(super) const READERS: usize = 16;
/// KiB of memory that a sidecar may gain by uploads that are over: what the allocator keeps, and no share of the bodies.
/// One upload alone would be 24 MiB.
const GAIN_MAX: u64 = 12 * 1024;
/// KiB of memory that an answer may hold while nobody reads it, in each sidecar that it goes through, however long it
/// is: the two buffers that HTTP/1.1 connections grow to under load, some 400 KiB each, and what the allocator keeps.
const UNREAD_MAX: u64 = 2 * 1024;
/// Time for memory of a burst to go back.
const SETTLE: Duration = Duration::from_secs(20);

/// Two sidecars with one app: calls of the second go through both.
async fn mesh(folder: &Folder, app: &App) -> [Sidecar; 2] {
    let plan = |id| Plan::new(id, folder.path()).argument("--max-body-size=0");
    let own = plan("app").app(app.port, "http").start().await;
    let neighbour = plan("neighbour").start().await;
    for sidecar in [&own, &neighbour] {
        get(sidecar, "/v1.0/invoke/app/method/warm").await.ok();
    }
    [own, neighbour]
}

/// Sends most of an upload, and is gone.
async fn abandon(sidecar: &Sidecar, head: &str, chunked: bool) {
    let mut client = Raw::connect(sidecar.http).await;
    let request = format!("POST /v1.0/invoke/app/method/sink HTTP/1.1\r\nhost: localhost\r\n{head}\r\n\r\n");
    client.say(request).await.unwrap();
    let chunk = Bytes::from(vec![b'x'; CHUNK]);
    for _ in 0..UPLOAD / CHUNK {
        if chunked {
            client.say(format!("{CHUNK:x}\r\n")).await.unwrap();
        }
        client.say(&chunk).await.unwrap();
        if chunked {
            client.say("\r\n").await.unwrap();
        }
    }
    client.reset();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_abandoned_is_cut_for_the_app_and_forgotten() {
    let (folder, app) = (Folder::new("upload").unwrap(), App::start("app"));
    let mesh = mesh(&folder, &app).await;
    let before: Vec<u64> = mesh.iter().map(|sidecar| resident(&sidecar.process)).collect();
    let length = format!("content-length: {}", UPLOAD * 2);
    for number in 0..UPLOADS {
        let sidecar = &mesh[number % mesh.len()];
        let chunked = number >= UPLOADS / 2;
        abandon(
            sidecar,
            if chunked {
                "transfer-encoding: chunked"
            } else {
                &length
            },
            chunked,
        )
        .await;
        eventually(PATIENCE, || async { app.uploads().len() == number + 1 }).await;
    }
    for upload in app.uploads() {
        assert!(
            upload.is_err(),
            "an abandoned upload was whole for the app: {upload:?}"
        );
    }
    for (sidecar, before) in mesh.iter().zip(before) {
        until_at_most(&sidecar.process, before + GAIN_MAX, SETTLE).await;
        println!(
            "abandoned uploads: {before} KiB before, {} KiB after",
            resident(&sidecar.process)
        );
        get(sidecar, "/v1.0/healthz").await.ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_never_read_hold_up_the_app_and_no_memory() {
    let (folder, app) = (Folder::new("reader").unwrap(), App::start("app"));
    let mesh = mesh(&folder, &app).await;
    let before: Vec<u64> = mesh.iter().map(|sidecar| resident(&sidecar.process)).collect();
    let mut readers = Vec::new();
    for number in 0..READERS {
        let mut reader = Raw::connect(mesh[number % mesh.len()].http).await;
        let request = "GET /v1.0/invoke/app/method/endless HTTP/1.1\r\nhost: localhost\r\n\r\n";
        reader.say(request).await.unwrap();
        readers.push(reader);
    }
    until_nothing_moves(|| app.sent()).await;
    for (sidecar, before) in mesh.iter().zip(before) {
        let held = resident(&sidecar.process);
        println!("{READERS} readers that never read: {before} KiB before, {held} KiB with them");
        assert!(
            held <= before + UNREAD_MAX * READERS as u64,
            "{before} KiB became {held} KiB"
        );
        get(sidecar, "/v1.0/healthz").await.ok();
    }
    // What they are sent goes on where they begin to read.
    let sent = app.sent();
    let mut reader = readers.pop().unwrap();
    assert!(reader.head().await.unwrap().starts_with("HTTP/1.1 200"));
    let (bytes, _) = reader.rest_within(Duration::from_millis(300)).await;
    assert!(!bytes.is_empty());
    eventually(PATIENCE, || async { app.sent() > sent }).await;
}

/// Waits until an app could send nothing for a while: everything on the way is full.
pub(super) async fn until_nothing_moves(sent: impl Fn() -> usize) {
    /// Looks in a row that see no change, some milliseconds each.
    const LOOKS: usize = 100;
    let (mut last, mut still) = (0, 0);
    eventually(PATIENCE, || {
        let sent = sent();
        still = if sent == last { still + 1 } else { 0 };
        last = sent;
        let done = still >= LOOKS && sent > 0;
        async move { done }
    })
    .await;
}
