//! TLS client settings. The crypto provider is passed in every time: nothing is installed for the whole process.

use std::sync::Arc;

use outrigger_base_std::BoxError;
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

/// What a client trusts, and who it says it is.
#[derive(Debug, Default)]
pub struct ClientTls {
    /// Certificates that are trusted; empty means those of the machine.
    pub roots: Vec<CertificateDer<'static>>,
    /// The chain and key that the client presents.
    pub identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    /// Whether any certificate is taken.
    pub insecure: bool,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cryptography has no version of TLS in common with us.
    #[error("cannot set up TLS")]
    SetUp(#[source] rustls::Error),
    /// There is no certificate that could be trusted.
    #[error("cannot load the root certificates of this machine")]
    Roots(#[source] BoxError),
    /// A certificate that was given to be trusted is none.
    #[error("cannot trust a root certificate")]
    Root(#[source] rustls::Error),
    /// The certificate to present cannot be used, or does not go with its key.
    #[error("cannot present the client's certificate")]
    Identity(#[source] rustls::Error),
}

impl ClientTls {
    /// The settings for connections that negotiate one of `protocols` (ALPN), first preferred.
    pub fn build(self, protocols: &[&[u8]]) -> Result<Arc<ClientConfig>, Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(Error::SetUp)?;
        let builder = if self.insecure {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(TakeAny(provider)))
        } else {
            builder.with_root_certificates(roots(self.roots)?)
        };
        let mut config = match self.identity {
            Some((chain, key)) => builder
                .with_client_auth_cert(chain, key)
                .map_err(Error::Identity)?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Arc::new(config))
    }
}

/// The given roots, or the machine's.
fn roots(given: Vec<CertificateDer<'static>>) -> Result<RootCertStore, Error> {
    if given.is_empty() {
        return roots_of_the_machine();
    }
    let mut store = RootCertStore::empty();
    for certificate in given {
        store.add(certificate).map_err(Error::Root)?;
    }
    Ok(store)
}

fn roots_of_the_machine() -> Result<RootCertStore, Error> {
    let found = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    // A broken certificate among the machine's hundreds is skipped, as every TLS client does.
    let (usable, _) = store.add_parsable_certificates(found.certs);
    if usable > 0 {
        return Ok(store);
    }
    Err(Error::Roots(match found.errors.into_iter().next() {
        Some(error) => error.into(),
        None => "there are none; on Debian the package ca-certificates brings them".into(),
    }))
}

/// Takes any certificate and checks only that the peer holds its key: for apps on the same host, and where a user asks for
/// it.
#[derive(Debug)]
struct TakeAny(Arc<CryptoProvider>);

impl ServerCertVerifier for TakeAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
