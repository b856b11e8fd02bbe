//! Starting and ending.

use std::time::Duration;

use futures_util::poll;
use http::Request;
use outrigger::{App, Body, Error, Event, Json, Mode, State, Topic};
use outrigger_testing_harness::{Process, Signal, eventually};
use tokio::{net::TcpStream, sync::mpsc, time::timeout};

use crate::world::{Gear, LONG, Started, World, chain};

both! {
    calls_in_hand_are_finished
    calls_that_run_out_of_time_are_named
    events_that_run_out_of_time_are_named
    an_end_that_is_given_up_cuts_what_is_in_hand
}

async fn refused(app: App) -> String {
    let error = app.start().await.expect_err("it started");
    assert!(matches!(error, Error::Start { .. }), "{error:?}");
    chain(&error)
}

#[tokio::test]
async fn an_app_that_cannot_work_does_not_start() {
    async fn asks(State(_): State<Vec<u8>>) {}
    let world = World::embedded();
    let app = || world.app("app", &[]);
    assert_eq!(
        refused(app().call("x", asks)).await,
        "cannot build the app: a handler takes State<alloc::vec::Vec<u8>>, but App::with was given no alloc::vec::Vec<u8>"
    );
    let twice = app().call("/x", async || ()).call("x/", async || ());
    assert!(refused(twice).await.contains("has two handlers for any verb"));
    let empty = app().subscribe(Topic::new("pubsub", "t"));
    assert!(refused(empty).await.contains("has no handler"));
    let doubled = app()
        .on("pubsub", "t", async || ())
        .on("pubsub", "t", async || ());
    assert!(refused(doubled).await.contains("subscribed to twice"));
    assert!(refused(App::new("")).await.contains("needs an id"));
    assert!(refused(App::new("a.b")).await.contains("cannot contain dots"));
    let routed = app().on_route("/x", async || ()).on_route("x/", async || ());
    assert!(
        refused(routed)
            .await
            .contains("the route \"x/\" has two handlers")
    );
    let both = app().call("x", async || ()).on_route("x", async || ());
    assert!(refused(both).await.contains("is that of a method, too"));
    let doubled = app()
        .component("a", "state.in-memory", [])
        .component("a", "state.in-memory", []);
    assert!(refused(doubled).await.contains("two components are named \"a\""));
    let unknown = app().component("a", "state.none", []);
    let text = refused(unknown).await;
    assert!(text.contains("state.none"), "{text}");
    let text = refused(app().resources("/nowhere/at/all")).await;
    assert!(text.contains("/nowhere/at/all"), "{text}");
}

#[tokio::test]
async fn handlers_beside_a_sidecar_need_a_port() {
    let world = World::embedded();
    let variables = [("DAPR_HTTP_PORT", "1".to_owned())];
    let text = refused(world.app("app", &variables).call("x", async || ())).await;
    assert!(text.contains("APP_PORT is not set"), "{text}");
}

#[tokio::test]
async fn the_environment_is_overruled_by_the_app() {
    let world = World::embedded();
    let variables = [("DAPR_HTTP_PORT", "1".to_owned())];
    let app =
        world
            .app("app", &variables)
            .mode(Mode::Embedded)
            .component("statestore", "state.in-memory", []);
    let running = app.start().await.unwrap();
    assert_eq!(running.mode(), Mode::Embedded);
    running.handle().state("statestore").set("k", &1).await.unwrap();
    running.shutdown().await;
}

async fn calls_in_hand_are_finished(world: World) {
    async fn slow(State(tell): State<mpsc::Sender<()>>) -> Json<u32> {
        tell.send(()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        Json(1)
    }
    let (sender, mut receiver) = mpsc::channel::<()>(1);
    let app = world
        .start("app", Gear::default(), |app| app.with(sender).call("slow", slow))
        .await;
    let caller = world
        .start("caller", Gear::default(), |app| app.call("idle", async || ()))
        .await;
    let (handle, id) = (caller.handle().clone(), app.id.clone());
    let end = async {
        receiver.recv().await.unwrap();
        app.end().await;
    };
    let (answer, ()) = tokio::join!(handle.fetch::<u32>(&id, "slow"), end);
    assert_eq!(answer.unwrap(), 1);
    caller.end().await;
}

/// Says that it was dropped.
struct Dropped(mpsc::Sender<&'static str>, &'static str);

impl Drop for Dropped {
    fn drop(&mut self) {
        // The test may be over.
        let _ = self.0.try_send(self.1);
    }
}

/// Time in which nothing that hangs ends.
const SHORT: Duration = Duration::from_millis(200);

async fn calls_that_run_out_of_time_are_named(world: World) {
    async fn stuck(State(tell): State<mpsc::Sender<()>>) {
        tell.send(()).await.unwrap();
        std::future::pending::<()>().await;
    }
    let (sender, mut receiver) = mpsc::channel::<()>(1);
    let app = world
        .start("app", Gear::default(), |app| {
            app.with(sender).graceful(SHORT).call("stuck", stuck)
        })
        .await;
    let caller = world
        .start("caller", Gear::default(), |app| app.call("idle", async || ()))
        .await;
    let Started { id, running, sidecar } = app;
    let end = async {
        receiver.recv().await.unwrap();
        assert_eq!(running.shutdown().await, ["requests in flight"]);
    };
    let call = timeout(LONG, caller.handle().fetch::<u32>(&id, "stuck"));
    let (answer, ()) = tokio::join!(call, end);
    answer.expect("the call is still in hand").unwrap_err();
    caller.end().await;
    if let Some(mut sidecar) = sidecar {
        sidecar.kill();
    }
}

async fn events_that_run_out_of_time_are_named(world: World) {
    async fn stuck(State(tell): State<mpsc::Sender<()>>, _: Event<u32>) {
        tell.send(()).await.unwrap();
        std::future::pending::<()>().await;
    }
    let (sender, mut receiver) = mpsc::channel::<()>(1);
    let app = world
        .start("app", Gear::in_memory(), |app| {
            app.with(sender).graceful(SHORT).on("pubsub", "t", stuck)
        })
        .await;
    app.handle().publish("pubsub", "t", &1).await.unwrap();
    timeout(LONG, receiver.recv()).await.unwrap().unwrap();
    let Started { running, sidecar, .. } = app;
    let name = match running.mode() {
        Mode::Embedded => "subscriptions",
        Mode::Sidecar => "requests in flight",
    };
    assert_eq!(running.shutdown().await, [name]);
    if let Some(mut sidecar) = sidecar {
        sidecar.kill();
    }
}

async fn an_end_that_is_given_up_cuts_what_is_in_hand(world: World) {
    type Tell = State<mpsc::Sender<&'static str>>;
    async fn call(State(tell): Tell) {
        tell.send("in hand").await.unwrap();
        let _dropped = Dropped(tell, "call");
        std::future::pending::<()>().await;
    }
    async fn event(State(tell): Tell, _: Event<u32>) {
        tell.send("in hand").await.unwrap();
        let _dropped = Dropped(tell, "event");
        std::future::pending::<()>().await;
    }
    let (sender, mut receiver) = mpsc::channel::<&str>(8);
    let app = world
        .start("app", Gear::in_memory(), |app| {
            app.with(sender)
                .graceful(10 * LONG)
                .call("stuck", call)
                .on("pubsub", "t", event)
        })
        .await;
    let caller = world
        .start("caller", Gear::default(), |app| app.call("idle", async || ()))
        .await;
    let mut told = async || timeout(LONG, receiver.recv()).await.unwrap().unwrap();
    app.handle().publish("pubsub", "t", &1).await.unwrap();
    assert_eq!(told().await, "in hand");
    let Started { id, running, sidecar } = app;
    let address = running.address().unwrap();
    let end = async {
        assert_eq!(told().await, "in hand");
        let mut ending = Box::pin(running.shutdown());
        assert!(poll!(&mut ending).is_pending());
        drop(ending);
        let mut cut = [told().await, told().await];
        cut.sort_unstable();
        assert_eq!(cut, ["call", "event"]);
    };
    let call = timeout(LONG, caller.handle().fetch::<u32>(&id, "stuck"));
    let (answer, ()) = tokio::join!(call, end);
    answer.expect("the call is still in hand").unwrap_err();
    eventually(LONG, || async { TcpStream::connect(address).await.is_err() }).await;
    caller.end().await;
    if let Some(mut sidecar) = sidecar {
        sidecar.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_shown_both_ways() {
    let world = World::beside_sidecars();
    let gear = Gear {
        variables: vec![
            ("DAPR_API_TOKEN", "of-the-sidecar".to_owned()),
            ("APP_API_TOKEN", "of-the-app".to_owned()),
        ],
        ..Gear::in_memory()
    };
    let app = world
        .start("app", gear, |app| app.call("one", async || Json(1)))
        .await;
    let one: u32 = app.handle().fetch(&app.id, "one").await.unwrap();
    assert_eq!(one, 1);
    // Past the sidecar nobody gets in, but for the health probe.
    let address = app.running.address().unwrap().to_string();
    let endpoint = outrigger::Endpoint::parse(&address).unwrap();
    let direct = outrigger::Client::new(&endpoint, None).unwrap();
    let request = Request::get("/x").body(Body::empty()).unwrap();
    let response = direct.invoke("x", request).await.unwrap();
    assert_eq!(response.status(), 401);
    app.end().await;
}

/// Names the folder of the machine's registry, and the id, to the process that plays [`played_by_a_process`].
const FOLDER: &str = "OUTRIGGER_TEST_FOLDER";
const ID: &str = "OUTRIGGER_TEST_ID";

/// What that process says when it has begun to answer the slow call.
const IN_HAND: &str = "the call is in hand";

/// The app of [`a_signal_ends_the_program_in_order`], in a process of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "played by another process"]
async fn played_by_a_process() {
    #[allow(
        clippy::print_stderr,
        reason = "the test that started this waits for the line"
    )]
    async fn slow() -> Json<u32> {
        eprintln!("{IN_HAND}");
        tokio::time::sleep(Duration::from_millis(300)).await;
        Json(1)
    }
    let folder = std::env::var(FOLDER).unwrap();
    let app = App::new(std::env::var(ID).unwrap())
        .environment(move |name| (name == "OUTRIGGER_RUN_DIR").then(|| folder.clone()))
        .internal("127.0.0.1:0".parse().unwrap())
        .multicast(false)
        .component("statestore", "state.in-memory", [])
        .call("slow", slow)
        .call("ready", async || Json(true));
    app.run().await.unwrap();
}

/// What the process of [`a_second_signal_cuts`] says when the app has ended.
const OVER: &str = "the run is over";

/// The app of [`a_second_signal_cuts`], in a process of its own, which goes on after the app.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "played by another process"]
#[allow(
    clippy::print_stderr,
    reason = "the test that started this waits for the lines"
)]
async fn played_by_a_process_that_hangs() {
    async fn stuck() {
        eprintln!("{IN_HAND}");
        std::future::pending::<()>().await;
    }
    let folder = std::env::var(FOLDER).unwrap();
    let app = App::new(std::env::var(ID).unwrap())
        .environment(move |name| (name == "OUTRIGGER_RUN_DIR").then(|| folder.clone()))
        .internal("127.0.0.1:0".parse().unwrap())
        .multicast(false)
        .graceful(10 * LONG)
        .component("statestore", "state.in-memory", [])
        .call("stuck", stuck)
        .call("ready", async || Json(true));
    app.run().await.unwrap();
    eprintln!("{OVER}");
    std::future::pending::<()>().await;
}

/// Starts a test of this module in a process of its own.
fn play(world: &World, id: &str, test: &str) -> Process {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(FOLDER, world.folder.file("run"))
        .env(ID, id);
    Process::spawn(&mut command, "outrigger").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_cuts() {
    let world = World::embedded();
    let id = world.id("process");
    let mut process = play(&world, &id, "start::played_by_a_process_that_hangs");
    let caller = world
        .start("caller", Gear::default(), |app| app.call("idle", async || ()))
        .await;
    let handle = caller.handle();
    eventually(LONG, || handle.fetch::<bool>(&id, "ready")).await;
    let end = async {
        process.wait_for_line(IN_HAND, LONG).await.unwrap();
        // Two that differ: a process that is slow could take two of a kind for one.
        process.signal(Signal::Terminate).unwrap();
        process.signal(Signal::Interrupt).unwrap();
        process.wait_for_line(OVER, LONG).await.unwrap();
    };
    let (answer, ()) = tokio::join!(timeout(LONG, handle.fetch::<u32>(&id, "stuck")), end);
    answer.expect("the call is still in hand").unwrap_err();
    assert_eq!(process.ended(), None, "the call must not end with the process");
    process.kill();
    caller.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_ends_the_program_in_order() {
    let world = World::embedded();
    let id = world.id("process");
    let mut process = play(&world, &id, "start::played_by_a_process");
    let caller = world
        .start("caller", Gear::default(), |app| app.call("idle", async || ()))
        .await;
    let handle = caller.handle();
    eventually(LONG, || handle.fetch::<bool>(&id, "ready")).await;
    let end = async {
        process.wait_for_line(IN_HAND, LONG).await.unwrap();
        process.signal(Signal::Terminate).unwrap();
    };
    let (answer, ()) = tokio::join!(handle.fetch::<u32>(&id, "slow"), end);
    assert_eq!(answer.unwrap(), 1);
    let status = process.wait(LONG).await.unwrap();
    assert!(status.success(), "{status}: {}", process.lines().join("\n"));
    caller.end().await;
}
