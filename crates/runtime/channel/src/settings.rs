//! How the app is reached.

use std::{fmt, str::FromStr};

use outrigger_base_std::Secret;

/// What the app speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http,
    /// HTTP/1.1 over TLS; the certificate is not verified.
    Https,
    /// HTTP/2 in clear text.
    H2c,
    /// gRPC.
    Grpc,
    /// gRPC over TLS; the certificate is not verified.
    Grpcs,
}

impl Protocol {
    /// Whether the app speaks gRPC.
    pub fn is_grpc(self) -> bool {
        matches!(self, Self::Grpc | Self::Grpcs)
    }

    /// Whether the connection is encrypted.
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Https | Self::Grpcs)
    }

    /// The same protocol over TLS.
    #[must_use]
    pub fn with_tls(self) -> Self {
        match self {
            Self::Http => Self::Https,
            Self::Grpc => Self::Grpcs,
            other => other,
        }
    }

    /// The name as flags and the metadata API write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::H2c => "h2c",
            Self::Grpc => "grpc",
            Self::Grpcs => "grpcs",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid value for 'app-protocol': {0:?}; expected http, https, h2c, grpc or grpcs")]
pub struct ProtocolError(String);

impl FromStr for Protocol {
    type Err = ProtocolError;

    fn from_str(text: &str) -> Result<Self, ProtocolError> {
        match text.to_ascii_lowercase().as_str() {
            "" | "http" => Ok(Self::Http),
            "https" => Ok(Self::Https),
            "h2c" => Ok(Self::H2c),
            "grpc" => Ok(Self::Grpc),
            "grpcs" => Ok(Self::Grpcs),
            _ => Err(ProtocolError(text.to_owned())),
        }
    }
}

/// How the app is reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Host of the app.
    pub address: String,
    /// Port of the app.
    pub port: u16,
    /// What it speaks.
    pub protocol: Protocol,
    /// Token that is shown to the app on every call but health probes.
    pub token: Option<Secret>,
    /// Id of the app, told to it on the initial calls.
    pub app_id: String,
    /// Bytes that the head, or the trailers, of an answer may have over HTTP/2, where that is more than 1 MiB. Over HTTP/1.1
    /// it has no say: a head may have what a connection reads ahead, some 400 KiB, and trailers 16 KiB (hyper's bounds).
    pub max_head: usize,
    /// Bytes that the body of a gRPC answer may have.
    pub max_body: usize,
}

/// Bytes that the head or the trailers of an answer over HTTP/2 may have at least. The details of an error travel there;
/// Dapr's clients take 16 MiB of them. What bounds the heads of requests says nothing of answers.
const ANSWER_HEAD: usize = 1024 * 1024;

impl Settings {
    /// The bound for the head of an answer over HTTP/2.
    pub(crate) fn answer_head(&self) -> u32 {
        u32::try_from(self.max_head.max(ANSWER_HEAD)).unwrap_or(u32::MAX)
    }
}
