//! The grammar of the command line.

use super::*;

fn parsed(line: &str) -> Result<Cli, clap::Error> {
    let matches = command("dapr").try_get_matches_from(line.split(' '))?;
    Cli::from_arg_matches(&matches)
}

fn run_debug(line: &str) -> String {
    match parsed(line).unwrap().command {
        Some(Command::Run(args)) => format!("{args:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_grammar_is_consistent() {
    command("outrigger").debug_assert();
}

#[test]
fn daprs_short_flags_are_known() {
    let args = run_debug("dapr run -a x -p 80 -P grpc -H 3500 -G -1 -I 0 -M 9090 -c c.yaml -d r -u /tmp");
    for part in [
        "app_id: Some(\"x\")",
        "app_port: Some(80)",
        "dapr_grpc_port: Some(-1)",
        "metrics_port: Some(9090)",
    ] {
        assert!(args.contains(part), "{part} in {args}");
    }
    for line in [
        "dapr list -o json",
        "dapr stop -a x",
        "dapr stop -f dapr.yaml",
        "dapr stop a b",
        "dapr invoke -a x -m y -d {} -v GET -u /tmp",
        "dapr publish -i x -p y -t z -d {} -m {}",
        "dapr version -o json",
        "dapr init -s --runtime-version 1.19.0",
        "dapr completion bash",
        "dapr build-info --log-as-json",
        "dapr --runtime-path /opt list",
        "dapr -v",
    ] {
        assert!(parsed(line).is_ok(), "{line}: {}", parsed(line).unwrap_err());
    }
}

#[test]
fn flags_of_run_may_stand_among_the_command() {
    // As in Dapr's tutorials.
    let args = run_debug("dapr run --app-id x node app.js --resources-path ../components");
    assert!(
        args.contains("command: [\"node\", \"app.js\"]") && args.contains("\"../components\""),
        "{args}"
    );
    let args =
        run_debug("dapr run --enable-api-logging --enable-app-health-check=false -- node --inspect -p 1");
    assert!(
        args.contains("command: [\"node\", \"--inspect\", \"-p\", \"1\"]"),
        "{args}"
    );
    assert!(
        args.contains("enable_api_logging: Some(true)")
            && args.contains("enable_app_health_check: Some(false)"),
        "{args}"
    );
}

#[test]
fn of_a_flag_that_is_repeated_the_last_one_counts() {
    let args = run_debug("dapr run -a x -p 1 -k --app-id y --app-port 2 -k=false -c a.yaml -c b.yaml");
    for part in [
        "app_id: Some(\"y\")",
        "app_port: Some(2)",
        "kubernetes: false",
        "config: Some(\"b.yaml\")",
    ] {
        assert!(args.contains(part), "{part} in {args}");
    }
    let args = run_debug("dapr run --resources-path a --resources-path b,c");
    assert!(args.contains("resources_path: [\"a\", \"b\", \"c\"]"), "{args}");
}

#[test]
fn booleans_are_gos() {
    for (value, read) in [
        ("1", true),
        ("T", true),
        ("TRUE", true),
        ("0", false),
        ("f", false),
    ] {
        let args = run_debug(&format!(
            "dapr run --enable-api-logging={value} --enable-app-health-check={value} --app-ssl={value} -k={value} a"
        ));
        for part in [
            format!("enable_api_logging: Some({read})"),
            format!("enable_app_health_check: Some({read})"),
            format!("app_ssl: Some({read})"),
            format!("kubernetes: {read}"),
            "command: [\"a\"]".to_owned(),
        ] {
            assert!(args.contains(&part), "{part} in {args}");
        }
    }
    for (line, json) in [
        ("dapr --log-as-json=true list", true),
        ("dapr list --log-as-json", true),
        ("dapr --log-as-json list", true),
        ("dapr --log-as-json list --log-as-json=false", false),
        ("dapr list", false),
    ] {
        assert_eq!(parsed(line).unwrap().globals.log_as_json, json, "{line}");
    }
    for line in [
        "dapr init --wait=perhaps",
        "dapr list -k=",
        "dapr run --app-ssl=2",
    ] {
        let error = parsed(line).unwrap_err().to_string();
        assert!(error.contains("expected true or false"), "{line}: {error}");
    }
    // Short flags stand together, and what follows a switch is not its value.
    let cli = parsed("dapr init -ks --slim false").unwrap_err().to_string();
    assert!(cli.contains("'false'"), "{cli}");
    assert!(parsed("dapr init -ksn dapr-system").is_ok());
}

#[test]
fn mistakes_are_answered() {
    for (line, part) in [
        ("dapr run --app-di x", "--app-id"),
        ("dapr run -p 65536", "65536"),
        ("dapr list -o xml", "possible values: table, json, yaml"),
        ("dapr invoke -m x", "--app-id"),
        ("dapr lst", "list"),
    ] {
        let error = parsed(line).unwrap_err().to_string();
        assert!(error.contains(part), "{line}: {error}");
    }
}
