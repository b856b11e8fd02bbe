//! `list` and `stop` with one app.

use crate::support::{User, gone, number};

#[test]
fn a_running_app_is_listed_and_stopped() {
    let user = User::new();
    let mut run = user.start(&[
        "run",
        "--app-id",
        "listed",
        "--max-body-size",
        "16Mi",
        "--",
        "sh",
        "-c",
        "echo pid $$; while :; do sleep 1; done",
    ]);
    let app = number(&run.line("== APP == pid "));
    run.line("You're up and running!");
    let (http, grpc) = (run.port("HTTP Port"), run.port("gRPC Port"));

    let json = user.done(&["list", "-o", "json"]).out;
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    let row = rows.iter().find(|row| row["appId"] == "listed").unwrap();
    assert_eq!(
        (&row["httpPort"], &row["grpcPort"], &row["appPort"]),
        (&http.into(), &grpc.into(), &0.into())
    );
    assert_eq!(
        (&row["appPid"], &row["cliPid"]),
        (&app.into(), &run.child.id().into())
    );
    assert_eq!(row["maxRequestBodySize"], 16 << 20);
    assert_eq!(row["command"], "sh -c echo pid $$; while :; do sleep 1; done");
    assert!(row["age"].as_str().unwrap().ends_with('s'), "{row}");
    assert_eq!(
        row["created"].as_str().unwrap().len(),
        "2006-01-02 15:04.05".len()
    );
    assert_eq!(row["appLogPath"], "");

    let table = user.done(&["list"]).out;
    let mut lines = table.lines();
    assert!(lines.next().unwrap().starts_with("APP ID  "), "{table}");
    let line = lines.find(|line| line.starts_with("listed ")).unwrap();
    let fields: Vec<_> = line.split_whitespace().collect();
    assert_eq!(fields[..4], ["listed", &http.to_string(), &grpc.to_string(), "0"]);
    assert!(line.contains("  sh -c echo pid $$...  "), "{line}");

    let done = user.done(&["stop", "--app-id", "listed"]);
    assert_eq!(
        (done.code, done.out.as_str()),
        (Some(0), "✅  app stopped successfully: listed\n")
    );
    // It has ended when stop says so.
    assert!(run.child.try_wait().unwrap().is_some());
    assert_eq!(run.end().code(), Some(0), "{:#?}", run.seen);
    gone(app);
}

#[test]
fn a_sidecar_of_nobody_is_listed_and_stopped() {
    let user = User::new();
    let empty = user.home().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let mut sidecar = user
        .command(&[
            "sidecar",
            "--app-id=by-hand",
            "--dapr-http-port=0",
            "--dapr-grpc-port=0",
            "--metrics-port=0",
            "--resources-path",
        ])
        .arg(&empty)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    crate::support::eventually(
        "the sidecar",
        std::time::Instant::now() + crate::support::PATIENCE,
        || user.done(&["list"]).out.contains("by-hand").then_some(()),
    );
    let done = user.done(&["stop", "by-hand"]);
    assert_eq!(done.out, "✅  app stopped successfully: by-hand\n", "{done:?}");
    assert_eq!(sidecar.wait().unwrap().code(), Some(0));
}
