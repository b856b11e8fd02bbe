//! Forms of flags that Dapr's CLI takes.

use crate::support::{Done, User};

#[test]
fn an_empty_runtime_path_is_none() {
    let user = User::new();
    let mut command = user.command(&["version"]);
    let done = Done::of(command.env("DAPR_RUNTIME_PATH", "").output().unwrap());
    assert_eq!(done.code, Some(0), "{done:?}");
    for args in [&["init", "--runtime-path="][..], &["--runtime-path", "", "init"]] {
        let done = user.done(args);
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(user.home().join(".outrigger/components").is_dir(), "{done:?}");
        assert!(!user.home().join(".dapr").exists(), "{done:?}");
    }
}

#[test]
fn an_empty_text_says_nothing() {
    let user = User::new();
    let empty = [
        "--config=",
        "--resources-path=",
        "--components-path=",
        "--unix-domain-socket=",
        "--app-channel-address=",
        "--app-protocol=",
        "--log-level=",
        "--max-body-size=",
        "--read-buffer-size=",
        "--dapr-listen-addresses=",
        "--app-health-check-path=",
        "--placement-host-address=",
        "--scheduler-host-address=",
        "--run-file=",
    ];
    let mut args = vec!["run", "-a", "first", "-a", "second"];
    args.extend(empty);
    args.extend(["--", "sh", "-c", "echo $APP_ID speaks $APP_PROTOCOL"]);
    let done = user.done(&args);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.out.contains("== APP == second speaks http\n"), "{done:?}");
    assert!(user.home().join(".outrigger/components").is_dir());
    let done = user.done(&["stop", "--app-id", "", "--run-file", ""]);
    assert_eq!(
        (done.code, done.err.as_str()),
        (Some(1), "❌  nothing to stop: give --app-id or --run-file\n")
    );
    let done = user.done(&["invoke", "-a", "nobody", "-m", "x", "-f", "", "-u", ""]);
    assert_eq!(
        done.err,
        "❌  error invoking app nobody: app ID nobody not found\n"
    );
}

#[test]
fn switches_take_gos_booleans() {
    let user = User::new();
    let done = user.done(&["list", "-k=false", "--kubernetes=0", "--log-as-json=1"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let done = user.done(&["--log-as-json=T", "list", "--kubernetes=1"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.err.contains("\"status\":\"failure\""), "{done:?}");
}
