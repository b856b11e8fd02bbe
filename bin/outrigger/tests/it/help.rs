//! What the program says of itself.

use crate::support::User;

#[test]
fn the_help_lists_the_commands() {
    let user = User::new();
    for args in [&[][..], &["--help"], &["help"]] {
        let done = user.done(args);
        assert_eq!(done.code, Some(0));
        insta::assert_snapshot!("help", done.out);
    }
}

#[test]
fn each_command_has_its_help() {
    let user = User::new();
    for command in ["run", "init", "list", "stop", "invoke", "publish", "completion"] {
        let done = user.done(&[command, "--help"]);
        assert_eq!(done.code, Some(0), "{done:?}");
        insta::assert_snapshot!(format!("help_{command}"), done.out);
        assert_eq!(user.done(&["help", command]).out, done.out);
    }
}

#[test]
fn versions_are_told_as_daprs_cli_does() {
    let user = User::new();
    let text = "CLI version: 0.1.0 \nRuntime version: 1.19.1\n";
    assert_eq!(user.done(&["version"]).out, text);
    assert_eq!(user.done(&["--version"]).out, text);
    assert_eq!(
        user.done(&["version", "-o", "json"]).out,
        "{\"Cli version\":\"0.1.0\",\"Runtime version\":\"1.19.1\"}\n"
    );
    let info = user.done(&["build-info"]).out;
    assert!(
        info.starts_with("CLI:\n\tVersion: 0.1.0\n") && info.contains("Runtime:\n\tVersion: 1.19.1\n"),
        "{info}"
    );
}

#[test]
fn shells_get_their_scripts() {
    let user = User::new();
    for (shell, part) in [
        ("bash", "complete -F _outrigger"),
        ("zsh", "#compdef outrigger"),
        ("fish", "complete -c outrigger"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let done = user.done(&["completion", shell]);
        assert!(
            done.code == Some(0) && done.out.contains(part),
            "{shell}: {done:?}"
        );
        for hidden in ["run-guard", "demo-service", "uninstall"] {
            assert!(!done.out.contains(hidden), "{shell} offers {hidden}");
        }
    }
}

#[test]
fn init_writes_what_is_missing_and_nothing_else() {
    let user = User::new();
    let show = |text: &str| text.replace(&user.home().display().to_string(), "~");
    let first = user.done(&["init", "--slim", "--runtime-version", "1.19.0"]);
    assert_eq!(first.code, Some(0));
    insta::assert_snapshot!(show(&first.out), @r"
    ⚠  Nothing is installed, so these flags have no effect: --slim, --runtime-version
    ⌛  Writing the default resources in ~/.outrigger/components
    ℹ️  Wrote ~/.outrigger/components/statestore.yaml
    ℹ️  Wrote ~/.outrigger/components/pubsub.yaml
    ✅  Success! Dapr is up and running. Nothing had to be installed.
    ");
    std::fs::write(user.home().join(".outrigger/components/pubsub.yaml"), "mine").unwrap();
    std::fs::remove_file(user.home().join(".outrigger/components/statestore.yaml")).unwrap();
    let second = user.done(&["init"]);
    insta::assert_snapshot!(show(&second.out), @r"
    ⌛  Writing the default resources in ~/.outrigger/components
    ℹ️  Wrote ~/.outrigger/components/statestore.yaml
    ℹ️  Left ~/.outrigger/components/pubsub.yaml as it is
    ✅  Success! Dapr is up and running. Nothing had to be installed.
    ");
    assert_eq!(
        std::fs::read_to_string(user.home().join(".outrigger/components/pubsub.yaml")).unwrap(),
        "mine"
    );
    assert!(!user.home().join(".dapr").exists());
}

#[test]
fn init_says_that_daprs_resources_come_first() {
    let user = User::new();
    user.file(".dapr/components/statestore.yaml", "");
    let done = user.done(&["init"]);
    assert!(
        done.out.contains("⚠  Apps that name no resources use those in")
            && done.out.contains(".dapr/components"),
        "{done:?}"
    );
}

#[test]
fn apps_that_do_not_run_are_not_found() {
    let user = User::new();
    let done = user.done(&["invoke", "--app-id", "nobody-has-this-id", "--method", "x"]);
    assert_eq!(done.code, Some(1));
    assert_eq!(
        done.err,
        "❌  error invoking app nobody-has-this-id: app ID nobody-has-this-id not found\n"
    );
    let done = user.done(&["publish", "-i", "nobody-has-this-id", "-p", "pubsub", "-t", "x"]);
    assert_eq!(
        done.err,
        "❌  Error publishing topic x: couldn't find a running Dapr instance\n"
    );
    // Scripts clean up with it, so it is no failure.
    let done = user.done(&["stop", "--app-id", "nobody-has-this-id"]);
    assert_eq!(done.code, Some(0));
    assert_eq!(
        done.err,
        "❌  failed to stop app id nobody-has-this-id: couldn't find app id nobody-has-this-id\n"
    );
}
