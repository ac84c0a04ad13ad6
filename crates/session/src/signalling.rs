//! How the client talks to a server before and beside the media: the room service by HTTP, then
//! LiveKit's signalling by WebSocket.

mod act;
mod enter;
mod route;
mod service;
mod socket;

pub(crate) use act::{Token, act, change_role, invite};
pub(crate) use enter::{Admission, Answered, ask};
pub(crate) use route::{Route, unreachable};
pub(crate) use socket::{Heard, Socket};

/// An address of this computer where no connection is accepted: the queue of the listener, which is
/// held with it, is full, and the system is silent to whoever comes now.
#[cfg(test)]
async fn deaf() -> (std::net::SocketAddr, impl Sized) {
    use std::time::Duration;
    use tokio::net::{TcpSocket, TcpStream};

    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    let patience = Duration::from_millis(200);
    while let Ok(Ok(stream)) = tokio::time::timeout(patience, TcpStream::connect(address)).await {
        queued.push(stream);
    }
    (address, (listener, queued))
}

/// A server that answers the first request with these bytes.
#[cfg(test)]
async fn answering(body: &'static str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await.unwrap();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
    });
    format!("http://{address}")
}
