//! A gRPC app that speaks HTTP/2 in bare frames and breaks off in the middle of every answer.

use std::{io, net::Ipv4Addr};

use tokio::{io::AsyncReadExt, net::TcpListener, sync::watch, task::JoinSet};

use super::{Raw, raw::until_read};

/// Half of a message: ten bytes are announced, three come.
pub(crate) const HALF: &[u8] = &[0, 0, 0, 0, 10, 1, 2, 3];
/// A whole message, which is empty and so one of any kind.
pub(crate) const WHOLE: &[u8] = &[0, 0, 0, 0, 0];

/// How an answer ends after what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    /// Its stream is reset.
    Stream,
    /// Its connection is reset.
    Connection,
    /// It says that it went well.
    Lie,
    /// It does not.
    Hang,
}

// Frames and their flags (RFC 9113, section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// The error code of a reset.
const INTERNAL_ERROR: u32 = 2;

/// What every client says first, in bytes.
const PREFACE: usize = 24;
/// Bytes of a frame's head.
const FRAME_HEAD: usize = 9;

/// `:status: 200` of the static table, and `content-type: application/grpc` (RFC 7541, section 6).
const ANSWER: &[u8] = b"\x88\x0f\x10\x10application/grpc";
/// `grpc-status: 0`.
const WENT_WELL: &[u8] = b"\x00\x0bgrpc-status\x010";

/// The app. Every call is answered alike, whatever it asks.
#[derive(Debug)]
pub(crate) struct BrokenApp {
    pub(crate) port: u16,
    /// Calls that the sidecar has reset.
    pub(crate) given_up: watch::Receiver<usize>,
    _task: JoinSet<()>,
}

impl BrokenApp {
    pub(crate) async fn start(said: &'static [u8], how: Break) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, given_up) = watch::channel(0);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let sender = sender.clone();
                connections.spawn(async move {
                    // The end of a connection is what this is about.
                    let _ = serve(Raw(stream), said, how, &sender).await;
                });
            }
        });
        Self {
            port,
            given_up,
            _task: task,
        }
    }
}

async fn serve(
    mut raw: Raw,
    said: &'static [u8],
    how: Break,
    given_up: &watch::Sender<usize>,
) -> io::Result<()> {
    raw.0.read_exact(&mut [0; PREFACE]).await?;
    raw.say(frame(SETTINGS, 0, 0, &[])).await?;
    loop {
        let mut head = [0; FRAME_HEAD];
        raw.0.read_exact(&mut head).await?;
        let [l0, l1, l2, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, l0, l1, l2]) as usize];
        raw.0.read_exact(&mut payload).await?;
        let stream = u32::from_be_bytes(stream);
        match kind {
            SETTINGS if flags & ACK == 0 => raw.say(frame(SETTINGS, ACK, 0, &[])).await?,
            PING if flags & ACK == 0 => raw.say(frame(PING, ACK, 0, &payload)).await?,
            RST_STREAM => given_up.send_modify(|calls| *calls += 1),
            DATA | HEADERS if flags & END_STREAM != 0 => {
                raw.say(frame(HEADERS, END_HEADERS, stream, ANSWER)).await?;
                raw.say(frame(DATA, 0, stream, said)).await?;
                // What was said is heard before the break.
                until_read(&raw.0).await;
                match how {
                    Break::Stream => {
                        let code = INTERNAL_ERROR.to_be_bytes();
                        raw.say(frame(RST_STREAM, 0, stream, &code)).await?;
                    }
                    Break::Connection => {
                        raw.reset();
                        return Ok(());
                    }
                    Break::Lie => {
                        let end = END_HEADERS | END_STREAM;
                        raw.say(frame(HEADERS, end, stream, WENT_WELL)).await?;
                    }
                    Break::Hang => (),
                }
            }
            _ => (),
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, l0, l1, l2] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![l0, l1, l2, kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}
