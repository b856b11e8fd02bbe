//! Alone in its program, as it needs the global subscriber: a scoped one drops events within events.

use std::{
    fmt,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use outrigger_base_clock::{ManualClock, Timestamp};
use outrigger_base_telemetry::log::{Config, LogLayer, Output, Scopes};
use tracing::info;
use tracing_subscriber::layer::SubscriberExt;

#[derive(Clone, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Chatty;

impl fmt::Debug for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!(target: "dapr.x", "from within");
        f.write_str("chatty")
    }
}

#[test]
fn a_debug_that_logs_does_not_spoil_the_line() {
    let bytes = Bytes::default();
    let config = Config {
        outputs: vec![Output::Writer(Box::new(bytes.clone()))],
        scopes: Scopes {
            prefix: "dapr.".into(),
            ..Scopes::default()
        },
        ..Config::default()
    };
    let (layer, _) = LogLayer::open(config, Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH))).unwrap();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
    info!(target: "dapr.x", who = ?Chatty, "outside");
    assert_eq!(
        String::from_utf8(bytes.0.lock().unwrap().clone()).unwrap(),
        "time=\"1970-01-01T00:00:00Z\" level=info msg=\"from within\" scope=dapr.x type=log\n\
         time=\"1970-01-01T00:00:00Z\" level=info msg=outside scope=dapr.x type=log who=chatty\n"
    );
}
