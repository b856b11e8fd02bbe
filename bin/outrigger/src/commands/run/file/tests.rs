//! Run files, good and bad.

use std::{fs, path::Path};

use super::*;
use crate::commands::run::settings::{App, Destination};

/// A folder with the folders of two apps.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for path in ["web/resources", "back/.dapr/resources", "common"] {
        fs::create_dir_all(dir.path().join(path)).unwrap();
    }
    for path in ["web/config.yaml", "back/.dapr/config.yaml"] {
        fs::write(dir.path().join(path), "").unwrap();
    }
    dir
}

fn decoded(dir: &Path, text: &str) -> Result<(String, Vec<App>), Vec<String>> {
    decode::decode(text, &dir.join("dapr.yaml"))
}

#[test]
fn apps_have_their_own_and_what_is_common() {
    let dir = folder();
    let (name, apps) = decoded(
        dir.path(),
        "
version: 1
name: shop
common:
  resourcesPath: ./common
  appProtocol: HTTP
  appHealthProbeTimeout: 10
  enableApiLogging: true
  env: {DEBUG: false, tty: sts}
apps:
  - appDirPath: ./web/
    resourcesPath: ./resources
    configFilePath: config.yaml
    appPort: 8080
    appHealthProbeTimeout: 1
    command: [\"python3\", \"app.py\"]
  - appID: backend
    appDirPath: ./back
    appProtocol: GRPC
    appPort: 3000
    daprHTTPPort: -1
    enableApiLogging: no
    unixDomainSocket: /tmp/test-socket
    env: {DEBUG: true, PORT: 017}
    command: [./backend]
    daprdLogDestination: console
    appLogDestination: fileAndConsole
    containerImagePullPolicy: Never
",
    )
    .unwrap();
    assert_eq!(name, "shop");
    let [web, back] = &apps[..] else {
        panic!("{apps:?}")
    };
    assert_eq!(web.app_id.as_deref(), Some("web"));
    assert_eq!(web.dir.as_deref(), Some(dir.path().join("web").as_path()));
    assert_eq!(web.shared.resources, [dir.path().join("web/resources")]);
    assert_eq!(web.shared.config_file, Some(dir.path().join("web/config.yaml")));
    assert_eq!(
        (web.app_port, web.shared.app_health_timeout),
        (Some(8080), Some(1))
    );
    assert_eq!(web.command, ["python3", "app.py"]);
    assert_eq!(web.shared.env["DEBUG"], "false");
    assert_eq!(back.app_id.as_deref(), Some("backend"));
    assert_eq!(back.shared.app_protocol.as_deref(), Some("GRPC"));
    assert_eq!(back.shared.resources, [dir.path().join("back/.dapr/resources")]);
    assert_eq!(
        back.shared.config_file,
        Some(dir.path().join("back/.dapr/config.yaml"))
    );
    assert_eq!((back.http_port, back.shared.app_health_timeout), (None, Some(10)));
    assert_eq!(
        (back.shared.enable_api_logging, web.shared.enable_api_logging),
        (Some(false), Some(true))
    );
    assert_eq!(
        (
            back.shared.env["DEBUG"].as_str(),
            back.shared.env["tty"].as_str(),
            back.shared.env["PORT"].as_str()
        ),
        ("true", "sts", "017")
    );
    assert_eq!(back.shared.daprd_log, Some(Destination::Console));
    assert_eq!(back.shared.app_log, Some(Destination::FileAndConsole));
}

#[test]
fn common_resources_come_last() {
    let dir = folder();
    fs::create_dir(dir.path().join("plain")).unwrap();
    let text = "version: 1\ncommon: {resourcesPaths: [common, web/resources]}\napps: [{appDirPath: plain}]\n";
    let (_, apps) = decoded(dir.path(), text).unwrap();
    assert_eq!(
        apps[0].shared.resources,
        [dir.path().join("common"), dir.path().join("web/resources")]
    );
    let (_, apps) = decoded(dir.path(), "version: 1\ncommon:\napps: [{appDirPath: plain}]\n").unwrap();
    assert!(apps[0].shared.resources.is_empty() && apps[0].command.is_empty());
}

#[test]
fn every_problem_is_named_with_its_place() {
    let dir = folder();
    let text = "\
version: 2
nmae: shop
common:
  resourcesPath: ./nowhere
  appID: x
apps:
  - appPort: 70000
    comand: [a]
  - appDirPath: web
    command: python app.py
    appLogDestination: printer
    enableProfiling: perhaps
    containerImagePullPolicy: Sometimes
";
    let problems = decoded(dir.path(), text).unwrap_err();
    let place = dir.path().display().to_string();
    let shown: Vec<_> = problems
        .iter()
        .map(|problem| problem.replace(&place, "…"))
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    …/dapr.yaml, document 1, line 1, column 10: version: found 2, expected 1, the version of run files
    …/dapr.yaml, document 1, line 4, column 18: common.resourcesPath: found the text "./nowhere", expected a path that exists; there is no …/nowhere
    …/dapr.yaml, document 1, line 7, column 5: apps[0].appDirPath: found nothing, expected the folder of the app
    …/dapr.yaml, document 1, line 7, column 14: apps[0].appPort: found 70000, expected a whole number from -1 to 65535
    …/dapr.yaml, document 1, line 12, column 22: apps[1].enableProfiling: found the text "perhaps", expected true or false
    …/dapr.yaml, document 1, line 11, column 24: apps[1].appLogDestination: found the text "printer", expected file, console or fileAndConsole
    …/dapr.yaml, document 1, line 13, column 31: apps[1].containerImagePullPolicy: found the text "Sometimes", expected Always, Never, IfNotPresent
    …/dapr.yaml, document 1, line 10, column 14: apps[1].command: found the text "python app.py", expected a list
    …/dapr.yaml, document 1, line 2, column 1: nmae: unknown field; it has no effect. Did you mean "name"?
    …/dapr.yaml, document 1, line 5, column 3: common.appID: unknown field; it has no effect
    …/dapr.yaml, document 1, line 8, column 5: apps[0].comand: unknown field; it has no effect. Did you mean "command"?
    "#);
}

#[test]
fn what_is_no_run_file_is_refused() {
    let dir = folder();
    let of = |text: &str| {
        decoded(dir.path(), text)
            .unwrap_err()
            .join("\n")
            .replace(&dir.path().display().to_string(), "…")
    };
    assert_eq!(
        of(""),
        "…/dapr.yaml: found nothing, expected a mapping with version: 1 and apps"
    );
    assert_eq!(
        of("version: 1\n---\nversion: 1\n"),
        "…/dapr.yaml: found 2 documents, expected one"
    );
    assert!(of("version: 1\napps: [").starts_with("…/dapr.yaml, document 1: not valid YAML at line "));
    assert!(of("- a").contains("found a list, expected a mapping"));
    assert!(
        of("version: 1\napps: []")
            .ends_with("apps: found an empty list, expected a list with at least one app")
    );
    assert!(of("version: 1\nversion: 1\napps: [{appDirPath: web}]").contains("version"));
}

#[test]
fn a_folder_stands_for_the_file_in_it() {
    let dir = folder();
    fs::write(dir.path().join("dapr.yaml"), "").unwrap();
    let whole = fs::canonicalize(dir.path().join("dapr.yaml")).unwrap();
    assert_eq!(path(dir.path()).unwrap(), whole);
    assert_eq!(path(&dir.path().join("web/../dapr.yaml")).unwrap(), whole);
    assert!(matches!(
        path(&dir.path().join("web")),
        Err(RunFileError::NotInFolder(_))
    ));
    assert!(matches!(
        path(&dir.path().join("none.yaml")),
        Err(RunFileError::Missing { .. })
    ));
    fs::write(dir.path().join("run.txt"), "").unwrap();
    let error = path(&dir.path().join("run.txt")).unwrap_err().to_string();
    assert!(error.ends_with("run.txt\" is not a YAML file"), "{error}");
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is in a file, it is an answer and no panic.
        #[test]
        fn any_text_is_answered(text in "[ \\PC\n]{0,200}") {
            let _ = decode::decode(&text, Path::new("/nowhere/dapr.yaml"));
        }

        /// Fields with any values are answered as well.
        #[test]
        fn any_value_is_answered(field in prop::sample::select(vec!["appID", "appPort", "command", "env", "resourcesPaths", "appDirPath", "maxBodySize", "appSSL"]), value in "[-\\[\\]{}a-z0-9:, \"'~./]{0,30}") {
            let text = format!("version: 1\napps:\n  - appDirPath: /\n    {field}: {value}\n");
            let _ = decode::decode(&text, Path::new("/nowhere/dapr.yaml"));
        }
    }
}
