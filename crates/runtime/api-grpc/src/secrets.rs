//! Secrets over gRPC.

use outrigger_block_secret::Secrets;
use outrigger_runtime_api::SecretAnswer;
use outrigger_wire_proto::runtime::{GetBulkSecretResponse, GetSecretResponse, SecretResponse};

pub(crate) fn one(keys: Secrets) -> GetSecretResponse {
    GetSecretResponse { data: exposed(keys) }
}

pub(crate) fn all(answer: SecretAnswer) -> GetBulkSecretResponse {
    let secret = |keys| SecretResponse {
        secrets: exposed(keys),
    };
    GetBulkSecretResponse {
        data: answer
            .into_iter()
            .map(|(name, keys)| (name, secret(keys)))
            .collect(),
    }
}

/// The texts that the caller asked for.
fn exposed<M: FromIterator<(String, String)>>(keys: Secrets) -> M {
    keys.into_iter()
        .map(|(key, secret)| (key, secret.expose().to_owned()))
        .collect()
}
