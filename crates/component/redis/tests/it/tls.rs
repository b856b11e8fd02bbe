//! Encrypted connections.

use std::process::Command;

use outrigger_base_std::chain;
use outrigger_block_kit::{Context, OpenError, Properties};
use outrigger_testing_harness::{Authority, FreePort, Issued, RedisServer};

use crate::raw::{held, read, set};

struct Encrypted {
    _server: RedisServer,
    port: u16,
    authority: Authority,
}

impl Encrypted {
    /// A server with a certificate for `localhost`; `clients` says whether it wants one of them.
    async fn start(clients: &str) -> Self {
        let authority = Authority::new().unwrap();
        let issued = authority.issue("server", "DNS:localhost").unwrap();
        let port = FreePort::hold().unwrap().release();
        let server = RedisServer::start_with(&[
            "--tls-port",
            &port.to_string(),
            "--tls-cert-file",
            issued.certificate.to_str().unwrap(),
            "--tls-key-file",
            issued.key.to_str().unwrap(),
            "--tls-ca-cert-file",
            authority.certificate().to_str().unwrap(),
            "--tls-auth-clients",
            clients,
        ])
        .await
        .unwrap();
        Self {
            _server: server,
            port,
            authority,
        }
    }

    fn properties(&self, more: &[(&str, &str)]) -> Properties {
        let mut properties = Properties::new(more.iter().copied());
        properties.set("enableTLS", "true");
        properties.set("redisMaxRetries", "-1");
        if properties.get("redisHost").is_none() {
            properties.set("redisHost", format!("localhost:{}", self.port));
        }
        properties
    }

    async fn fails_with(&self, more: &[(&str, &str)]) -> String {
        let open = outrigger_component_redis::store(Context::for_test("tls"), self.properties(more));
        chain(&open.await.unwrap_err())
    }
}

async fn works(properties: Properties) {
    let store = outrigger_component_redis::store(Context::for_test("tls"), properties)
        .await
        .unwrap();
    store.set(set("k", "v")).await.unwrap();
    assert_eq!(read(&*store, "k").await, held("v", "1"));
}

fn pem(issued: &Issued) -> (String, String) {
    let read = |path| std::fs::read_to_string(path).unwrap();
    (read(&issued.certificate), read(&issued.key))
}

#[tokio::test]
async fn a_certificate_must_be_trusted_unless_told_otherwise() {
    let encrypted = Encrypted::start("no").await;
    let error = encrypted.fails_with(&[]).await;
    assert!(error.contains("invalid peer certificate"), "{error}");
    works(encrypted.properties(&[("insecureSkipTLSVerify", "true")])).await;
}

#[tokio::test]
async fn our_certificate_is_shown_to_a_server_that_wants_one() {
    let encrypted = Encrypted::start("yes").await;
    let error = encrypted.fails_with(&[("insecureSkipTLSVerify", "true")]).await;
    assert!(error.contains("connect to Redis at localhost"), "{error}");
    let (chain, key) = pem(&encrypted.authority.issue("client", "DNS:client").unwrap());
    let identity = [
        ("insecureSkipTLSVerify", "true"),
        ("clientCert", &chain),
        ("clientKey", &key),
    ];
    works(encrypted.properties(&identity)).await;
    let broken = [
        ("insecureSkipTLSVerify", "true"),
        ("clientCert", &chain),
        ("clientKey", "hunter2"),
    ];
    let open = outrigger_component_redis::store(Context::for_test("tls"), encrypted.properties(&broken));
    let error = open.await.unwrap_err();
    assert!(matches!(
        error,
        OpenError::Invalid {
            property: "clientKey",
            ..
        }
    ));
    assert!(!error.to_string().contains("hunter2"));
}

/// The roots come from the system, and `SSL_CERT_FILE` names others. A process cannot change its environment safely,
/// so this test runs itself once more with it set.
#[tokio::test]
async fn a_trusted_certificate_is_accepted_for_its_name_only() {
    const NAME: &str = "tls::a_trusted_certificate_is_accepted_for_its_name_only";
    const PORT: &str = "OUTRIGGER_TEST_TLS_PORT";
    if let Ok(port) = std::env::var(PORT) {
        let base = [("enableTLS", "true"), ("redisMaxRetries", "-1")];
        let mut properties = Properties::new(base);
        properties.set("redisHost", format!("localhost:{port}"));
        works(properties.clone()).await;
        properties.set("redisHost", format!("127.0.0.1:{port}"));
        let open = outrigger_component_redis::store(Context::for_test("tls"), properties);
        let error = chain(&open.await.unwrap_err());
        assert!(error.contains("not valid for name"), "{error}");
        return;
    }
    let encrypted = Encrypted::start("no").await;
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME])
        .env(PORT, encrypted.port.to_string())
        .env("SSL_CERT_FILE", encrypted.authority.certificate())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}
