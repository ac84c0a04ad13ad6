//! Accepts connections and speaks HTTP/1.1 on them, with limits of time; encrypted where a listener
//! has a certificate.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

/// How long a request's head may take, and how long a connection may idle between requests.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// A request line with a client's first offer in its query is some kilobytes long.
const HEAD_LIMIT: usize = 128 * 1024;
/// Pause after a failed accept, which mostly means that no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The answer to somebody who does not encrypt.
const CLEAR: &str = "HTTP/1.1 426 Upgrade Required\r\nUpgrade: TLS/1.2\r\nConnection: close\r\n\
    Content-Type: text/plain\r\nContent-Length: 63\r\n\r\n\
    This server takes encrypted connections only; write https://...";
/// The first byte of every TLS connection: a handshake record.
const HANDSHAKE: u8 = 22;

/// Where connections come in.
pub(crate) struct Listener {
    pub(crate) tcp: TcpListener,
    /// Takes encrypted connections only.
    pub(crate) tls: Option<TlsAcceptor>,
}

/// A connection that is encrypted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Encrypted;

/// Accepts until `stop`; then no new connection comes in and open ones finish their request.
/// Upgraded connections belong to whoever upgraded them.
pub(crate) async fn serve(
    listener: Listener,
    router: Router,
    stop: CancellationToken,
    connections: TaskTracker,
) {
    let Listener { tcp, tls } = listener;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = tcp.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(connection(stream, peer, tls.clone(), router.clone(), stop.clone()));
            }
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    stop: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%peer, %error, "TCP_NODELAY refused");
    }
    let Some(tls) = tls else { return exchange(stream, false, peer, router, stop).await };
    let secured = tokio::select! {
        secured = tokio::time::timeout(HEAD_PATIENCE, secure(stream, &tls)) => secured,
        () = stop.cancelled() => return,
    };
    match secured {
        Ok(Ok(stream)) => exchange(stream, true, peer, router, stop).await,
        Ok(Err(error)) => debug!(%peer, %error, "connection refused"),
        Err(_) => debug!(%peer, "connection refused: silent"),
    }
}

async fn secure(mut stream: TcpStream, tls: &TlsAcceptor) -> io::Result<TlsStream<TcpStream>> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    if first == [HANDSHAKE] {
        return tls.accept(stream).await;
    }
    // A connection that is closed over unread bytes is reset, and its answer lost.
    let mut sent = [0; 4096];
    let _ = stream.read(&mut sent).await?;
    stream.write_all(CLEAR.as_bytes()).await?;
    stream.shutdown().await?;
    Err(io::Error::other("not encrypted"))
}

/// Answers requests until the connection ends.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    encrypted: bool,
    peer: SocketAddr,
    router: Router,
    stop: CancellationToken,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        if let Some(uri) = collapsed(request.uri()) {
            *request.uri_mut() = uri;
        }
        request.extensions_mut().insert(ConnectInfo(peer));
        if encrypted {
            request.extensions_mut().insert(Encrypted);
        }
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.as_mut().await
        }
    };
    if let Err(error) = ended {
        debug!(%peer, %error, "connection ended");
    }
}

/// The address with every run of slashes in its path made one, where there is such a run: a
/// client told `http://host/` asks for `//rtc`.
fn collapsed(uri: &Uri) -> Option<Uri> {
    if !uri.path().contains("//") {
        return None;
    }
    let mut path = String::with_capacity(uri.path().len());
    for letter in uri.path().chars() {
        if letter != '/' || !path.ends_with('/') {
            path.push(letter);
        }
    }
    if let Some(query) = uri.query() {
        path.push('?');
        path.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_slashes_become_one_and_the_query_stays() {
        let collapse = |uri: &'static str| collapsed(&Uri::from_static(uri)).map(|uri| uri.to_string());
        assert_eq!(collapse("//rtc?a=//b"), Some("/rtc?a=//b".to_owned()));
        assert_eq!(collapse("/v1///enter"), Some("/v1/enter".to_owned()));
        assert_eq!(collapse("/rtc?a=//b"), None);
    }
}
