//! gRPC apps that break off in the middle of an answer, lie about its end, or hang.

use outrigger_testing_harness::{Folder, eventually};
use tokio::time::timeout;
use tonic::{Code, Status};

use super::clients::{READERS, until_nothing_moves};
use crate::rig::{
    PATIENCE, Place, Plan, Sidecar,
    broken::{Break, BrokenApp, HALF, WHOLE},
    get,
    grpc::{
        EchoApp, Listening, begin, call_local, call_local_stream, invoke_service, listen, proxy, stub, unary,
    },
    memory::resident,
};

/// What an app says, and how it ends it. Only the lie about half a message is one: a whole message that is said to be
/// whole is none.
const BROKEN: [(&[u8], Break); 5] = [
    (HALF, Break::Stream),
    (HALF, Break::Connection),
    (HALF, Break::Lie),
    (WHOLE, Break::Stream),
    (WHOLE, Break::Connection),
];

/// KiB of memory that a stream may hold while nobody reads it, in each sidecar that it goes through: its window of 1 MiB,
/// what waits to be sent on, and what the allocator keeps. Measured: 1.9 MiB.
const UNREAD_MAX: u64 = 3 * 1024;

/// An app's own sidecar, and a neighbour's.
async fn mesh(folder: &Folder, port: u16) -> [Sidecar; 2] {
    let own = Plan::new("app", folder.path()).app(port, "grpc").start().await;
    let neighbour = Plan::new("neighbour", folder.path()).start().await;
    [own, neighbour]
}

/// The status of a call that must end, and not well.
#[track_caller]
fn broken<T: std::fmt::Debug>(answer: Result<T, Status>, case: &str) {
    let status = answer.expect_err(case);
    let codes = [Code::Internal, Code::Unavailable, Code::Unknown];
    assert!(codes.contains(&status.code()), "{case}: {status:?}");
}

async fn soon<T>(call: impl Future<Output = T>, case: &str) -> T {
    let call = timeout(PATIENCE, call).await;
    call.unwrap_or_else(|_| panic!("{case}: the caller waits for ever"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_broken_off_is_broken_off_for_the_caller() {
    // A lie passes: nothing is decoded on the way, and the caller's library sees that half of a message is none.
    for (said, how) in BROKEN.into_iter().filter(|(_, how)| *how != Break::Lie) {
        let folder = Folder::new("broken").unwrap();
        let app = BrokenApp::start(said, how).await;
        for (number, sidecar) in mesh(&folder, app.port).await.iter().enumerate() {
            let case = format!("{said:?}, then {how:?}, through {} sidecars", number + 1);
            broken(soon(unary(sidecar, "app"), &case).await, &case);
            let Listening { heard, end } = soon(listen(sidecar, "app"), &case).await;
            assert!(heard <= usize::from(said == WHOLE), "{case}: {heard} messages");
            broken(end, &case);
            get(sidecar, "/v1.0/healthz").await.ok();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invocation_that_is_broken_off_is_an_error_and_no_half_of_an_answer() {
    for (said, how) in BROKEN {
        let folder = Folder::new("half").unwrap();
        let app = BrokenApp::start(said, how).await;
        let mesh = mesh(&folder, app.port).await;
        for (number, sidecar) in mesh.iter().enumerate() {
            let case = format!("{said:?}, then {how:?}, through {} sidecars", number + 1);
            let call = invoke_service(sidecar, "app", "method", "data");
            broken(soon(call, &case).await, &case);
            let answer = get(sidecar, "/v1.0/invoke/app/method/method").await;
            assert_eq!(answer.status, 500, "{case}: {}", answer.text());
        }
        // As a sidecar of Dapr's asks.
        let case = format!("{said:?}, then {how:?}, for a sidecar of Dapr's");
        let port = mesh[0].internal;
        broken(soon(call_local(port, "method"), &case).await, &case);
        broken(soon(call_local_stream(port, "method"), &case).await, &case);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_hangs_is_let_go_with_its_caller() {
    let folder = Folder::new("hang").unwrap();
    let app = BrokenApp::start(WHOLE, Break::Hang).await;
    for (number, sidecar) in mesh(&folder, app.port).await.iter().enumerate() {
        let mut client = stub(sidecar).await;
        let mut answers = begin(&mut client, "app", "/echo.Echo/Count").await.unwrap();
        assert!(answers.message().await.unwrap().is_some());
        // Others are served meanwhile.
        get(sidecar, "/v1.0/healthz").await.ok();
        assert_eq!(*app.given_up.borrow(), number);
        drop(answers);
        eventually(PATIENCE, || async { *app.given_up.borrow() == number + 1 }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_never_read_hold_up_neither_memory_nor_other_calls() {
    let (folder, app) = (Folder::new("unread").unwrap(), EchoApp::at(&Place::default()));
    let mesh = mesh(&folder, app.port).await;
    for sidecar in &mesh {
        assert_eq!(proxy(sidecar, "app", &[1]).await.unwrap(), [1]);
    }
    let before: Vec<u64> = mesh.iter().map(|sidecar| resident(&sidecar.process)).collect();
    let mut readers = Vec::new();
    for number in 0..READERS {
        let mut client = stub(&mesh[number % mesh.len()]).await;
        let answers = begin(&mut client, "app", "/echo.Echo/Endless").await.unwrap();
        readers.push((client, answers));
    }
    until_nothing_moves(|| app.sent()).await;
    for (sidecar, before) in mesh.iter().zip(before) {
        let held = resident(&sidecar.process);
        println!("{READERS} streams that nobody reads: {before} KiB before, {held} KiB with them");
        assert!(
            held <= before + UNREAD_MAX * READERS as u64,
            "{before} KiB became {held} KiB"
        );
        // They share connections with the unread ones, and have their own share of them.
        let case = "a call beside unread streams";
        let echoed = soon(proxy(sidecar, "app", &[1, 2, 3]), case).await;
        assert_eq!(echoed.unwrap(), [1, 2, 3]);
    }
    // What they are sent goes on where they begin to read.
    let sent = app.sent();
    let (_client, answers) = readers.last_mut().unwrap();
    let more = async {
        while app.sent() == sent {
            answers.message().await.unwrap().unwrap();
        }
    };
    soon(more, "a reader that begins to read").await;
}
