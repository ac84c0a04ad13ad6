//! Encryption by a certificate in files, which are read again when they change.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::TlsFiles;

/// How often it is looked whether the files have changed.
const LOOK: Duration = Duration::from_secs(10);

/// Why files with a certificate cannot be used. The operator names others, or renews them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The file is not there, or this program may not read it.
    #[error("`tls` names {}, which cannot be read: {reason}", file.display())]
    Unreadable {
        /// As the configuration names it.
        file: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The file is not what it should be.
    #[error("`tls` names {}, which holds no {what} in PEM", file.display())]
    Other {
        /// As the configuration names it.
        file: PathBuf,
        /// `certificate` or `key`.
        what: &'static str,
    },
    /// The key is not the certificate's, or of a kind that TLS does not know.
    #[error(
        "the certificate in {} and the key in {} cannot be used together: {reason}",
        certificate.display(), key.display()
    )]
    Unfit {
        /// The file with the certificate.
        certificate: Box<Path>,
        /// The file with the key.
        key: Box<Path>,
        /// What is wrong with them.
        reason: rustls::Error,
    },
}

/// What is shown to those who connect.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// A certificate and its key from files.
#[derive(Debug)]
pub(crate) struct Certificates {
    files: TlsFiles,
    /// Of what the files held when they were read last.
    digest: [u8; 32],
    shown: Arc<Shown>,
}

impl Certificates {
    /// Reads them. Blocks for as long as the disk takes.
    pub(crate) fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let held = Held::read(files)?;
        let shown = Arc::new(Shown(RwLock::new(Arc::new(held.certified(files)?))));
        Ok(Self { files: files.clone(), digest: held.digest(), shown })
    }

    /// What encrypts, with whatever certificate is there at the time.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        acceptor(self.shown.clone())
    }

    /// Reads the files again; whether another certificate is shown from now on. One that cannot be used
    /// leaves the one before in its place, and is complained of once.
    fn look(&mut self) -> Result<bool, TlsError> {
        let held = Held::read(&self.files)?;
        let digest = held.digest();
        if std::mem::replace(&mut self.digest, digest) == digest {
            return Ok(false);
        }
        let certified = held.certified(&self.files)?;
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
        Ok(true)
    }

    /// Looks again and again until `stop`.
    pub(crate) async fn follow(mut self, stop: CancellationToken) {
        let mut readable = true;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            let looked = tokio::task::spawn_blocking(move || {
                let looked = self.look();
                (self, looked)
            });
            // It does not panic; if it did, the certificate would stay as it is.
            let Ok((certificates, looked)) = looked.await else { return };
            self = certificates;
            let unreadable = matches!(looked, Err(TlsError::Unreadable { .. }));
            match looked {
                Ok(true) => info!(file = %self.files.certificate.display(), "another certificate is shown"),
                Ok(false) => {}
                Err(_) if unreadable && !readable => {}
                Err(error) => warn!(%error, "the certificate before is kept"),
            }
            readable = !unreadable;
        }
    }
}

/// What encrypts HTTP, by whatever certificate is shown.
pub(crate) fn acceptor(shown: Arc<dyn ResolvesServerCert>) -> TlsAcceptor {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    #[expect(clippy::expect_used, reason = "the provider has all protocol versions")]
    let builder = builder.expect("protocol versions");
    let mut config = builder.with_no_client_auth().with_cert_resolver(shown);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

/// What the files hold.
struct Held {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Held {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let read = |file: &Path| {
            std::fs::read(file).map_err(|reason| TlsError::Unreadable { file: file.to_owned(), reason })
        };
        Ok(Self { certificate: read(&files.certificate)?, key: read(&files.key)? })
    }

    fn digest(&self) -> [u8; 32] {
        let whole = Sha256::new().chain_update((self.certificate.len() as u64).to_be_bytes());
        whole.chain_update(&self.certificate).chain_update(&self.key).finalize().into()
    }

    fn certified(&self, files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
        let TlsFiles { certificate, key } = files;
        let other = |file: &PathBuf, what| TlsError::Other { file: file.clone(), what };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .map_err(|_| other(certificate, "certificate"))?;
        if chain.is_empty() {
            return Err(other(certificate, "certificate"));
        }
        let secret = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| other(key, "key"))?;
        CertifiedKey::from_der(chain, secret, &aws_lc_rs::default_provider()).map_err(|reason| {
            let (certificate, key) = (certificate.as_path().into(), key.as_path().into());
            TlsError::Unfit { certificate, key, reason }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            let folder = Self(tempfile::tempdir().unwrap());
            folder.renew();
            folder
        }

        fn files(&self) -> TlsFiles {
            TlsFiles { certificate: self.0.path().join("chain.pem"), key: self.0.path().join("key.pem") }
        }

        /// Both in one text, as some tools keep them, and the key apart.
        fn renew(&self) {
            let pem = Identity::make().unwrap();
            std::fs::write(self.files().certificate, &pem).unwrap();
            std::fs::write(self.files().key, pem).unwrap();
        }
    }

    fn shown(certificates: &Certificates) -> Vec<u8> {
        certificates.shown.0.read().unwrap().cert[0].to_vec()
    }

    #[test]
    fn a_certificate_that_was_renewed_is_shown_and_one_that_cannot_be_used_is_not() {
        let folder = Folder::new();
        let mut certificates = Certificates::read(&folder.files()).unwrap();
        let first = shown(&certificates);
        assert!(!certificates.look().unwrap(), "nothing has changed");
        folder.renew();
        assert!(certificates.look().unwrap());
        let second = shown(&certificates);
        assert_ne!(second, first);
        // Half of it is renewed: that is said once, and mended when the other half comes.
        let pem = Identity::make().unwrap();
        std::fs::write(folder.files().certificate, &pem).unwrap();
        let error = certificates.look().unwrap_err().to_string();
        assert!(error.contains("cannot be used together"), "{error}");
        assert!(!certificates.look().unwrap());
        assert_eq!(shown(&certificates), second);
        std::fs::write(folder.files().key, pem).unwrap();
        assert!(certificates.look().unwrap());
        assert_ne!(shown(&certificates), second);
        std::fs::remove_file(folder.files().key).unwrap();
        let error = certificates.look().unwrap_err().to_string();
        assert!(error.contains("key.pem, which cannot be read: "), "{error}");
    }

    #[test]
    fn what_is_wrong_with_files_is_said_with_their_names_and_no_key() {
        let folder = Folder::new();
        let TlsFiles { certificate, key } = folder.files();
        let pem = std::fs::read_to_string(&key).unwrap();
        let of = |part: &str| format!("{}{part}", folder.0.path().display());
        let refused = |files: &TlsFiles| Certificates::read(files).unwrap_err().to_string();
        std::fs::write(&certificate, "nothing").unwrap();
        let text = refused(&folder.files());
        assert_eq!(text, format!("`tls` names {}, which holds no certificate in PEM", of("/chain.pem")));
        std::fs::write(&certificate, &pem).unwrap();
        std::fs::write(&key, &pem[..pem.find("-----BEGIN PRIVATE").unwrap()]).unwrap();
        let text = refused(&folder.files());
        assert_eq!(text, format!("`tls` names {}, which holds no key in PEM", of("/key.pem")));
        let text = refused(&TlsFiles { certificate, key: folder.0.path().join("none.pem") });
        assert!(
            text.starts_with(&format!("`tls` names {}, which cannot be read: ", of("/none.pem"))),
            "{text}"
        );
    }
}
