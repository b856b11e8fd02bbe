//! What is filled in, and what is refused.

use outrigger_base_clock::SeededEntropy;

use super::*;

fn planned(app: App) -> Result<AppPlan, PlanError> {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::find(Some(dir.path()), &|_: &str| None).unwrap();
    let request = Request {
        apps: vec![app],
        file: None,
    };
    Plan::new(request, &home, &SeededEntropy::new(3)).map(|mut plan| plan.apps.remove(0))
}

fn app() -> App {
    App {
        app_id: Some("a".into()),
        ..App::default()
    }
}

#[test]
fn what_is_missing_is_filled_in() {
    let plan = planned(App::default()).unwrap();
    assert!(!plan.app_id.is_empty());
    assert_eq!(
        (plan.app_protocol.as_str(), plan.channel_address.as_str()),
        ("http", "127.0.0.1")
    );
    let ports = [plan.http_port, plan.grpc_port, plan.metrics_port];
    assert!(ports.iter().all(|port| *port != 0), "{ports:?}");
    assert_eq!((plan.internal_port, plan.profile_port), (None, None));
    assert_eq!(
        (plan.daprd_log, plan.app_log),
        (Destination::Console, Destination::Console)
    );
}

#[test]
fn default_resources_are_made_once() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::find(Some(dir.path()), &|_: &str| None).unwrap();
    let plan = |_| {
        let request = Request {
            apps: vec![app()],
            file: None,
        };
        Plan::new(request, &home, &SeededEntropy::new(3)).unwrap()
    };
    let first = plan(());
    let folder = dir.path().join(".dapr/components");
    assert_eq!(first.apps[0].resources, std::slice::from_ref(&folder));
    assert!(folder.join("statestore.yaml").is_file() && folder.join("pubsub.yaml").is_file());
    // Whoever removes one of them does not want it.
    std::fs::remove_file(folder.join("pubsub.yaml")).unwrap();
    plan(());
    assert!(!folder.join("pubsub.yaml").exists());
}

#[test]
fn control_services_get_their_ports_and_empty_ones_go() {
    let shared = Shared {
        placement: Some("localhost".into()),
        scheduler: Some(" ".into()),
        ..Shared::default()
    };
    let plan = planned(App { shared, ..app() }).unwrap();
    assert_eq!(plan.shared.placement.as_deref(), Some("localhost:50005"));
    assert_eq!(plan.shared.scheduler, None);
}

#[test]
fn apps_may_share_a_port() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::find(Some(dir.path()), &|_: &str| None).unwrap();
    let plan = |host: Option<&str>, http_port| {
        let one = |id: &str| App {
            app_id: Some(id.into()),
            app_port: Some(8080),
            ..App::default()
        };
        let two = App {
            channel_address: host.map(str::to_owned),
            http_port,
            ..one("b")
        };
        let request = Request {
            apps: vec![one("a"), two, App::default()],
            file: None,
        };
        Plan::new(request, &home, &SeededEntropy::new(3))
    };
    assert_eq!(
        plan(None, None).unwrap().warnings(),
        [
            "The apps a, b share the port 8080 of 127.0.0.1: where one of them listens, calls of the others arrive as well"
        ]
    );
    assert!(plan(Some("10.0.0.2"), None).unwrap().warnings().is_empty());
    let twice = outrigger_base_std::chain(&plan(None, Some(8080)).unwrap_err());
    assert!(
        twice.ends_with("port 8080 is wanted twice: as the port of app a and as the HTTP port of app b"),
        "{twice}"
    );
}

#[test]
fn what_cannot_work_is_refused() {
    let message = |app| outrigger_base_std::chain(&planned(app).unwrap_err());
    for id in ["a.b", "", "a b", "../a"] {
        let id = Some(id.to_owned());
        assert!(message(App { app_id: id, ..app() }).starts_with("the app id"));
    }
    let shared = Shared {
        app_protocol: Some("SMTP".into()),
        ..Shared::default()
    };
    assert_eq!(
        message(App { shared, ..app() }),
        "app a: cannot speak \"SMTP\" to it; expected one of http, https, h2c, grpc, grpcs"
    );
    let shared = Shared {
        max_body_size: Some("4 loaves".into()),
        ..Shared::default()
    };
    assert!(
        message(App { shared, ..app() }).starts_with("app a: invalid max request body size: \"4 loaves\"")
    );
    let same = App {
        app_port: Some(4100),
        http_port: Some(4100),
        ..app()
    };
    assert!(message(same).contains("port 4100 is wanted twice"));
    let blank = App {
        command: vec![" ".into()],
        ..app()
    };
    assert_eq!(message(blank), "app a: exec: no command");
}
