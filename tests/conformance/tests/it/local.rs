//! `secretstores.local.file` and `secretstores.local.env`.

use std::{io::Write as _, sync::Arc};

use outrigger_block_kit::{Context, Properties};
use outrigger_block_secret::conformance::{Traits, run};
use outrigger_component_local::{FixedEnvironment, env_with, file};

#[tokio::test]
async fn secretstores_local_file() {
    for multi_valued in ["false", "true"] {
        let mut secrets = tempfile::NamedTempFile::new().unwrap();
        secrets
            .write_all(br#"{"conftestsecret":"abcd","secondsecret":"efgh"}"#)
            .unwrap();
        let path = secrets.path().to_str().unwrap();
        let properties = Properties::new([("secretsFile", path), ("multiValued", multi_valued)]);
        let store = file(Context::for_test("secrets"), properties).await.unwrap();
        let traits = Traits {
            multiple_keys: multi_valued == "true",
            missing_is_an_error: true,
        };
        run(store, traits).await.unwrap();
    }
}

#[tokio::test]
async fn secretstores_local_env() {
    for prefix in ["", "APP_"] {
        let name = |name: &str| format!("{prefix}{name}");
        let environment = FixedEnvironment::new([
            (name("conftestsecret"), "abcd"),
            (name("secondsecret"), "efgh"),
            ("OTHER".to_owned(), "x"),
        ]);
        let store = env_with(Properties::new([("prefix", prefix)]), Arc::new(environment));
        let traits = Traits {
            multiple_keys: false,
            missing_is_an_error: false,
        };
        run(store, traits).await.unwrap();
    }
}
