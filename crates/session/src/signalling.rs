//! How the client talks to a server before and beside the media: the room service by HTTP, then
//! LiveKit's signalling by WebSocket.

mod act;
mod enter;
mod route;
mod service;
mod socket;

pub(crate) use act::{Token, act, change_role};
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
