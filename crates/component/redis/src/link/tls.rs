//! Encrypted connections: the system's roots, our certificate where one is set.

use outrigger_block_kit::OpenError;
use outrigger_transport::tls::{ClientTls, Error};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::TlsConnector;

use crate::settings::Tls;

/// A chain of certificates and the key of its first.
type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// What makes encrypted connections. The crypto provider is this instance's own, not the process's.
pub(super) fn connector(tls: &Tls) -> Result<TlsConnector, OpenError> {
    if tls.insecure {
        tracing::warn!("insecureSkipTLSVerify is set: the server's certificate is not checked");
    }
    let settings = ClientTls {
        identity: identity(tls)?,
        insecure: tls.insecure,
        ..ClientTls::default()
    };
    let config = settings.build(&[]).map_err(|error| match error {
        Error::Identity(why) => {
            OpenError::invalid("clientCert", format!("does not go with clientKey: {why}"))
        }
        Error::Roots(why) => OpenError::unavailable("load the system's root certificates", why),
        other => OpenError::unavailable("set up TLS", other),
    })?;
    Ok(TlsConnector::from(config))
}

fn identity(tls: &Tls) -> Result<Option<Identity>, OpenError> {
    let Some((chain, key)) = &tls.identity else {
        return Ok(None);
    };
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| OpenError::invalid("clientCert", format!("not a PEM certificate: {error}")))?;
    // What is wrong with a key is said without quoting it.
    let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
        .map_err(|_| OpenError::invalid("clientKey", "not a PEM private key"))?;
    Ok(Some((chain, key)))
}
