//! Certificates for tests, made by `openssl`.

use std::{path::PathBuf, process::Command};

use crate::{Error, Folder, process::run};

/// The program and Debian package.
const OPENSSL: &str = "openssl";

/// A certificate authority of its own, whose files live as long as this.
#[derive(Debug)]
pub struct Authority {
    folder: Folder,
}

/// A certificate and its key, as PEM files.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Authority {
    /// Makes an authority.
    pub fn new() -> Result<Self, Error> {
        let authority = Self {
            folder: Folder::new("authority")?,
        };
        let own = authority.paths("ca");
        run(
            Command::new(OPENSSL)
                .args([
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:prime256v1",
                    "-nodes",
                ])
                .args(["-days", "2", "-subj", "/CN=outrigger test authority"])
                .args(["-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout"])
                .arg(&own.key)
                .arg("-out")
                .arg(&own.certificate),
            OPENSSL,
        )?;
        Ok(authority)
    }

    /// The authority's own certificate, to be trusted.
    pub fn certificate(&self) -> PathBuf {
        self.paths("ca").certificate
    }

    /// Issues a certificate with these names, as OpenSSL writes them: `DNS:localhost,IP:127.0.0.1`.
    pub fn issue(&self, file: &str, names: &str) -> Result<Issued, Error> {
        let (own, issued) = (self.paths("ca"), self.paths(file));
        run(
            Command::new(OPENSSL)
                .args([
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:prime256v1",
                    "-nodes",
                ])
                .args(["-days", "2", "-subj", &format!("/CN={file}")])
                .args(["-addext", "basicConstraints=critical,CA:FALSE"])
                .args(["-addext", &format!("subjectAltName={names}"), "-CA"])
                .arg(&own.certificate)
                .arg("-CAkey")
                .arg(&own.key)
                .arg("-keyout")
                .arg(&issued.key)
                .arg("-out")
                .arg(&issued.certificate),
            OPENSSL,
        )?;
        Ok(issued)
    }

    fn paths(&self, file: &str) -> Issued {
        Issued {
            certificate: self.folder.file(&format!("{file}.pem")),
            key: self.folder.file(&format!("{file}.key")),
        }
    }
}
