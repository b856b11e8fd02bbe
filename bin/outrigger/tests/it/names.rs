//! The names that the program has.

use std::{os::unix::fs::symlink, path::PathBuf};

use crate::support::{Done, User};

fn link(user: &User, name: &str) -> PathBuf {
    let path = user.home().join(name);
    symlink(env!("CARGO_BIN_EXE_outrigger"), &path).unwrap();
    path
}

fn done(user: &User, name: &str, args: &[&str]) -> Done {
    let program = link(user, name);
    Done::of(user.command_as(&program, args).output().unwrap())
}

#[test]
fn dapr_answers_the_same_commands() {
    let user = User::new();
    let (dapr, own) = (done(&user, "dapr", &["version"]), user.done(&["version"]));
    assert_eq!((dapr.code, &dapr.out), (Some(0), &own.out));
    let dapr = Done::of(
        user.command_as(&user.home().join("dapr"), &["run", "--help"])
            .output()
            .unwrap(),
    );
    assert!(
        dapr.out.contains("Usage: dapr run [OPTIONS] [COMMAND]..."),
        "{}",
        dapr.out
    );
}

#[test]
fn dapr_runs_apps() {
    let user = User::new();
    let ran = done(
        &user,
        "dapr",
        &["run", "--app-id", "a", "--", "sh", "-c", "echo from the app"],
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("== APP == from the app\n"), "{ran:?}");
}

#[test]
fn daprd_is_the_sidecar() {
    let user = User::new();
    let version = done(&user, "daprd", &["--version"]);
    assert_eq!((version.code, version.out.as_str()), (Some(0), "1.19.1\n"));
    let unknown = Done::of(
        user.command_as(&user.home().join("daprd"), &["--no-such-flag"])
            .output()
            .unwrap(),
    );
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert_eq!(user.done(&["sidecar", "-version"]).out, "1.19.1\n");
}

#[test]
fn roles_and_commands_that_are_not_built_say_so() {
    let user = User::new();
    for role in ["placement", "scheduler", "sentry", "operator", "injector"] {
        let text = format!("the role \"{role}\" is not built into this version of Outrigger\n");
        for done in [
            user.done(&[role, "--port", "1"]),
            done(&user, role, &["--port", "1"]),
        ] {
            assert_eq!((done.code, &done.err), (Some(1), &text));
            assert_eq!(done.out, "");
        }
    }
    let done = user.done(&["list", "-k"]);
    assert_eq!(done.code, Some(1));
    assert!(
        done.err.starts_with("❌  Kubernetes mode (-k) is not built into"),
        "{done:?}"
    );
}

#[test]
fn commands_that_are_not_built_are_known_wherever_they_stand() {
    let user = User::new();
    let dapr = link(&user, "dapr");
    for (args, name) in [
        (&["dashboard"][..], "dashboard"),
        (&["uninstall", "--all", "-k"], "uninstall"),
        (&["uninstall", "--help"], "uninstall"),
        (&["--runtime-path", "/opt", "uninstall"], "uninstall"),
        (&["help", "uninstall"], "uninstall"),
        (&["help", "wf", "list"], "workflow"),
        (&["scheduler", "list"], "scheduler"),
        (&["sched", "delete-all", "--", "-x"], "scheduler"),
    ] {
        for program in [dapr.as_path(), env!("CARGO_BIN_EXE_outrigger").as_ref()] {
            let done = Done::of(user.command_as(program, args).output().unwrap());
            let text = format!("❌  the command \"{name}\" is not built into this version of Outrigger\n");
            assert_eq!((done.code, &done.err), (Some(1), &text), "{args:?}");
            assert_eq!(done.out, "");
        }
    }
    for args in [["--log-as-json", "uninstall"], ["uninstall", "--log-as-json"]] {
        let done = user.done(&args);
        assert_eq!(done.code, Some(1));
        let line: serde_json::Value = serde_json::from_str(&done.err).unwrap();
        let text = "the command \"uninstall\" is not built into this version of Outrigger";
        assert_eq!(line["msg"], text, "{args:?}");
    }
    // What is not known at all is told with what may be meant.
    for args in [&["lst"][..], &["help", "lst"]] {
        let done = user.done(args);
        assert_eq!(done.code, Some(2));
        assert!(
            done.err.contains("unrecognized subcommand 'lst'") && done.err.contains("'list'"),
            "{done:?}"
        );
    }
}
