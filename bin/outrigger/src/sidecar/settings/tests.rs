//! What flags become, and which of them are refused.

use super::*;

fn settings(args: &[&str]) -> Result<Settings, SettingsError> {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    Settings::new(&Flags::parse(&args).unwrap(), &|_: &str| None)
}

#[test]
fn an_app_id_is_required_and_has_no_dots() {
    assert_eq!(
        settings(&[]).unwrap_err().to_string(),
        "app-id parameter cannot be empty"
    );
    assert!(
        settings(&["--app-id=a.b"])
            .unwrap_err()
            .to_string()
            .contains("cannot contain dots")
    );
}

#[test]
fn limits_are_read_from_old_and_new_flags() {
    assert_eq!(settings(&["--app-id=a"]).unwrap().max_body, Some(4 << 20));
    assert_eq!(
        settings(&["--app-id=a", "--max-body-size=1Ki"]).unwrap().max_body,
        Some(1024)
    );
    assert_eq!(
        settings(&["--app-id=a", "--max-body-size=0"]).unwrap().max_body,
        None
    );
    assert_eq!(
        settings(&["--app-id=a", "--dapr-http-max-request-size=2"])
            .unwrap()
            .max_body,
        Some(2 << 20)
    );
    assert_eq!(settings(&["--app-id=a"]).unwrap().max_head, 8192);
}

#[test]
fn initial_calls_are_named_in_any_case_and_unknown_ones_are_refused() {
    let skipped = |value: &str| {
        let value = format!("--disable-init-endpoints={value}");
        settings(&["--app-id=a", &value]).map(|settings| (settings.skip_config, settings.skip_subscribe))
    };
    assert!(!settings(&["--app-id=a"]).unwrap().skip_config);
    assert_eq!(skipped("").unwrap(), (false, false));
    assert_eq!(skipped("config,").unwrap(), (true, false));
    assert_eq!(skipped("Subscribe, CONFIG").unwrap(), (true, true));
    assert_eq!(
        skipped("config,zz").unwrap_err().to_string(),
        "invalid value for 'disable-init-endpoints' option: \"zz\" is unknown; expected config or subscribe"
    );
}

#[test]
fn a_time_for_placement_that_is_none_is_refused() {
    let with = |value: &str| {
        let value = format!("--actors-disseminate-timeout={value}");
        settings(&["--app-id=a", &value]).map(drop)
    };
    with("1ms").unwrap();
    for value in ["0", "0s", "-1s"] {
        assert_eq!(
            with(value).unwrap_err().to_string(),
            format!("invalid value for 'actors-disseminate-timeout' option: must be positive, got {value}")
        );
    }
}

#[test]
fn zero_health_numbers_mean_the_defaults() {
    let args = [
        "--app-id=a",
        "--enable-app-health-check",
        "--app-health-probe-interval=0",
        "--app-health-threshold=0",
    ];
    assert_eq!(
        settings(&args).unwrap().app_health,
        Some(health::Options::default())
    );
}

#[test]
fn an_unknown_protocol_says_what_was_expected() {
    let error = settings(&["--app-id=a", "--app-port=1", "--app-protocol=ftp"])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("expected http, https, h2c, grpc or grpcs"),
        "{error}"
    );
}
