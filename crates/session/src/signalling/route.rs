//! The way to a server, and whom a client believes to be it.

use crate::room::Failure;
use confab_protocol::{Fingerprint, ServerAddress, Trust};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use sha2::{Digest, Sha256};
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long a server may take to say whether it encrypts.
const HANDSHAKE: Duration = Duration::from_secs(4);

/// A server during one stay: what it showed first, it has to show again.
#[derive(Debug)]
pub(crate) struct Route {
    server: ServerAddress,
    /// What answered at an address that leaves open how its server is recognised.
    seen: OnceLock<Seen>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Plain,
    Certificate(Fingerprint),
}

/// How requests go.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// What their addresses begin with, `http(s)://host:port`.
    pub(crate) base: String,
    /// Used where that is encrypted.
    pub(crate) tls: Arc<ClientConfig>,
}

/// Bytes to a server and back, encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for S {}

impl Route {
    pub(crate) fn new(server: ServerAddress) -> Self {
        Self { server, seen: OnceLock::new() }
    }

    pub(crate) fn server(&self) -> &ServerAddress {
        &self.server
    }

    /// How to go, after a look at the server where its address leaves that open; it is unreachable
    /// when it accepts no connection within `reach`.
    pub(crate) async fn way(&self, reach: Duration) -> Result<Way, Failure> {
        let (encrypted, tls) = match self.server.trust {
            Trust::Plain => (false, own(Belief::Nobody)),
            Trust::Authorities => (true, authorities()),
            Trust::Certificate(fingerprint) => (true, own(Belief::Only(fingerprint))),
            Trust::Whoever => match self.seen(reach).await? {
                Seen::Plain => (false, own(Belief::Nobody)),
                Seen::Certificate(fingerprint) => (true, own(Belief::Only(fingerprint))),
            },
        };
        Ok(Way { base: self.server.url(encrypted), tls: tls.map_err(unable)? })
    }

    async fn seen(&self, reach: Duration) -> Result<Seen, Failure> {
        if let Some(seen) = self.seen.get() {
            return Ok(*seen);
        }
        let (host, port) = self.server.endpoint();
        let stream = connect(host, port, reach).await.map_err(|_| unreachable(&self.server))?;
        let shaken = tokio::time::timeout(
            HANDSHAKE.min(reach),
            shake(stream, host, own(Belief::Whoever).map_err(unable)?),
        );
        let seen = match shaken.await {
            Ok(Ok(stream)) => {
                let chain = stream.get_ref().1.peer_certificates();
                let certificate = chain.and_then(<[_]>::first);
                certificate.map_or(Seen::Plain, |certificate| Seen::Certificate(fingerprint(certificate)))
            }
            Ok(Err(error)) if is_clear(&error) => Seen::Plain,
            Ok(Err(error)) => {
                return Err(Failure::Broken(format!(
                    "No encrypted connection to {} can be made: {error}.",
                    self.server
                )));
            }
            Err(_) => {
                return Err(Failure::Silent(format!(
                    "The server {} took the connection but did not answer.",
                    self.server
                )));
            }
        };
        tracing::info!(server = %self.server, encrypted = seen != Seen::Plain, "server looked at");
        Ok(*self.seen.get_or_init(|| seen))
    }
}

/// A connection that the system has accepted.
pub(crate) async fn connect(host: &str, port: u16, reach: Duration) -> Result<TcpStream, String> {
    let host = host.trim_matches(['[', ']']);
    let stream = match tokio::time::timeout(reach, TcpStream::connect((host, port))).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err("nobody answers".to_owned()),
    };
    // Small messages that must not wait for each other.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Encrypts a connection.
pub(crate) async fn shake(
    stream: TcpStream,
    host: &str,
    tls: Arc<ClientConfig>,
) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(tls).connect(name, stream).await
}

/// Whether the server does not encrypt: it answers in clear text or hangs up.
fn is_clear(error: &io::Error) -> bool {
    let said = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    match said {
        Some(said) => matches!(said, rustls::Error::InvalidMessage(_)),
        None => matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset),
    }
}

/// Nobody answers at this address.
pub(crate) fn unreachable(server: &ServerAddress) -> Failure {
    Failure::Unreachable(format!(
        "The server {server} cannot be reached. Check its address and your network."
    ))
}

/// What stands in the way when a server's certificate is refused, or when it has none although it
/// should, from the cause of an error.
pub(crate) fn distrust(server: &ServerAddress, error: &(dyn std::error::Error + 'static)) -> Option<Failure> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(rustls::Error::InvalidMessage(_)) = error.downcast_ref() {
            return Some(Failure::Broken(format!(
                "What answers at {server} does not encrypt as it should, so nothing was sent there. Check \
                 the address, or ask for a new invitation."
            )));
        }
        if let Some(rustls::Error::InvalidCertificate(why)) = error.downcast_ref() {
            return Some(Failure::Broken(match server.trust {
                Trust::Authorities => format!(
                    "This computer does not trust the certificate of {server} ({why}), so nothing was sent \
                     there."
                ),
                Trust::Plain | Trust::Certificate(_) | Trust::Whoever => format!(
                    "Another computer answers at {server} than the one you were invited to, so nothing was \
                     sent there. Ask for a new invitation."
                ),
            }));
        }
        // An error of the system that carries another one is not asked for that one, but for its source.
        let carried = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = carried.map(|carried| carried as _).or_else(|| error.source());
    }
    None
}

pub(crate) fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    Fingerprint(Sha256::digest(certificate).into())
}

/// What encrypts here cannot be set up.
pub(super) fn unable(error: impl std::fmt::Display) -> Failure {
    Failure::Broken(format!("This computer cannot make encrypted connections: {error}."))
}

/// Believes what the system's authorities have signed for the server's name.
pub(crate) fn authorities() -> Result<Arc<ClientConfig>, rustls::Error> {
    // Reading them all takes some milliseconds.
    static KNOWN: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(known) = KNOWN.get() {
        return Ok(known.clone());
    }
    let verifier = rustls_platform_verifier::Verifier::new(provider())?;
    let read = config(Arc::new(verifier))?;
    Ok(KNOWN.get_or_init(|| read).clone())
}

fn own(belief: Belief) -> Result<Arc<ClientConfig>, rustls::Error> {
    config(Arc::new(Own { belief, provider: provider() }))
}

fn config(verifier: Arc<dyn ServerCertVerifier>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Which of the certificates that nobody has signed are believed.
#[derive(Debug)]
enum Belief {
    Only(Fingerprint),
    /// Any; only to see which it is.
    Whoever,
    /// For connections that are not encrypted.
    Nobody,
}

/// Believes a certificate whatever names and dates stand in it.
#[derive(Debug)]
struct Own {
    belief: Belief,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Own {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let believed = match self.belief {
            Belief::Only(expected) => expected == fingerprint(certificate),
            Belief::Whoever => true,
            Belief::Nobody => false,
        };
        let refusal = CertificateError::ApplicationVerificationFailure;
        if believed { Ok(ServerCertVerified::assertion()) } else { Err(refusal.into()) }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use confab_protocol::server_address;
    use rustls::ServerConfig;
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    const REACH: Duration = Duration::from_secs(5);

    /// A server as somebody types it who cannot know how to recognise it.
    async fn typed() -> (TcpListener, Route) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut address = server_address(Some(&listener.local_addr().unwrap().to_string())).unwrap();
        address.trust = Trust::Whoever;
        (listener, Route::new(address))
    }

    fn certificate() -> (TlsAcceptor, Fingerprint) {
        let made = rcgen::generate_simple_self_signed(vec!["anybody".into()]).unwrap();
        let der = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let seen = fingerprint(&der);
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![der], key)
            .unwrap();
        (TlsAcceptor::from(Arc::new(config)), seen)
    }

    #[tokio::test]
    async fn a_typed_address_is_encrypted_where_the_server_can_and_held_to_what_it_showed() {
        let (listener, route) = typed().await;
        let ((first, seen), (second, _)) = (certificate(), certificate());
        let (host, port) = route.server().endpoint();
        let (host, port) = (host.to_owned(), port);
        let serving = tokio::spawn(async move {
            for acceptor in [&first, &first, &second] {
                let (stream, _) = listener.accept().await.unwrap();
                let _ = acceptor.accept(stream).await;
            }
        });
        let way = route.way(REACH).await.unwrap();
        assert_eq!(
            (way.base.as_str(), route.seen.get()),
            (format!("https://127.0.0.1:{port}").as_str(), Some(&Seen::Certificate(seen)))
        );
        let again = route.way(REACH).await.unwrap();
        let stream = connect(&host, port, REACH).await.unwrap();
        shake(stream, &host, again.tls.clone()).await.unwrap();
        let stream = connect(&host, port, REACH).await.unwrap();
        let error = shake(stream, &host, again.tls).await.unwrap_err();
        let Some(Failure::Broken(sentence)) = distrust(route.server(), &error) else { panic!("{error}") };
        assert!(sentence.starts_with("Another computer answers"), "{sentence}");
        serving.await.unwrap();
    }

    #[tokio::test]
    async fn a_server_in_clear_text_is_taken_as_it_is() {
        for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b""] {
            let (listener, route) = typed().await;
            let serving = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut hello = [0; 4096];
                let _ = stream.read(&mut hello).await.unwrap();
                stream.write_all(answer).await.unwrap();
                stream.shutdown().await.unwrap();
                // Until the other side has read it.
                let _ = stream.read(&mut hello).await;
            });
            assert!(route.way(REACH).await.unwrap().base.starts_with("http://"));
            serving.await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_server_that_takes_the_connection_and_is_silent_is_said_to_be() {
        let (listener, route) = typed().await;
        let way = route.way(Duration::from_millis(200)).await;
        assert!(matches!(way, Err(Failure::Silent(_))), "{way:?}");
        drop(listener);
    }
}
