//! A configuration is honoured by the runtime, wherever it is.

use outrigger::{Body, Client, Endpoint};

use crate::world::{Gear, World, chain};

both! { a_scope_of_secrets_is_kept }

/// Only the secret `password` of the store `vault`.
const SCOPED: &str = "  secrets:\n    scopes:\n    - storeName: vault\n      defaultAccess: deny\n      allowedSecrets: \
                      [password]\n";

fn vault(world: &World) -> Gear {
    let file = world.folder.file("secrets.json");
    std::fs::write(&file, r#"{"password":"hunter2","other":"kept"}"#).unwrap();
    let path = file.to_string_lossy().into_owned();
    Gear {
        components: vec![("vault", "secretstores.local.file", vec![("secretsFile", path)])],
        ..Gear::default()
    }
}

async fn a_scope_of_secrets_is_kept(world: World) {
    let gear = Gear {
        configuration: SCOPED.to_owned(),
        ..vault(&world)
    };
    let app = world
        .start("app", gear, |app| app.call("idle", async || ()))
        .await;
    let vault = app.handle().secrets("vault");
    assert_eq!(vault.get("password").await.unwrap().expose(), "hunter2");
    let error = vault.get("other").await.unwrap_err();
    assert_eq!(error.code(), Some("ERR_PERMISSION_DENIED"));
    assert_eq!(error.status().unwrap().as_u16(), 403);
    let all = vault.all().await.unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), ["password"]);
    app.end().await;
}

#[tokio::test]
async fn the_environment_names_a_configuration() {
    let world = World::embedded();
    let scoped = Gear {
        configuration: SCOPED.to_owned(),
        ..Gear::default()
    };
    let file = world.configuration("named", &scoped).unwrap();
    let gear = Gear {
        variables: vec![("OUTRIGGER_CONFIG", file.to_string_lossy().into_owned())],
        ..vault(&world)
    };
    let app = world.start("app", gear, |app| app).await;
    assert!(app.handle().secrets("vault").get("other").await.is_err());
    app.end().await;
}

#[tokio::test]
async fn the_users_own_configuration_goes_with_the_users_own_resources() {
    let world = World::embedded();
    let home = world.folder.file("home");
    std::fs::create_dir_all(home.join("components")).unwrap();
    std::fs::write(
        home.join("components/store.yaml"),
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: store\nspec:\n  type: state.in-memory\n  \
         version: v1\n",
    )
    .unwrap();
    std::fs::write(
        home.join("config.yaml"),
        "spec:\n  components:\n    deny: [state.in-memory]\n",
    )
    .unwrap();
    let error = world.app("app", &[]).start().await.unwrap_err();
    assert!(
        chain(&error).contains("is denied by the configuration"),
        "{}",
        chain(&error)
    );
    // An app that says what it has gets nothing from there.
    let app = world.app("app", &[]).component("own", "state.in-memory", []);
    app.start().await.unwrap().shutdown().await;
}

#[tokio::test]
async fn a_configuration_that_cannot_be_kept_is_refused() {
    let world = World::embedded();
    for (spec, expected) in [
        (
            "  tracing: {stdout: maybe}\n",
            "spec.tracing.stdout: found the text \"maybe\", expected true or false",
        ),
        (
            "  accessControl: {defaultAction: deny}\n",
            "spec.accessControl of the configuration is not built",
        ),
        (
            "  nameResolution: {component: consul}\n",
            "\"consul\" is not built",
        ),
    ] {
        let gear = Gear {
            configuration: spec.to_owned(),
            ..Gear::default()
        };
        let file = world.configuration("bad", &gear).unwrap();
        let app = world.app("app", &[]).configuration(file);
        let text = chain(&app.start().await.unwrap_err());
        assert!(text.contains(expected), "{text}");
    }
    let app = world.app("app", &[]).configuration("/nowhere/at/all.yaml");
    let text = chain(&app.start().await.unwrap_err());
    assert!(text.contains("/nowhere/at/all.yaml"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_served_as_the_configuration_says() {
    let world = World::embedded();
    let gear = Gear {
        configuration: "  metrics:\n    latencyDistributionBuckets: [7, 77]\n".to_owned(),
        ..Gear::in_memory()
    };
    let app = world
        .start("app", gear, |app| app.metrics("127.0.0.1:0".parse().unwrap()))
        .await;
    app.handle().state("statestore").set("k", &1).await.unwrap();
    let address = app.running.metrics_address().unwrap().to_string();
    let client = Client::new(&Endpoint::parse(&address).unwrap(), None).unwrap();
    let request = http::Request::get("/metrics").body(Body::empty()).unwrap();
    let answer = client.invoke("x", request).await.unwrap();
    let text = answer.into_body().collect(1 << 20).await.unwrap();
    let text = String::from_utf8_lossy(&text);
    let sample = text
        .lines()
        .find(|line| line.starts_with("dapr_component_state_latencies_bucket"));
    let sample = sample.unwrap_or_else(|| panic!("{text}"));
    assert!(
        sample.contains("le=\"7\"") && sample.contains(&format!("app_id=\"{}\"", app.id)),
        "{sample}"
    );
    drop(client);
    app.end().await;
}
