//! Whether a server of ours answers at an address.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use confab_protocol::Fingerprint;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};
use sha2::{Digest, Sha256};

use super::Identity;

/// Who answers at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// A server with this very certificate and its key.
    Itself,
    /// Something else.
    SomebodyElse,
    /// Nothing that can be reached from here.
    Nobody,
}

impl Identity {
    /// Connects and looks who answers; each step of it takes at most that long. Blocks.
    pub fn look_for_itself(&self, address: SocketAddr, patience: Duration) -> Answers {
        let Ok(stream) = TcpStream::connect_timeout(&address, patience) else { return Answers::Nobody };
        let seen =
            Arc::new(Seen { shown: Mutex::new(None), provider: Arc::new(aws_lc_rs::default_provider()) });
        let shaken = shake(stream, address, &seen, patience);
        let shown = *seen.shown.lock().unwrap_or_else(PoisonError::into_inner);
        match shaken {
            Ok(()) if shown == Some(self.fingerprint()) => Answers::Itself,
            // Some routers take the connection and lead it nowhere.
            Err(error) if shown.is_none() && is_silence(&error) => Answers::Nobody,
            _ => Answers::SomebodyElse,
        }
    }
}

fn is_silence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::TimedOut
            | ErrorKind::WouldBlock
            | ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::BrokenPipe
    )
}

fn shake(mut stream: TcpStream, address: SocketAddr, seen: &Arc<Seen>, patience: Duration) -> io::Result<()> {
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let config = ClientConfig::builder_with_provider(Arc::clone(&seen.provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(seen) as _)
        .with_no_client_auth();
    let name = ServerName::from(address.ip());
    let mut tls = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    while tls.is_handshaking() {
        tls.complete_io(&mut stream)?;
    }
    Ok(())
}

/// Notes which certificate is shown. Nothing is sent to whoever shows it.
#[derive(Debug)]
struct Seen {
    shown: Mutex<Option<Fingerprint>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Fingerprint(Sha256::digest(certificate).into());
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use super::*;
    use crate::config::Config;
    use crate::server::Server;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn identity() -> Identity {
        Identity::read(&Identity::make().unwrap()).unwrap()
    }

    #[test]
    fn a_server_knows_itself_by_its_certificate_and_nobody_else() {
        let any = "127.0.0.1:0".parse().unwrap();
        let hosted = Server::spawn(Config { http: any, media: any, ..Config::default() }).unwrap();
        let ours = Arc::new(identity());
        let door = hosted.open_at("127.0.0.2:0".parse().unwrap(), &ours).unwrap();
        assert_eq!(ours.look_for_itself(door, PATIENCE), Answers::Itself);
        assert_eq!(identity().look_for_itself(door, PATIENCE), Answers::SomebodyElse);
        hosted.close();
        assert_eq!(ours.look_for_itself(door, PATIENCE), Answers::Nobody);
    }

    #[test]
    fn who_speaks_something_else_is_somebody_and_who_says_nothing_is_nobody() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let other = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
            let silent = listener.accept().unwrap();
            (stream, silent)
        });
        assert_eq!(identity().look_for_itself(address, PATIENCE), Answers::SomebodyElse);
        assert_eq!(identity().look_for_itself(address, Duration::from_millis(50)), Answers::Nobody);
        other.join().unwrap();
    }
}
