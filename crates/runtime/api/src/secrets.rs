//! Secret operations.

use std::collections::BTreeMap;

use http::StatusCode;
use outrigger_base_std::chain;
use outrigger_block_secret::{Metadata, Secrets as Keys};
use outrigger_runtime_host::Secrets;
use outrigger_wire_names::errors;
use tonic::Code;

use crate::{Api, Error};

/// Secrets by their names.
pub type SecretAnswer = BTreeMap<String, Keys>;

impl Api {
    /// One secret.
    pub async fn get_secret(&self, store: &str, name: &str, metadata: &Metadata) -> Result<Keys, Error> {
        let secrets = self.secret_store(store)?;
        if !secrets.permits(name) {
            let message = format!("access denied by policy to get {name:?} from {store:?}");
            let code = errors::PERMISSION_DENIED;
            return Err(Error::new(
                code,
                StatusCode::FORBIDDEN,
                Code::PermissionDenied,
                message,
            ));
        }
        let got = self
            .metrics()
            .secret(store, "get", secrets.store.get(name, metadata))
            .await;
        got.map_err(|error| {
            failed(format!(
                "failed getting secret with key {name} from secret store {store}: {}",
                chain(&error)
            ))
        })
    }

    /// Every secret that the app may see.
    pub async fn get_bulk_secret(&self, store: &str, metadata: &Metadata) -> Result<SecretAnswer, Error> {
        let secrets = self.secret_store(store)?;
        let got = self
            .metrics()
            .secret(store, "bulk_get", secrets.store.bulk_get(metadata))
            .await;
        let mut all = got.map_err(|error| {
            failed(format!(
                "failed getting secrets from secret store {store}: {}",
                chain(&error)
            ))
        })?;
        all.retain(|name, _| secrets.permits(name));
        Ok(all)
    }

    fn secret_store(&self, store: &str) -> Result<Secrets, Error> {
        let snapshot = self.host().snapshot();
        if let Some(secrets) = snapshot.secrets(store) {
            return Ok(secrets.clone());
        }
        if snapshot.has_secrets() {
            let message = format!("failed finding secret store with key {store}");
            let code = errors::SECRET_STORE_NOT_FOUND;
            // 401 is what the wire has for this (dapr-runtime.md §11, trap 11).
            return Err(Error::new(
                code,
                StatusCode::UNAUTHORIZED,
                Code::InvalidArgument,
                message,
            ));
        }
        let code = errors::SECRET_STORES_NOT_CONFIGURED;
        let message = "secret store is not configured";
        Err(Error::new(
            code,
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::FailedPrecondition,
            message,
        ))
    }
}

fn failed(message: String) -> Error {
    Error::new(
        errors::SECRET_GET,
        StatusCode::INTERNAL_SERVER_ERROR,
        Code::Internal,
        message,
    )
}
