//! `Debug` of messages that hold secrets or payloads: names and lengths, never the content.

use std::fmt::{Debug, Formatter, Result};

use bytes::Bytes;

use crate::common::StreamPayload;
use crate::runtime::{
    GetSecretResponse, SecretResponse, SubtleDecryptResponse, SubtleEncryptRequest, SubtleUnwrapKeyResponse,
    SubtleWrapKeyRequest,
};

/// Stands for bytes that must not be shown.
struct Hidden<'a>(&'a Bytes);

impl Debug for Hidden<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "<{} bytes>", self.0.len())
    }
}

impl Debug for StreamPayload {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("StreamPayload")
            .field("data", &Hidden(&self.data))
            .field("seq", &self.seq)
            .finish()
    }
}

impl Debug for GetSecretResponse {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("GetSecretResponse")
            .field("keys", &self.data.keys())
            .finish_non_exhaustive()
    }
}

impl Debug for SecretResponse {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("SecretResponse")
            .field("keys", &self.secrets.keys())
            .finish_non_exhaustive()
    }
}

impl Debug for SubtleEncryptRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("SubtleEncryptRequest")
            .field("component_name", &self.component_name)
            .field("plaintext", &Hidden(&self.plaintext))
            .field("algorithm", &self.algorithm)
            .field("key_name", &self.key_name)
            .finish_non_exhaustive()
    }
}

impl Debug for SubtleDecryptResponse {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("SubtleDecryptResponse")
            .field("plaintext", &Hidden(&self.plaintext))
            .finish()
    }
}

impl Debug for SubtleWrapKeyRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("SubtleWrapKeyRequest")
            .field("component_name", &self.component_name)
            .field("plaintext_key", &Hidden(&self.plaintext_key))
            .field("algorithm", &self.algorithm)
            .field("key_name", &self.key_name)
            .finish_non_exhaustive()
    }
}

impl Debug for SubtleUnwrapKeyResponse {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("SubtleUnwrapKeyResponse")
            .field("plaintext_key", &Hidden(&self.plaintext_key))
            .finish()
    }
}
