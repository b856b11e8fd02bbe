//! Services outside the mesh, with their values resolved.

use std::fmt;

use outrigger_base_std::{BoxError, Secret};
use outrigger_transport::tls::ClientTls;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

/// A service outside the mesh.
#[derive(Clone)]
pub struct HttpEndpoint {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub base_url: String,
    /// Headers that every request to it gets.
    pub headers: Vec<(String, String)>,
    /// TLS settings of its own.
    pub tls: Option<ClientPem>,
}

/// The values of headers are often credentials: only their names are shown.
impl fmt::Debug for HttpEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("HttpEndpoint")
            .field("name", &self.name)
            .field("base_url", &self.base_url)
            .field("headers", &names)
            .field("tls", &self.tls)
            .finish()
    }
}

/// TLS settings as PEM texts; an empty text is not set.
#[derive(Debug, Clone, Default)]
pub struct ClientPem {
    /// Certificates that are trusted.
    pub root_ca: String,
    /// The certificate that is presented.
    pub certificate: String,
    /// Its key.
    pub private_key: Secret,
}

impl ClientPem {
    /// The settings, read.
    pub fn client_tls(&self) -> Result<ClientTls, BoxError> {
        let identity = match (self.certificate.is_empty(), self.private_key.is_empty()) {
            (true, true) => None,
            (false, false) => {
                let key = PrivateKeyDer::from_pem_slice(self.private_key.expose().as_bytes())?;
                Some((certificates(&self.certificate)?, key))
            }
            _ => return Err("clientTLS needs both certificate and privateKey, or neither".into()),
        };
        Ok(ClientTls {
            roots: certificates(&self.root_ca)?,
            identity,
            insecure: false,
        })
    }
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, BoxError> {
    Ok(CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_shown() {
        let endpoint = HttpEndpoint {
            name: "shop".to_owned(),
            base_url: "https://shop.example".to_owned(),
            headers: vec![("authorization".to_owned(), "Bearer hunter2".to_owned())],
            tls: Some(ClientPem {
                private_key: "hunter3".to_owned().into(),
                ..ClientPem::default()
            }),
        };
        let shown = format!("{endpoint:?}");
        assert!(
            shown.contains("authorization") && !shown.contains("hunter"),
            "{shown}"
        );
    }
}
