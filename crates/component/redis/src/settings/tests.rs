//! Settings from properties, and what is said of those that cannot be used.

use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Settings, OpenError> {
    Settings::new(&Properties::new(pairs.iter().copied()), Kind::State)
}

fn place(pairs: &[(&str, &str)]) -> String {
    match read(pairs) {
        Ok(settings) => settings.place(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn hosts_get_their_port_as_documented() {
    assert_eq!(place(&[("redisHost", "r")]), "r:6379");
    assert_eq!(place(&[("redisHost", "r:1")]), "r:1");
    assert_eq!(place(&[("redisHost", "r"), ("redisPort", "2")]), "r:2");
    assert_eq!(place(&[("redisHost", "r:2"), ("redisPort", "2")]), "r:2");
    assert_eq!(place(&[("redisHost", "::1"), ("redisPort", "2")]), "[::1]:2");
    assert_eq!(place(&[("redisHost", "[::1]:3")]), "[::1]:3");
    assert_eq!(place(&[]), "localhost:6379");
    assert!(place(&[("redisHost", "r:1"), ("redisPort", "2")]).contains("already contains port 1"));
    assert!(place(&[("redisHost", "r:x")]).contains("is not a port"));
    assert_eq!(
        place(&[("redisHost", "a, b:2"), ("redisType", "cluster")]),
        "a:6379,b:2"
    );
    assert!(place(&[("redisHost", "a,b")]).contains("several hosts"));
}

#[test]
fn failover_needs_the_masters_name() {
    assert!(place(&[("redisHost", "s:26379"), ("failover", "true")]).contains("sentinelMasterName"));
    assert_eq!(
        place(&[
            ("redisHost", "s:26379"),
            ("failover", "true"),
            ("sentinelMasterName", "m")
        ]),
        "m of the sentinels s:26379"
    );
    assert!(place(&[("failover", "true"), ("redisType", "cluster")]).contains("is not supported"));
}

#[test]
fn times_are_milliseconds_or_durations_and_minus_one_is_none() {
    let settings = read(&[("readTimeout", "5"), ("dialTimeout", "1m")]).unwrap();
    assert_eq!(settings.read_timeout, Some(Duration::from_millis(5)));
    assert_eq!(settings.write_timeout, Some(Duration::from_millis(5)));
    assert_eq!(settings.dial_timeout, Some(Duration::from_secs(60)));
    let settings = read(&[("readTimeout", "-1"), ("writeTimeout", "0")]).unwrap();
    assert_eq!(settings.read_timeout, None);
    assert_eq!(settings.write_timeout, Some(Duration::from_secs(3)));
    assert!(read(&[("readTimeout", "soon")]).is_err());
}

#[test]
fn retries_have_old_and_new_names() {
    let retry = |pairs: &[(&str, &str)]| read(pairs).unwrap().retry;
    assert_eq!(retry(&[]).times, 3);
    assert_eq!(retry(&[("redisMaxRetries", "-1")]).times, 0);
    assert_eq!(retry(&[("maxRetries", "7")]).times, 7);
    assert_eq!(retry(&[("maxRetries", "7"), ("redisMaxRetries", "2")]).times, 2);
    assert_eq!(
        retry(&[("maxRetryBackoff", "2000000")]).min,
        Duration::from_millis(2)
    );
    assert_eq!(retry(&[("redisMinRetryInterval", "-1")]).min, Duration::ZERO);
    let pubsub = Settings::new(&Properties::new([("maxRetries", "7")]), Kind::PubSub).unwrap();
    assert_eq!(
        (pubsub.retry.times, pubsub.retry.min),
        (3, Duration::from_millis(8))
    );
}

#[test]
fn what_is_not_built_is_named_and_what_is_wrong_is_refused() {
    for name in ["useEntraID", "useAzureAD", "useOIDC"] {
        let error = read(&[(name, "true")]).unwrap_err();
        assert!(matches!(error, OpenError::Unsupported(_)));
        assert!(error.to_string().contains(name), "{error}");
    }
    assert!(read(&[("enableTLS", "yes")]).is_err(), "booleans are Go's");
    assert!(read(&[("poolSize", "many")]).is_err());
    assert!(read(&[("poolSize", "10"), ("idleTimeout", "5m")]).is_ok());
    assert!(read(&[("redisType", "ring")]).is_err());
}

#[test]
fn secrets_are_not_printed() {
    let settings = read(&[("redisPassword", "hunter2"), ("sentinelPassword", "hunter3")]).unwrap();
    assert!(!format!("{settings:?} {:?}", settings.credentials).contains("hunter"));
}
