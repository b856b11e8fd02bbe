//! Scripts that the server runs.

use redis::{Cmd, Value};

use crate::{
    fault::Fault,
    link::{Call, Link},
};

/// The server's answer when it does not know a script by its digest (it restarted, or another node answers).
const UNKNOWN: &str = "NOSCRIPT";

/// A script and its digest.
#[derive(Debug)]
pub(crate) struct Script {
    code: &'static str,
    digest: String,
}

impl Script {
    /// A script from its text.
    pub(crate) fn new(code: &'static str) -> Self {
        Self {
            code,
            digest: redis::Script::new(code).get_hash().to_owned(),
        }
    }

    /// Runs the script: by its digest, and by its text where the server does not know it yet, which teaches it.
    /// `arguments` adds the key count, the keys and the rest, and is called once more in the second case.
    pub(crate) async fn run(
        &self,
        link: &Link,
        call: Call,
        size: usize,
        arguments: impl Fn(&mut Cmd),
    ) -> Result<Value, Fault> {
        let build = |name: &str, script: &str| {
            let mut command = Cmd::with_capacity(8, size + script.len() + name.len());
            command.arg(name).arg(script);
            arguments(&mut command);
            command
        };
        match link.send(&build("EVALSHA", &self.digest), call).await {
            Err(fault) if fault.code() == Some(UNKNOWN) => link.send(&build("EVAL", self.code), call).await,
            answer => answer,
        }
    }
}
