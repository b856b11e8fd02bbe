//! Whether a member can be called.

use std::time::Duration;

use outrigger::{Body, Client};
use tokio::time::timeout;

use super::{READY, Stage, StageError};
use crate::demo::cast::{Form, Member};

/// Between two questions whether somebody is ready.
const ASK: Duration = Duration::from_millis(20);

impl Stage {
    /// Waits until a member can be called: its sidecar says so, or, where there is none, it answers through the door.
    pub(super) async fn ready(&self, member: &Member, door: &Client) -> Result<(), StageError> {
        let until = async {
            if member.form.has_sidecar() {
                let client = self.client(member.name)?;
                while !is_ready(&client, member.form).await {
                    tokio::time::sleep(ASK).await;
                }
            } else {
                while !answers(door, member.name).await {
                    tokio::time::sleep(ASK).await;
                }
            }
            Ok(())
        };
        timeout(READY, until)
            .await
            .unwrap_or(Err(StageError::NotReady(member.name)))
    }
}

/// Whether a sidecar is ready, and its app where it has one.
async fn is_ready(client: &Client, form: Form) -> bool {
    match form.service() {
        Some(_) => client.check_health().await.is_ok(),
        None => client.check_outbound_health().await.is_ok(),
    }
}

/// Whether an app without a sidecar is found and answers.
async fn answers(door: &Client, name: &str) -> bool {
    let request = http::Request::get("/ready").body(Body::empty());
    match request {
        Ok(request) => door
            .invoke(name, request)
            .await
            .is_ok_and(|answer| answer.status().is_success()),
        // The request is a fixed one.
        Err(_) => false,
    }
}
