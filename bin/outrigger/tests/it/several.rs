//! Several apps from a run file.

use std::{fs, path::Path};

use crate::support::{Run, User, gone, number};

const WAITS: &str = "while :; do sleep 1; done";

fn run_file(user: &User, apps: &str) {
    for dir in ["one", "two"] {
        fs::create_dir_all(user.home().join(dir)).unwrap();
    }
    user.file("dapr.yaml", &format!("version: 1\nname: pair\napps:\n{apps}"));
}

/// An app that tells its process id, then runs a script.
fn app(id: &str, dir: &str, script: &str, more: &str) -> String {
    let script = format!("echo {id} pid $$; {script}");
    format!("  - appID: {id}\n    appDirPath: {dir}\n    command: [sh, -c, '{script}']\n{more}")
}

fn log(dir: &Path, part: &str) -> String {
    let folder = dir.join(".dapr/logs");
    let names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let path = names
        .iter()
        .find(|path| path.file_name().unwrap().to_str().unwrap().contains(part))
        .unwrap_or_else(|| panic!("no {part} in {names:?}"));
    fs::read_to_string(path).unwrap()
}

fn started(run: &mut Run, id: &str) -> u32 {
    run.line(&format!("ℹ️  Started Dapr with app id \"{id}\". HTTP Port: "));
    number(&run.line(&format!("== APP - {id} == {id} pid ")))
}

#[test]
fn each_runs_in_its_folder_with_its_logs() {
    let user = User::new();
    let more = "    env: {GREETING: hello}\n";
    run_file(
        &user,
        &format!(
            "{}{}",
            app("first", "one", "echo $GREETING from $(pwd) >&2; exit 0", more),
            app("second", "two", "echo $DAPR_HTTP_PORT; exit 0", "")
        ),
    );
    let mut run = user.start(&["run", "-f", "."]);
    assert_eq!(run.end().code(), Some(0), "{:#?}", run.seen);
    let one = fs::canonicalize(user.home().join("one")).unwrap();
    for line in [
        "ℹ️  Validating config and starting app \"first\"".to_owned(),
        format!(
            "ℹ️  Writing log files to directory : {}/.dapr/logs",
            one.display()
        ),
        format!("== APP - first == hello from {}", one.display()),
    ] {
        assert!(run.saw(&line), "{line}: {:#?}", run.seen);
    }
    assert!(
        !run.saw("level=info"),
        "the sidecar's log is on the terminal: {:#?}",
        run.seen
    );
    let app_log = log(&one, "first_app_");
    assert!(
        app_log.contains("== APP - first == hello from") && app_log.contains("\nExited App successfully\n"),
        "{app_log}"
    );
    let daprd_log = log(&one, "first_daprd_");
    for part in [
        "Starting Dapr with id first. HTTP Port: ",
        "msg=\"dapr initialized",
        "You're up and running! Dapr logs will appear here.",
        "Exited Dapr successfully",
    ] {
        assert!(daprd_log.contains(part), "{part}: {daprd_log}");
    }
}

#[test]
fn output_goes_where_it_is_sent() {
    let user = User::new();
    run_file(
        &user,
        &format!(
            "{}{}",
            app(
                "quiet",
                "one",
                "exit 0",
                "    appLogDestination: file\n    daprdLogDestination: console\n"
            ),
            app("loud", "two", "exit 0", "    appLogDestination: console\n")
        ),
    );
    let mut run = user.start(&["run", "-f", "dapr.yaml"]);
    assert_eq!(run.end().code(), Some(0), "{:#?}", run.seen);
    assert!(
        !run.saw("== APP - quiet") && run.saw("== APP - loud"),
        "{:#?}",
        run.seen
    );
    assert!(
        run.saw("app_id=quiet") && !run.saw("app_id=loud"),
        "{:#?}",
        run.seen
    );
    assert!(log(&user.home().join("one"), "quiet_app_").contains("== APP - quiet == quiet pid "));
    let logs: Vec<_> = fs::read_dir(user.home().join("two/.dapr/logs"))
        .unwrap()
        .collect();
    assert_eq!(logs.len(), 1, "{logs:?}");
}

#[test]
fn one_failure_is_the_exit_code_and_the_others_go_on() {
    let user = User::new();
    run_file(
        &user,
        &format!(
            "{}{}",
            app("fails", "one", "exit 6", ""),
            app("stays", "two", WAITS, "")
        ),
    );
    let mut run = user.start(&["run", "-f", "."]);
    let stays = started(&mut run, "stays");
    run.line("The App process exited with error code: exit status 6");
    assert!(run.child.try_wait().unwrap().is_none());
    run.signal("-INT");
    assert_eq!(run.end().code(), Some(6), "{:#?}", run.seen);
    gone(stays);
    assert!(
        run.saw("Received signal to stop Dapr and app processes. Shutting down Dapr and app processes."),
        "{:#?}",
        run.seen
    );
    let daprd_log = log(&user.home().join("two"), "stays_daprd_");
    assert!(
        daprd_log.contains("termination signal received: shutting down")
            && daprd_log.ends_with("Exited Dapr successfully\n"),
        "{daprd_log}"
    );
}

#[test]
fn stop_ends_them_one_by_one_or_together() {
    let user = User::new();
    run_file(
        &user,
        &format!(
            "{}{}",
            app("pair-a", "one", WAITS, ""),
            app("pair-b", "two", WAITS, "")
        ),
    );
    let mut run = user.start(&["run", "-f", "."]);
    let (a, b) = (started(&mut run, "pair-a"), started(&mut run, "pair-b"));
    let list = user.done(&["list", "-o", "yaml"]).out;
    let file = fs::canonicalize(user.home().join("dapr.yaml")).unwrap();
    assert!(
        list.contains(&format!("runTemplatePath: \"{}\"\n", file.display()))
            && list.contains("runTemplateName: \"pair\"\n"),
        "{list}"
    );
    let done = user.done(&["stop", "--app-id", "pair-a"]);
    assert_eq!(done.out, "✅  app stopped successfully: pair-a\n", "{done:?}");
    gone(a);
    assert!(run.child.try_wait().unwrap().is_none());
    let done = user.done(&["stop", "-f", "."]);
    assert_eq!(
        done.out, "✅  Dapr and app processes stopped successfully\n",
        "{done:?}"
    );
    gone(b);
    assert_eq!(run.end().code(), Some(0), "{:#?}", run.seen);
    let done = user.done(&["stop", "-f", "."]);
    assert!(
        done.code == Some(0) && done.err.contains("couldn't find apps with run file"),
        "{done:?}"
    );
}

#[test]
fn what_cannot_be_started_ends_the_others() {
    let user = User::new();
    let bad = "  - appID: bad\n    appDirPath: two\n    command: [./not-there]\n";
    run_file(&user, &format!("{}{bad}", app("good", "one", WAITS, "")));
    let mut run = user.start(&["run", "-f", "."]);
    let good = started(&mut run, "good");
    assert_eq!(run.end().code(), Some(1), "{:#?}", run.seen);
    gone(good);
    assert!(
        run.saw("❌  Error starting Dapr and app (\"bad\"): Error starting app process: Failed to find command ./not-there"),
        "{:#?}",
        run.seen
    );
}

#[test]
fn apps_call_each_other_without_multicast() {
    let user = User::new();
    let server = "import http.server as s\nclass H(s.BaseHTTPRequestHandler):\n  def do_POST(self):\n    self.send_response(200)\n    self.send_header(\"content-length\", \"5\")\n    self.end_headers()\n    self.wfile.write(b\"hello\")\n  do_GET = do_POST\n  def log_message(self, *a): pass\nimport os\ns.HTTPServer((\"127.0.0.1\", int(os.environ[\"APP_PORT\"])), H).serve_forever()\n";
    user.file("one/server.py", server);
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let caller = "  - appID: caller\n    appDirPath: two\n    command: [sh, -c, \"until curl -sf -X POST http://127.0.0.1:$DAPR_HTTP_PORT/v1.0/invoke/callee/method/greet; do sleep 0.1; done; echo\"]\n";
    run_file(
        &user,
        &format!(
            "  - appID: callee\n    appDirPath: one\n    appPort: {port}\n    command: [python3, server.py]\n{caller}"
        ),
    );
    let mut run = user.start(&["run", "-f", "."]);
    run.line("== APP - caller == hello");
    run.signal("-TERM");
    assert_eq!(run.end().code(), Some(0), "{:#?}", run.seen);
}

#[test]
fn the_run_file_may_come_through_a_pipe() {
    use std::{io::Write, process::Stdio};
    let user = User::new();
    fs::create_dir(user.home().join("one")).unwrap();
    let mut command = user.command(&["run", "-f", "-", "--app-id", "ignored"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let text = format!("version: 1\napps:\n{}", app("piped", "one", "exit 0", ""));
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let done = crate::support::Done::of(child.wait_with_output().unwrap());
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.out.contains("== APP - piped == piped pid "), "{done:?}");
    assert!(
        done.out.contains("⚠  The following flags are ignored when using --run-file and should be configured in the run file instead: app-id\n"),
        "{done:?}"
    );
}

#[test]
fn apps_may_share_their_port() {
    let user = User::new();
    // As in Dapr's quickstart for jobs in Java.
    let port = "    appPort: 8080\n";
    run_file(
        &user,
        &format!(
            "{}{}",
            app("serves", "one", "exit 0", port),
            app("asks", "two", "exit 0", port)
        ),
    );
    let mut run = user.start(&["run", "-f", "."]);
    assert_eq!(run.end().code(), Some(0), "{:#?}", run.seen);
    assert!(
        run.saw("⚠  The apps serves, asks share the port 8080 of 127.0.0.1: "),
        "{:#?}",
        run.seen
    );
    assert!(run.saw("== APP - asks == asks pid "), "{:#?}", run.seen);
}
