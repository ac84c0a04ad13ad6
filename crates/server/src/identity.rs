//! The certificate of a server that nobody has vouched for: whoever is invited knows its fingerprint.

mod look;

use std::fmt;
use std::sync::Arc;

use confab_protocol::Fingerprint;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

use crate::tls;
pub use look::Answers;

/// A certificate and its key, P-256, for as long as it is kept: what is trusted is the certificate
/// itself, whatever stands in it.
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

/// Why an identity cannot be made, read or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The library made no key or signed nothing; nobody's input leads to it. Trying again may help.
    #[error("the certificate of this computer cannot be made: {0}")]
    Make(rcgen::Error),
    /// The text is not what [`Identity::make`] gave. Whoever keeps it deletes it and has another made.
    #[error("the certificate of this computer cannot be read: {0:?}")]
    Read(pem::Error),
    /// The certificate and the key do not belong together, or are of a kind that TLS does not know.
    /// Whoever keeps them deletes them and has others made.
    #[error("the certificate of this computer cannot be used: {0}")]
    Use(rustls::Error),
}

impl Identity {
    /// Makes one at random; the text is PEM, the certificate and then its key, for [`Identity::read`].
    pub fn make() -> Result<String, IdentityError> {
        let key = KeyPair::generate().map_err(IdentityError::Make)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Confab");
        // Before the clock of any computer that runs this, and after.
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2120, 1, 1);
        let certificate = params.self_signed(&key).map_err(IdentityError::Make)?;
        Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
    }

    /// Reads PEM; the first certificate and the first key in it count.
    pub fn read(pem: &str) -> Result<Identity, IdentityError> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(IdentityError::Read)?;
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(IdentityError::Read)?;
        Ok(Identity { certificate, key })
    }

    /// What those who are invited know.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(&self.certificate).into())
    }

    pub(crate) fn acceptor(&self) -> Result<TlsAcceptor, IdentityError> {
        let (chain, key) = (vec![self.certificate.clone()], self.key.clone_key());
        let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider());
        let certified = certified.map_err(IdentityError::Use)?;
        Ok(tls::acceptor(Arc::new(SingleCertAndKey::from(certified))))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("fingerprint", &self.fingerprint()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_can_be_read_and_used_and_is_another_each_time() {
        let pem = Identity::make().unwrap();
        let read = Identity::read(&pem).unwrap();
        assert_eq!(read.fingerprint(), Identity::read(&pem).unwrap().fingerprint());
        assert!(read.acceptor().is_ok());
        let other = Identity::read(&Identity::make().unwrap()).unwrap();
        assert_ne!(read.fingerprint(), other.fingerprint());
    }

    #[test]
    fn half_of_it_is_refused_in_words_and_no_key_is_printed() {
        let pem = Identity::make().unwrap();
        let (certificate, key) = pem.split_at(pem.find("-----BEGIN PRIVATE").unwrap());
        for half in [certificate, key, ""] {
            let error = Identity::read(half).unwrap_err().to_string();
            assert!(error.starts_with("the certificate of this computer cannot be read"), "{error}");
        }
        let shown = format!("{:?}", Identity::read(&pem).unwrap());
        let lines: Vec<&str> = key.lines().filter(|line| line.len() > 16 && !line.starts_with('-')).collect();
        assert!(!lines.is_empty() && lines.iter().all(|line| !shown.contains(line)), "{shown}");
        let bytes = PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        for piece in bytes.secret_der().chunks_exact(16) {
            let piece = format!("{piece:?}");
            assert!(!shown.contains(piece.trim_matches(['[', ']'])), "{shown}");
        }
    }
}
