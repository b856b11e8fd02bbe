//! Flags and ports.

use std::{net::TcpListener, process::ExitStatus};

use outrigger_testing_harness::{Folder, Process};

use crate::rig::{PATIENCE, Plan, sidecar::said};

/// Runs a sidecar that must end by itself.
pub(super) async fn ends(plan: &Plan) -> (ExitStatus, Process) {
    let mut process = plan.spawn();
    let status = process.wait(PATIENCE).await.unwrap();
    (status, process)
}

/// Waits for a line: what a process that has ended printed may still be on its way.
pub(super) async fn says(process: &Process, part: &str) -> String {
    process.wait_for_line(part, PATIENCE).await.unwrap()
}

#[tokio::test]
async fn a_flag_that_is_not_understood_ends_with_usage() {
    let folder = Folder::new("flags").unwrap();
    let plan = Plan::new("app", folder.path());
    for (argument, reason) in [
        ("--no-such-flag", "unknown flag: --no-such-flag"),
        (
            "--app-max-concurrency=many",
            "invalid argument \"many\" for \"--app-max-concurrency\" flag",
        ),
        (
            "--enable-metrics=perhaps",
            "invalid argument \"perhaps\" for \"--enable-metrics\" flag",
        ),
        (
            "--dapr-block-shutdown-duration=soon",
            "for \"--dapr-block-shutdown-duration\" flag",
        ),
    ] {
        let (status, process) = ends(&plan.clone().argument(argument)).await;
        assert_eq!(status.code(), Some(2), "{argument}");
        says(&process, reason).await;
        says(&process, "Usage of daprd:").await;
    }
}

#[tokio::test]
async fn a_value_that_cannot_be_used_ends_with_its_reason() {
    let folder = Folder::new("values").unwrap();
    let plan = Plan::new("app", folder.path());
    for (argument, reason) in [
        ("--app-id=", "app-id parameter cannot be empty"),
        ("--app-id=a.b", "parameter app-id cannot contain dots"),
        (
            "--mode=kubernetes",
            "Kubernetes mode is not built into this version",
        ),
        ("--app-port=70000", "\"70000\" is not a port"),
        (
            "--dapr-listen-addresses=nowhere",
            "\"nowhere\" is not an IP address",
        ),
        ("--max-body-size=much", "invalid value for 'max-body-size' option"),
        ("--disable-init-endpoints=config,zz", "zz"),
        ("--actors-disseminate-timeout=0", "must be positive"),
        ("--log-level=loud", "loud"),
    ] {
        let with_app = plan.clone().argument("--app-protocol=http").argument(argument);
        let (status, process) = ends(&with_app).await;
        assert_eq!(status.code(), Some(1), "{argument}: {:#?}", process.lines());
        says(&process, reason).await;
    }
}

#[tokio::test]
async fn a_port_that_is_taken_ends_it_with_a_message_that_names_it() {
    let folder = Folder::new("ports").unwrap();
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for (number, face) in ["HTTP", "gRPC", "internal", "metrics"].into_iter().enumerate() {
        let mut ports = [0; 4];
        ports[number] = port;
        let (status, process) = ends(&Plan::new("app", folder.path()).ports(ports)).await;
        assert_eq!(status.code(), Some(1), "{face}: {:#?}", process.lines());
        let line = says(&process, "level=fatal").await;
        assert!(
            line.contains(face) && line.contains(&format!(":{port}")),
            "{line}"
        );
        assert!(line.contains("Address already in use"), "{line}");
    }
}

#[tokio::test]
async fn a_flag_whose_block_is_not_built_warns_once_and_goes_on() {
    let folder = Folder::new("unbuilt").unwrap();
    let plan = Plan::new("app", folder.path()).argument("--placement-host-address=localhost:50005");
    let sidecar = plan.start().await;
    let lines = sidecar.process.lines();
    let warnings = lines
        .iter()
        .filter(|line| line.contains("placement-host-address"))
        .count();
    assert_eq!(warnings, 1, "{lines:#?}");
    assert!(said(
        &sidecar.process,
        &["level=warning", "--placement-host-address", "actors"]
    ));
}
