//! Secrets.

use outrigger::Error;

use crate::world::{Gear, World};

both! { secrets_are_read_and_not_shown }

async fn secrets_are_read_and_not_shown(world: World) {
    let file = world.folder.file("secrets.json");
    std::fs::write(&file, r#"{"password":"hunter2","db":{"user":"u","key":"k"}}"#).unwrap();
    let path = file.to_string_lossy().into_owned();
    let gear = Gear {
        components: vec![
            (
                "vault",
                "secretstores.local.file",
                vec![("secretsFile", path.clone())],
            ),
            (
                "many",
                "secretstores.local.file",
                vec![("secretsFile", path), ("multiValued", "true".to_owned())],
            ),
        ],
        ..Gear::default()
    };
    let app = world
        .start("app", gear, |app| app.call("idle", async || ()))
        .await;
    let vault = app.handle().secrets("vault");
    let secret = vault.get("password").await.unwrap();
    assert_eq!(secret.expose(), "hunter2");
    assert_eq!(format!("{secret:?}"), "Secret(…)");
    assert_eq!(vault.get("db:user").await.unwrap().expose(), "u");
    assert_eq!(vault.all().await.unwrap().len(), 3);
    let many = app.handle().secrets("many");
    assert_eq!(many.keys("db").await.unwrap()["key"].expose(), "k");
    let error = many.get("db").await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    let error = vault.get("none").await.unwrap_err();
    assert_eq!(error.code(), Some("ERR_SECRET_GET"));
    let error = app.handle().secrets("nowhere").get("x").await.unwrap_err();
    assert_eq!(error.code(), Some("ERR_SECRET_STORE_NOT_FOUND"));
    app.end().await;
}
