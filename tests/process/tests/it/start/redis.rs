//! A Redis that is not there, or goes away and comes back.

use outrigger_testing_harness::{Folder, RedisServer, eventually};

use super::flags::{ends, says};
use crate::rig::{
    PATIENCE, Plan, component, get,
    http::{call, request},
    post,
    sidecar::lasting_port,
};

fn plan(folder: &Folder, address: &str) -> Plan {
    let store = component(
        "db",
        "state.redis",
        &[("redisHost", address), ("redisMaxRetries", "0")],
    );
    Plan::new("app", folder.path()).resources(folder, &[store])
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_fatal_and_named() {
    let folder = Folder::new("absent").unwrap();
    let address = format!("127.0.0.1:{}", lasting_port());
    let (status, process) = ends(&plan(&folder, &address)).await;
    assert_eq!(status.code(), Some(1), "{:#?}", process.lines());
    let line = says(&process, "level=fatal").await;
    assert!(
        line.contains("db (state.redis/v1)") && line.contains(&address),
        "{line}"
    );
}

#[tokio::test]
async fn a_redis_that_goes_and_comes_back_is_used_again() {
    let mut server = RedisServer::start().await.unwrap();
    let folder = Folder::new("back").unwrap();
    let sidecar = plan(&folder, &server.address()).start().await;
    let path = "/v1.0/state/db";
    post(&sidecar, path, "[{\"key\":\"k\",\"value\":\"kept\"}]")
        .await
        .ok();
    server.kill();
    let answer = post(&sidecar, path, "[{\"key\":\"k\",\"value\":\"lost\"}]").await;
    assert_eq!(
        answer.code(),
        (500, "ERR_STATE_SAVE".to_owned()),
        "{}",
        answer.text()
    );
    get(&sidecar, "/v1.0/healthz").await.ok();
    server.start_again().await.unwrap();
    eventually(PATIENCE, || async {
        let asked = request(http::Method::GET, &format!("{path}/k"), "");
        match call(&sidecar, asked).await {
            Ok(answer) if answer.text() == "\"kept\"" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    post(&sidecar, path, "[{\"key\":\"k\",\"value\":\"new\"}]")
        .await
        .ok();
    assert_eq!(get(&sidecar, &format!("{path}/k")).await.text(), "\"new\"");
}
