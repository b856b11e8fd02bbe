//! What cannot work is refused before anything is started.

use std::net::TcpListener;

use crate::support::{Done, User};

/// A shell app that leaves a mark if it is started.
const MARK: [&str; 4] = ["--", "sh", "-c", "touch started"];

fn refused(user: &User, args: &[&str]) -> Done {
    let all: Vec<_> = ["run"].iter().chain(args).chain(&MARK).copied().collect();
    let done = user.done(&all);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(!user.home().join("started").exists(), "{done:?}");
    assert!(!done.out.contains("Starting Dapr"), "{done:?}");
    done
}

#[test]
fn flaws_of_resources_are_listed_with_their_places() {
    let user = User::new();
    let good = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: store\nspec:\n  type: state.in-memory\n  version: v1\n";
    user.file("resources/a.yaml", &good.replace("version:", "verison:"));
    user.file("resources/b.yaml", &format!("{good}---\nspec: [\n"));
    user.file(
        "resources/c.yaml",
        &good
            .replace("  type: state.in-memory\n", "")
            .replace("store", "other"),
    );
    user.file("resources/README.md", "no resource, and no flaw");
    let done = refused(&user, &["--app-id", "a", "--resources-path", "resources"]);
    let shown = done.err.replace(&user.home().display().to_string(), "~");
    insta::assert_snapshot!(shown, @r#"
    ❌  the resources cannot be used, and nothing was started:
      ~/resources/b.yaml, document 2, line 9: not valid YAML at line 9, column 7: unclosed bracket '['
      ~/resources/b.yaml, document 1, line 1: duplicate definition of Component name store (state.in-memory/v1) with existing store (state.in-memory), which is in ~/resources/a.yaml, document 1, line 1
      ~/resources/a.yaml, document 1, line 7, column 3: spec.verison: unknown field; it has no effect. Did you mean "version"?
      ~/resources/c.yaml, document 1, line 6, column 3: spec.type: missing; expected the component's type, such as "state.redis"
    "#);
}

#[test]
fn flaws_of_the_configuration_as_well() {
    let user = User::new();
    user.file(
        "config.yaml",
        "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: c}\nspec:\n  trcing: {samplingRate: \"1\"}\n",
    );
    let done = refused(&user, &["--app-id", "a", "--config", "config.yaml"]);
    assert!(done.err.contains("config.yaml, document 1, line 5"), "{done:?}");
    assert!(done.err.contains("Did you mean \"tracing\"?"), "{done:?}");
    let done = refused(&user, &["--app-id", "a", "--config", "nowhere.yaml"]);
    assert!(
        done.err.contains("nowhere.yaml: No such file or directory"),
        "{done:?}"
    );
}

#[test]
fn folders_that_are_not_there() {
    let user = User::new();
    let done = refused(&user, &["--app-id", "a", "--resources-path", "nowhere"]);
    assert!(
        done.err.contains("nowhere: No such file or directory"),
        "{done:?}"
    );
}

#[test]
fn ports_that_are_taken() {
    let user = User::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let done = refused(&user, &["--app-id", "a", "--dapr-http-port", &port]);
    assert!(
        done.err.contains(&format!(
            "port {port}, wanted as the HTTP port of app a, is not available"
        )),
        "{done:?}"
    );
}

#[test]
fn values_that_mean_nothing() {
    let user = User::new();
    for (args, part) in [
        (["--app-id", "a.b"], "the app id \"a.b\" cannot be used"),
        (
            ["--app-protocol", "smtp"],
            "expected one of http, https, h2c, grpc, grpcs",
        ),
        (["--max-body-size", "huge"], "invalid max request body size"),
    ] {
        let done = refused(&user, &args);
        assert!(done.err.contains(part), "{done:?}");
    }
}

#[test]
fn run_files_with_flaws() {
    let user = User::new();
    user.file(
        "dapr.yaml",
        "version: 1\napps:\n  - appDirPath: .\n    comand: [sh, -c, touch started]\n  - appDirPath: ./nowhere\n",
    );
    let done = user.done(&["run", "-f", "."]);
    assert_eq!(done.code, Some(1), "{done:?}");
    let shown = done.err.replace(
        &std::fs::canonicalize(user.home()).unwrap().display().to_string(),
        "~",
    );
    insta::assert_snapshot!(shown, @r#"
    ❌  Error getting apps from config file: ~/dapr.yaml cannot be used, and nothing was started:
      ~/dapr.yaml, document 1, line 5, column 17: apps[1].appDirPath: found the text "./nowhere", expected a path that exists; there is no ~/nowhere
      ~/dapr.yaml, document 1, line 4, column 5: apps[0].comand: unknown field; it has no effect. Did you mean "command"?
    "#);
    let done = user.done(&["run", "-f", "none.yaml"]);
    assert!(
        done.err
            .starts_with("❌  error getting file info for none.yaml: No such file"),
        "{done:?}"
    );
    let empty = User::new();
    let done = empty.done(&["stop", "-f", "."]);
    assert_eq!(done.code, Some(1));
    assert!(done.err.contains("Failed to get run file path"), "{done:?}");
}
