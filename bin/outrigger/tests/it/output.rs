//! What apps say, on its way to whoever reads it: whole, in time, and never in the way of the end.

use std::{
    io::{PipeWriter, Write},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::support::{Done, PATIENCE, Run, User, eventually, gone, kill, number, pid, sidecar_of};

#[test]
fn a_reader_that_goes_away_ends_the_run() {
    let user = User::new();
    let mut command = user.command(&[
        "run",
        "--app-id",
        "unread",
        "--",
        "sh",
        "-c",
        "while :; do echo line; sleep 0.05; done",
    ]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let row = eventually("the sidecar", Instant::now() + PATIENCE, || {
        sidecar_of(&user, "unread").filter(|row| pid(row, "appPid") != 0)
    });
    drop(child.stdout.take());
    eventually("the end", Instant::now() + PATIENCE, || child.try_wait().unwrap());
    gone(pid(&row, "appPid"));
    gone(pid(&row, "daprdPid"));
}

#[test]
fn a_reader_who_takes_nothing_does_not_keep_the_end() {
    let user = User::new();
    let flood = "echo $$ > pid; while :; do echo line; done";
    let mut child = user
        .command(&["run", "--app-id", "unheard", "--", "sh", "-c", flood])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let app = written(&user, "pid");
    let daprd = pid(&sidecar_of(&user, "unheard").unwrap(), "daprdPid");
    stands_still(app);
    let asked = Instant::now();
    kill("-TERM", child.id());
    eventually("the end", asked + PATIENCE, || child.try_wait().unwrap());
    // The sidecar was not kept by its log either: it would have been killed after 15 s.
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
    gone(app);
    gone(daprd);
}

#[test]
fn a_reader_who_takes_nothing_leaves_neither_half_running() {
    for (app_id, sidecar_dies, is_full) in [
        ("ends", false, false),
        ("orphan", true, false),
        ("ends-early", false, true),
        ("orphan-early", true, true),
    ] {
        let user = User::new();
        let script = "yes & echo $! > flood; echo $$ > pid; until [ -e end ]; do sleep 0.05; done; exit 3";
        let (reader, writer) = std::io::pipe().unwrap();
        if is_full {
            // Then not even what `run` says at the start is taken.
            fill(&writer);
        }
        let mut child = user
            .command(&["run", "--app-id", app_id, "--", "sh", "-c", script])
            .stdout(writer)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let [app, flood] = ["pid", "flood"].map(|name| written(&user, name));
        let daprd = pid(&sidecar_of(&user, app_id).unwrap(), "daprdPid");
        stands_still(flood);
        if sidecar_dies {
            kill("-KILL", daprd);
        } else {
            user.file("end", "");
        }
        for process in [app, flood, daprd] {
            gone(process);
        }
        // The reader decides when the last lines are taken; nothing but that is left to wait for.
        assert!(child.try_wait().unwrap().is_none(), "{app_id}");
        drop(reader);
        let end = eventually("the end", Instant::now() + PATIENCE, || child.try_wait().unwrap());
        assert_eq!(end.code(), Some(if sidecar_dies { 1 } else { 3 }), "{app_id}");
    }
}

/// Fills a pipe to the last byte.
fn fill(pipe: &PipeWriter) {
    let mut yes = Command::new("yes")
        .stdout(pipe.try_clone().unwrap())
        .spawn()
        .unwrap();
    stands_still(yes.id());
    yes.kill().unwrap();
    yes.wait().unwrap();
}

/// Waits for the process id that an app writes into a file in its home folder.
fn written(user: &User, name: &str) -> u32 {
    eventually(name, Instant::now() + PATIENCE, || {
        let text = std::fs::read_to_string(user.home().join(name)).ok()?;
        text.trim().parse().ok()
    })
}

/// Waits until a process does nothing any more: here because its output is full.
fn stands_still(pid: u32) {
    let (mut last, mut same) = (String::new(), 0);
    eventually("a full pipe", Instant::now() + PATIENCE, || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let times: Vec<_> = stat.rsplit_once(')').unwrap().1.split(' ').collect();
        let now = times[12..14].join(" ");
        same = if now == last { same + 1 } else { 0 };
        last = now;
        (same > 50).then_some(())
    });
}

#[test]
fn a_slow_reader_gets_every_line() {
    let user = User::new();
    // The app has ended, and what it said fills pipes and queues, when the reader begins.
    let line = "\"$0\" run --app-id slow -- seq 1 12000 | { sleep 3; cat; }";
    let mut command = user.command_as("sh".as_ref(), &["-c", line]);
    let done = Done::of(command.arg(env!("CARGO_BIN_EXE_outrigger")).output().unwrap());
    let told = done.out.lines().filter(|line| line.starts_with("== APP == "));
    assert_eq!(told.count(), 12_000, "{done:?}");
    assert!(done.out.ends_with("✅  Exited Dapr successfully\n"), "{done:?}");
}

#[test]
fn a_process_that_leaves_the_app_behind_does_not_keep_the_end() {
    let user = User::new();
    // In a session of its own it is out of reach; it holds the output open.
    let script =
        "setsid sh -c 'echo daemon $$; : > up; exec sleep 60' & until [ -e up ]; do sleep 0.05; done; exit 3";
    let mut run = user.start(&["run", "--app-id", "forks", "--", "sh", "-c", script]);
    let daemon = number(&run.line("== APP == daemon "));
    assert_eq!(run.end().code(), Some(3), "{:#?}", run.seen);
    kill("-KILL", daemon);
}

#[test]
fn output_is_passed_on_byte_by_byte() {
    let user = User::new();
    let mut command = user.command(&["run", "--app-id", "bytes", "--", "sh", "-c"]);
    command.arg(r"printf 'a\0b\377\n'; printf 'no end'");
    let output = command.output().unwrap();
    let has = |part: &[u8]| output.stdout.windows(part.len()).any(|window| window == part);
    for part in [&b"== APP == a\0b\xff\n"[..], b"== APP == no end\n"] {
        assert!(has(part), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

/// The program on a terminal of its own, which shows on the standard output and types the standard input.
fn on_a_terminal(user: &User, args: &[&str]) -> Command {
    let play = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let mut command = user.command_as("python3".as_ref(), &["-c", play, env!("CARGO_BIN_EXE_outrigger")]);
    command.args(args).env("TERM", "xterm");
    command
}

#[test]
fn colours_are_for_terminals_whose_user_wants_them() {
    let user = User::new();
    for (name, value, line) in [
        ("NO_COLOR", "", "\x1b[1;94m== APP ==\x1b[0m hello\r\n"),
        ("NO_COLOR", "1", "\n== APP == hello\r\n"),
        ("TERM", "dumb", "\n== APP == hello\r\n"),
    ] {
        let mut command = on_a_terminal(&user, &["run", "--app-id", "colours", "--", "echo", "hello"]);
        let done = Done::of(command.env(name, value).output().unwrap());
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(done.out.contains(line), "{name}={value}: {done:?}");
    }
}

#[test]
fn an_app_reads_what_is_typed() {
    let user = User::new();
    let script = "read word; echo \"the word is $word\"; cat; echo the end";
    let mut command = on_a_terminal(&user, &["run", "--app-id", "reader", "--", "sh", "-c", script]);
    let mut run = Run::start(command.stdin(Stdio::piped()));
    let mut keys = run.child.stdin.take().unwrap();
    keys.write_all(b"canoe\n").unwrap();
    run.line("the word is canoe");
    // Ctrl-D.
    keys.write_all(b"more\n\x04").unwrap();
    run.line(" the end");
    assert_eq!(run.end().code(), Some(0), "{:#?}", run.seen);
    assert!(run.saw("== APP ==\x1b[0m more"), "{:#?}", run.seen);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let user = User::new();
    for args in [
        &[][..],
        &["list"],
        &["version"],
        &["build-info"],
        &["completion", "bash"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = user.command(args);
        let output = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let done = Done::of(output.wait_with_output().unwrap());
        assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{args:?}");
    }
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let done = Done::of(user.command(&["version"]).stdout(full).output().unwrap());
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(
        done.err
            .starts_with("❌  could not write to the standard output: No space left"),
        "{done:?}"
    );
}
