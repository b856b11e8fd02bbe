//! The demo from outside: it balances, it says what to try, it tells who failed, and it leaves nothing behind.

use std::{fs, path::PathBuf, process::Command};

use crate::support::{Done, Run, User, eventually, kill};

/// The fewest orders of which one of every kind is among them.
const FEW: &str = "20";
/// More than are served before the test does something.
const MANY: &str = "5000";

/// A user with a folder for temporary files, where nothing of a demo may be left.
struct Audience {
    user: User,
    tmp: PathBuf,
}

impl Audience {
    fn new() -> Self {
        let user = User::new();
        let tmp = user.home().join("tmp");
        fs::create_dir(&tmp).unwrap();
        Self { user, tmp }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.user.command(&[&["demo"], args].concat());
        command.env("TMPDIR", &self.tmp);
        command
    }

    /// The command lines of processes that have to do with this audience's folder.
    fn processes(&self) -> Vec<(u32, String)> {
        let environment = format!("TMPDIR={}", self.tmp.display());
        let process = |entry: fs::DirEntry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let read = |name| fs::read(entry.path().join(name)).ok();
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace('\0', " ");
            let is_ours = text(read("environ")?).contains(&environment);
            is_ours.then(|| Some((pid, text(read("cmdline")?))))?
        };
        fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(process)
            .collect()
    }

    /// A process of the demo, by its command line.
    fn process(&self, part: &str) -> u32 {
        let deadline = std::time::Instant::now() + crate::support::PATIENCE;
        eventually(part, deadline, || {
            let found = self.processes();
            found
                .iter()
                .find(|(_, line)| line.contains(part))
                .map(|(pid, _)| *pid)
        })
    }

    /// Neither a process nor a file is left.
    fn assert_tidy(&self) {
        let deadline = std::time::Instant::now() + crate::support::PATIENCE;
        eventually("the end of every process", deadline, || {
            self.processes().is_empty().then_some(())
        });
        let left: Vec<_> = fs::read_dir(&self.tmp).unwrap().flatten().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn every_order_is_accounted_for_once() {
    let audience = Audience::new();
    // None of this may reach the shop.
    let mut command = audience.command(&["--orders", FEW]);
    command.envs([
        ("DAPR_HTTP_PORT", "1"),
        ("DAPR_API_TOKEN", "secret"),
        ("NAMESPACE", "elsewhere"),
        ("APP_PORT", "1"),
    ]);
    let done = Done::of(command.output().unwrap());
    assert_eq!(done.code, Some(0), "{done:#?}");
    for part in [
        "20 accepted = ",
        " + 1 dead-lettered",
        "curl http://127.0.0.1:",
        "shipping is killed (SIGKILL)",
        "20 orders are taken all the same: 10 over HTTP, 10 over gRPC",
        "The books balance: every order is accounted for, once.",
    ] {
        assert!(done.out.contains(part), "{part}: {}", done.out);
    }
    assert!(
        !done.out.contains('\x1b'),
        "colours without a terminal: {}",
        done.out
    );
    assert_eq!(done.err, "");
    audience.assert_tidy();
}

#[test]
fn two_demos_do_not_meet() {
    let (one, other) = (Audience::new(), Audience::new());
    let mut first = Run::start(&mut one.command(&["--orders", "60", "--quiet"]));
    let second = Done::of(other.command(&["--orders", FEW, "--quiet"]).output().unwrap());
    assert_eq!(second.code, Some(0), "{second:#?}");
    assert!(
        second.out.contains("20 accepted") && !second.out.contains("The shop opens"),
        "{second:#?}"
    );
    assert_eq!(first.end().code(), Some(0), "{:#?}", first.seen);
    assert!(first.saw("60 accepted"), "{:#?}", first.seen);
}

#[test]
fn it_stays_open_and_says_what_to_try() {
    let audience = Audience::new();
    let mut run = Run::start(&mut audience.command(&["--stay", "--orders", FEW]));
    run.line("The shop stays open.");
    run.seen.clear();
    run.line("Ctrl-C closes it.");
    let lines: Vec<_> = run
        .seen
        .iter()
        .filter(|line| line.trim().starts_with("curl "))
        .cloned()
        .collect();
    assert_eq!(lines.len(), 7, "{:#?}", run.seen);
    let metadata = lines
        .iter()
        .find(|line| line.ends_with("/v1.0/metadata"))
        .unwrap();
    let url = metadata.trim().strip_prefix("curl http://").unwrap();
    let (authority, path) = url.split_once('/').unwrap();
    assert!(get(authority, &format!("/{path}")).contains("\"id\":\"door\""));
    let shelf = get(authority, "/v1.0/invoke/stock/method/shelves/canoe");
    assert!(shelf.contains("\"stocked\":"), "{shelf}");
    run.signal("-INT");
    assert_eq!(run.end().code(), Some(0), "{:#?}", run.seen);
    audience.assert_tidy();
}

fn get(authority: &str, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(authority).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn an_interrupted_demo_leaves_nothing_behind() {
    for moment in ["The shop opens", "Customers come", "shipping is killed"] {
        let audience = Audience::new();
        let mut run = Run::start(&mut audience.command(&["--orders", MANY]));
        run.line(moment);
        run.signal("-INT");
        assert_eq!(run.end().code(), Some(130), "{moment}: {:#?}", run.seen);
        assert!(
            run.saw("Interrupted: the shop closes."),
            "{moment}: {:#?}",
            run.seen
        );
        audience.assert_tidy();
    }
}

#[test]
fn who_fails_is_named_with_the_end_of_its_log() {
    let audience = Audience::new();
    let mut run = Run::start(&mut audience.command(&["--orders", MANY]));
    run.line("Customers come");
    kill("-KILL", audience.process("demo-service stock"));
    assert_eq!(run.end().code(), Some(1), "{:#?}", run.seen);
    for part in [
        "✗ stock ended unexpectedly: signal: killed",
        "the last lines of stock:",
        "beside a sidecar",
    ] {
        assert!(run.saw(part), "{part}: {:#?}", run.seen);
    }
    assert!(!run.saw("The books balance"), "{:#?}", run.seen);
    audience.assert_tidy();
}

#[test]
fn the_folder_is_kept_when_asked_for() {
    let audience = Audience::new();
    let done = Done::of(
        audience
            .command(&["--orders", FEW, "--keep", "--quiet"])
            .output()
            .unwrap(),
    );
    assert_eq!(done.code, Some(0), "{done:#?}");
    let line = done
        .out
        .lines()
        .find(|line| line.starts_with("Resources, data and logs are in "))
        .unwrap();
    let folder = PathBuf::from(line.rsplit(' ').next().unwrap());
    assert!(folder.starts_with(&audience.tmp), "{line}");
    assert!(
        folder.join("logs/orders-sidecar.log").is_file() && folder.join("resources/pubsub.yaml").is_file()
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&folder).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn too_few_orders_and_no_folder_are_refused() {
    let audience = Audience::new();
    let done = Done::of(audience.command(&["--orders", "3"]).output().unwrap());
    assert_eq!(done.code, Some(2), "{done:#?}");
    assert!(done.err.contains("3 is not in 20..=5000"), "{done:#?}");
    let mut command = audience.command(&[]);
    let done = Done::of(
        command
            .env("TMPDIR", audience.tmp.join("nowhere"))
            .output()
            .unwrap(),
    );
    assert_eq!(done.code, Some(1), "{done:#?}");
    assert!(
        done.err.contains("cannot make a folder for the demo"),
        "{done:#?}"
    );
}
