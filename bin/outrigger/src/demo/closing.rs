//! What is said at the end: the books, what went wrong, and what to try.

use std::time::Duration;

use outrigger_base_std::chain;
use outrigger_wire_names::{content, routes};

use super::{
    books::{Audit, Totals},
    cast::DOOR,
    script::Trouble,
    show::{Show, Style},
    stage::{Fallen, Folder, Stage},
};

/// Discrepancies that are told; more of them say no more.
const TOLD_MAX: usize = 20;
/// Last lines of a log that are shown.
const TAIL: usize = 15;

/// Tells what the books come to.
pub(crate) fn tell_books(audit: &Audit, show: &Show, took: Duration) {
    let Totals {
        accepted,
        shipped,
        rejected,
        dead,
        repeated,
        stocked,
        sold,
        left,
    } = audit.totals;
    let mark = if audit.balances() {
        show.paint(Style::Good, "✓")
    } else {
        show.paint(Style::Bad, "✗")
    };
    show.tell(&format!(
        "   {mark} orders: {accepted} accepted = {shipped} shipped + {rejected} rejected for stock + {dead} dead-lettered"
    ));
    show.tell(&format!(
        "   {mark} pieces: {stocked} stocked = {sold} sold + {left} left"
    ));
    show.tell(&format!(
        "   {mark} events: {repeated} came more than once, and were told by their ids"
    ));
    if audit.balances() {
        let verdict = "The books balance: every order is accounted for, once.";
        let verdict = show.paint(Style::Good, verdict);
        show.tell(&format!(
            "\n{verdict} {accepted} orders, {:.1} s.",
            took.as_secs_f32()
        ));
        return;
    }
    show.tell(&show.paint(Style::Bad, "The books do not balance:"));
    for discrepancy in audit.discrepancies.iter().take(TOLD_MAX) {
        show.tell(&format!("   {discrepancy}"));
    }
    let more = audit.discrepancies.len().saturating_sub(TOLD_MAX);
    if more > 0 {
        show.tell(&format!("   and {more} more"));
    }
}

/// Tells why the play was broken off, with what those who are involved said last.
pub(crate) fn tell_trouble(trouble: &Trouble, stage: &Stage, show: &Show) {
    show.tell(&show.paint(Style::Bad, &format!("✗ {}", chain(trouble))));
    if let Some(name) = trouble.suspect() {
        tell_logs(name, stage.folder(), show);
    }
}

/// Tells of a process that ended without being told to.
pub(crate) fn tell_fallen(fallen: &Fallen, stage: &Stage, show: &Show) {
    show.tell(&show.paint(
        Style::Bad,
        &format!("✗ {} ended unexpectedly: {}", fallen.process, fallen.how),
    ));
    tell_logs(&fallen.process, stage.folder(), show);
}

/// The last lines of a member's logs: the app's and its sidecar's.
fn tell_logs(process: &str, folder: &Folder, show: &Show) {
    let mut logs = vec![process.to_owned()];
    logs.extend(super::stage::other_log(process));
    for log in logs {
        let tail = folder.tail(&log, TAIL);
        if !tail.is_empty() {
            show.tell(&format!("   the last lines of {log}:"));
        }
        for line in tail {
            show.tell(&format!("   {} {line}", show.paint(Style::Dim, "│")));
        }
    }
}

/// What changes nothing and can be tried at any time, as command lines.
pub(crate) fn looking(stage: &Stage) -> Vec<String> {
    let Some(root) = root(stage) else {
        return Vec::new();
    };
    vec![
        format!("curl {}", call(&root, "stock", "shelves/canoe")),
        format!("curl {}", call(&root, "ledger", "summary")),
        format!("curl {}", call(&root, "courier", "labels")),
        format!("curl {root}/{}", routes::METADATA),
    ]
}

/// What a customer does. It is for a shop whose books are done: they know of no other customers than the play's.
pub(crate) fn shopping(stage: &Stage) -> Vec<String> {
    let Some(root) = root(stage) else {
        return Vec::new();
    };
    let with = |data: &str| format!("-H 'content-type: {}' -d '{data}'", content::JSON);
    let order = r#"{"id":"mine","item":"canoe","quantity":1}"#;
    vec![
        format!("curl {} {}", call(&root, "stock", "shelves/canoe"), with("5")),
        format!("curl {} {}", call(&root, "orders", "orders"), with(order)),
        format!("curl {}", call(&root, "ledger", "entries/mine")),
    ]
}

/// The HTTP API of the door.
fn root(stage: &Stage) -> Option<String> {
    let port = stage.ports(DOOR)?.http;
    Some(format!("http://127.0.0.1:{port}/{}", routes::V1))
}

/// The URL of an app's method.
fn call(root: &str, app: &str, method: &str) -> String {
    format!("{root}/{}/{app}{}{method}", routes::INVOKE, routes::METHOD_MARKER)
}
