//! One app and its sidecar: started in order, told of each other, ended together.

use std::time::{Duration, Instant};

use crate::support::{Run, User, gone, kill, number, pid, sidecar_of};

/// A shell app that tells its process id and waits.
const WAITS: &str = "echo pid $$; while :; do sleep 1; done";

/// Waits until the app of a run is there, and gives its process id.
fn app_pid(run: &mut Run) -> u32 {
    let line = run.line("== APP == pid ");
    run.line("You're up and running!");
    number(&line)
}

#[test]
fn the_exit_code_is_the_apps() {
    let user = User::new();
    for (script, code, line) in [
        ("exit 0", 0, "✅  Exited App successfully"),
        (
            "exit 7",
            7,
            "❌  The App process exited with error code: exit status 7",
        ),
        (
            "kill -9 $$",
            137,
            "❌  The App process was terminated by signal: killed",
        ),
    ] {
        let mut run = user.start(&["run", "--app-id", "codes", "--", "sh", "-c", script]);
        let status = run.end();
        assert_eq!(status.code(), Some(code), "{:#?}", run.seen);
        assert!(run.saw(line), "{line}: {:#?}", run.seen);
        assert!(run.saw("✅  Exited Dapr successfully"), "{:#?}", run.seen);
    }
}

#[test]
fn lines_that_scripts_match_come_in_order() {
    let user = User::new();
    let mut run = user.start(&[
        "run",
        "--app-id",
        "markers",
        "--",
        "sh",
        "-c",
        "echo out; echo err >&2",
    ]);
    run.end();
    let place = |part: &str| {
        run.seen
            .iter()
            .position(|line| line.contains(part))
            .unwrap_or_else(|| panic!("no {part:?} in {:#?}", run.seen))
    };
    let places = [
        "ℹ️  Starting Dapr with id markers. HTTP Port: ",
        "ℹ️  Checking if Dapr sidecar is listening on HTTP port ",
        "ℹ️  Dapr sidecar is up and running.",
        "ℹ️  Updating metadata for appPID: ",
        "ℹ️  Updating metadata for app command: sh -c echo out; echo err >&2",
        "✅  You're up and running! Both Dapr and your app logs will appear here.",
        "✅  Exited App successfully",
        "✅  Exited Dapr successfully",
    ]
    .map(place);
    assert!(places.is_sorted(), "{places:?} {:#?}", run.seen);
    assert!(
        run.saw("== APP == out") && run.saw("== APP == err"),
        "{:#?}",
        run.seen
    );
    assert!(
        !run.seen.iter().any(|line| line.contains('\x1b')),
        "{:#?}",
        run.seen
    );
}

#[test]
fn apps_are_told_of_their_sidecar() {
    let user = User::new();
    let script = "echo id $APP_ID proto $APP_PROTOCOL at $APP_CHANNEL_ADDRESS:$APP_PORT; \
                  echo http $DAPR_HTTP_PORT; echo grpc $DAPR_GRPC_PORT; echo metrics $DAPR_METRICS_PORT; \
                  curl -s -o /dev/null -w 'healthz %{http_code}\n' http://127.0.0.1:$DAPR_HTTP_PORT/v1.0/healthz/outbound; \
                  curl -s -o /dev/null -w 'metrics %{http_code}\n' http://127.0.0.1:$DAPR_METRICS_PORT/metrics";
    let mut run = user.start(&[
        "run",
        "--app-id",
        "told",
        "--app-protocol",
        "GRPC",
        "--",
        "sh",
        "-c",
        script,
    ]);
    assert_eq!(run.end().code(), Some(0), "{:#?}", run.seen);
    assert!(
        run.saw("== APP == id told proto grpc at 127.0.0.1:"),
        "{:#?}",
        run.seen
    );
    let (http, grpc) = (run.port("HTTP Port"), run.port("gRPC Port"));
    assert!(run.saw(&format!("== APP == http {http}")), "{:#?}", run.seen);
    assert!(run.saw(&format!("== APP == grpc {grpc}")), "{:#?}", run.seen);
    assert!(
        run.saw("== APP == healthz 204"),
        "the sidecar was not ready: {:#?}",
        run.seen
    );
    assert!(run.saw("== APP == metrics 200"), "{:#?}", run.seen);
}

#[test]
fn a_state_store_and_a_broker_are_there_by_default() {
    let user = User::new();
    let script = "base=http://127.0.0.1:$DAPR_HTTP_PORT/v1.0; \
                  curl -sf $base/state/statestore -d '[{\"key\": \"k\", \"value\": \"v\"}]' && curl -sf $base/state/statestore/k && echo; \
                  curl -sf -X POST $base/publish/pubsub/t -H 'content-type: application/json' -d '1' && echo published";
    let mut run = user.start(&["run", "--app-id", "defaults", "--", "sh", "-c", script]);
    assert_eq!(run.end().code(), Some(0), "{:#?}", run.seen);
    assert!(
        run.saw("== APP == \"v\"") && run.saw("== APP == published"),
        "{:#?}",
        run.seen
    );
    assert!(user.home().join(".outrigger/state.sqlite").is_file());
    assert!(user.home().join(".outrigger/broker/pubsub").is_dir());
    assert!(
        user.home()
            .join(".outrigger/components/statestore.yaml")
            .is_file()
    );
}

#[test]
fn ctrl_c_ends_both() {
    let user = User::new();
    let mut run = user.start(&["run", "--app-id", "ctrl-c", "--", "sh", "-c", WAITS]);
    let app = app_pid(&mut run);
    run.signal("-INT");
    assert_eq!(run.end().code(), Some(0), "{:#?}", run.seen);
    gone(app);
    assert!(
        run.saw("terminated signal received: shutting down"),
        "{:#?}",
        run.seen
    );
    assert!(
        run.saw("✅  Exited App successfully") && run.saw("✅  Exited Dapr successfully"),
        "{:#?}",
        run.seen
    );
}

#[test]
fn an_app_can_use_its_sidecar_to_the_last() {
    let user = User::new();
    let script = "trap 'curl -s -o /dev/null -w \"last %{http_code}\\n\" http://127.0.0.1:$DAPR_HTTP_PORT/v1.0/metadata; exit 5' TERM; \
                  echo pid $$; while :; do sleep 0.05; done";
    let mut run = user.start(&["run", "--app-id", "last-words", "--", "sh", "-c", script]);
    app_pid(&mut run);
    run.signal("-TERM");
    assert_eq!(run.end().code(), Some(5), "{:#?}", run.seen);
    assert!(run.saw("== APP == last 200"), "{:#?}", run.seen);
    assert!(run.saw("❌  Error exiting App: exit status 5"), "{:#?}", run.seen);
}

#[test]
fn a_second_ctrl_c_kills() {
    let user = User::new();
    let script = "trap 'echo deaf' TERM INT; echo pid $$; while :; do sleep 0.05; done";
    let mut run = user.start(&["run", "--app-id", "deaf", "--", "sh", "-c", script]);
    let app = app_pid(&mut run);
    run.signal("-INT");
    run.line("== APP == deaf");
    let asked = Instant::now();
    run.signal("-INT");
    assert_eq!(run.end().code(), Some(137), "{:#?}", run.seen);
    assert!(
        asked.elapsed() < Duration::from_secs(4),
        "waited {:?}",
        asked.elapsed()
    );
    gone(app);
}

#[test]
fn an_app_that_does_not_listen_is_killed_after_its_time() {
    let user = User::new();
    let script = "trap '' TERM; echo pid $$; while :; do sleep 0.05; done";
    let mut run = user.start(&["run", "--app-id", "stubborn", "--", "sh", "-c", script]);
    let app = app_pid(&mut run);
    run.signal("-TERM");
    assert_eq!(run.end().code(), Some(137), "{:#?}", run.seen);
    gone(app);
}

#[test]
fn what_an_app_started_ends_with_it() {
    let user = User::new();
    let script = "sh -c 'echo grandchild $$; while :; do sleep 1; done' & sleep 0.2; exit 4";
    let mut run = user.start(&["run", "--app-id", "parent", "--", "sh", "-c", script]);
    let grandchild = number(&run.line("== APP == grandchild "));
    assert_eq!(run.end().code(), Some(4), "{:#?}", run.seen);
    gone(grandchild);
}

#[test]
fn a_sidecar_that_dies_ends_its_app() {
    let user = User::new();
    let mut run = user.start(&["run", "--app-id", "dying", "--", "sh", "-c", WAITS]);
    let app = app_pid(&mut run);
    let row = sidecar_of(&user, "dying").unwrap();
    assert_eq!((pid(&row, "appPid"), pid(&row, "cliPid")), (app, run.child.id()));
    kill("-KILL", pid(&row, "daprdPid"));
    assert_eq!(run.end().code(), Some(1), "{:#?}", run.seen);
    gone(app);
    assert!(
        run.saw("❌  The daprd process exited with error code: signal: killed"),
        "{:#?}",
        run.seen
    );
    assert!(run.saw("✅  Exited App successfully"), "{:#?}", run.seen);
}

#[test]
fn a_sidecar_that_is_shut_down_by_its_app_is_no_failure() {
    let user = User::new();
    let script = "curl -s -X POST http://127.0.0.1:$DAPR_HTTP_PORT/v1.0/shutdown; sleep 20; exit 1";
    let mut run = user.start(&["run", "--app-id", "by-api", "--", "sh", "-c", script]);
    assert_eq!(run.end().code(), Some(0), "{:#?}", run.seen);
    assert!(
        run.saw("✅  Exited Dapr successfully") && run.saw("✅  Exited App successfully"),
        "{:#?}",
        run.seen
    );
}

#[test]
fn nothing_outlives_a_run_that_is_killed() {
    let user = User::new();
    let script =
        "sh -c 'echo grandchild $$; while :; do sleep 1; done' & echo pid $$; while :; do sleep 1; done";
    let mut run = user.start(&["run", "--app-id", "orphans", "--", "sh", "-c", script]);
    let (grandchild, app) = (number(&run.line("== APP == grandchild ")), app_pid(&mut run));
    let row = sidecar_of(&user, "orphans").unwrap();
    run.signal("-KILL");
    run.end();
    for process in [app, grandchild, pid(&row, "daprdPid")] {
        gone(process);
    }
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let user = User::new();
    let mut run = user.start(&["run", "--app-id", "no-program", "--", "no-such-program-here"]);
    assert_eq!(run.end().code(), Some(1), "{:#?}", run.seen);
    assert!(
        run.saw("❌  Error starting app process: Failed to find command no-such-program-here: No such file"),
        "{:#?}",
        run.seen
    );
}

#[test]
fn a_sidecar_that_cannot_start_is_told_and_the_app_never_runs() {
    let user = User::new();
    user.file(
        "resources/a.yaml",
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: a}\nspec: {type: state.no-such-store, version: v1}\n",
    );
    let mut run = user.start(&[
        "run",
        "--app-id",
        "bad",
        "--resources-path",
        "resources",
        "--",
        "touch",
        "started",
    ]);
    assert_eq!(run.end().code(), Some(1), "{:#?}", run.seen);
    assert!(
        run.saw("❌  The daprd process exited with error code: exit status 1"),
        "{:#?}",
        run.seen
    );
    assert!(!user.home().join("started").exists());
}

#[test]
fn a_sidecar_alone_runs_until_it_is_told_to_end() {
    let user = User::new();
    let mut run = user.start(&["run", "--app-id", "alone"]);
    run.line("WARNING: no application command found.");
    run.line("✅  You're up and running! Dapr logs will appear here.");
    run.signal("-TERM");
    assert_eq!(run.end().code(), Some(0), "{:#?}", run.seen);
}

#[test]
fn messages_can_be_json() {
    let user = User::new();
    let mut run = user.start(&["run", "--log-as-json", "--app-id", "json", "--", "true"]);
    assert_eq!(run.end().code(), Some(0), "{:#?}", run.seen);
    let line = run.line("Exited App successfully");
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&value["status"], &value["msg"]),
        (&"success".into(), &"Exited App successfully".into())
    );
    assert!(run.saw("{\"app_id\":\"json\""), "{:#?}", run.seen);
}
