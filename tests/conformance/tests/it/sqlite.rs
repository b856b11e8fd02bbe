//! `state.sqlite`.

use outrigger_block_kit::{Context, Properties};
use outrigger_block_state::conformance::{Traits, run};

/// A store over `string` with one more property passes the suite.
async fn passes(string: &str, more: (&str, &str)) {
    let properties = Properties::new([("connectionString", string), more]);
    let store = outrigger_component_sqlite::open(Context::for_test("store"), properties)
        .await
        .unwrap();
    let traits = Traits {
        delete_with_prefix: false,
        ..Traits::all("sqlite")
    };
    run(store, traits).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_sqlite_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for (name, disable_wal) in [("wal.db", "false"), ("journal.db", "true")] {
        let path = folder.path().join(name);
        passes(path.to_str().unwrap(), ("disableWAL", disable_wal)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_sqlite_in_memory() {
    passes(":memory:", ("tableName", "other")).await;
}
