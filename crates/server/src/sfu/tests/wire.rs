//! What carries a client's datagrams: a UDP socket, or one TCP connection.

use std::io;
use std::net::SocketAddr;

use str0m::Candidate;
use str0m::net::{Protocol, TcpType, Transmit};
use tokio::net::{TcpStream, UdpSocket};

pub(super) enum Wire {
    Udp(UdpSocket),
    Tcp { stream: Option<TcpStream>, local: SocketAddr, server: SocketAddr, held: Vec<u8>, out: Vec<u8> },
}

impl Wire {
    pub(super) async fn udp() -> Wire {
        Wire::Udp(UdpSocket::bind("127.0.0.1:0").await.unwrap())
    }

    pub(super) async fn tcp(server: SocketAddr) -> Wire {
        let stream = TcpStream::connect(server).await.unwrap();
        let local = stream.local_addr().unwrap();
        Wire::Tcp { stream: Some(stream), local, server, held: Vec::new(), out: Vec::new() }
    }

    pub(super) fn local(&self) -> SocketAddr {
        match self {
            Wire::Udp(socket) => socket.local_addr().unwrap(),
            Wire::Tcp { local, .. } => *local,
        }
    }

    pub(super) fn protocol(&self) -> Protocol {
        match self {
            Wire::Udp(_) => Protocol::Udp,
            Wire::Tcp { .. } => Protocol::Tcp,
        }
    }

    pub(super) fn candidate(&self) -> Candidate {
        match self {
            Wire::Udp(_) => Candidate::host(self.local(), "udp").unwrap(),
            Wire::Tcp { local, .. } => {
                Candidate::builder().tcp().host(*local).tcptype(TcpType::Active).build().unwrap()
            }
        }
    }

    /// Sends a datagram if there is room; over TCP it goes to the far end of the connection only.
    pub(super) fn send(&mut self, datagram: &Transmit) {
        match self {
            Wire::Udp(socket) => drop(socket.try_send_to(&datagram.contents, datagram.destination)),
            Wire::Tcp { stream: Some(stream), server, out, .. } if datagram.destination == *server => {
                out.extend(u16::try_from(datagram.contents.len()).unwrap().to_be_bytes());
                out.extend_from_slice(&datagram.contents);
                if let Ok(count) = stream.try_write(out) {
                    out.drain(..count);
                }
            }
            Wire::Tcp { .. } => {}
        }
    }

    /// Waits for one datagram. Nothing is lost when it is dropped.
    pub(super) async fn receive(&mut self, into: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match self {
            Wire::Udp(socket) => socket.recv_from(into).await,
            Wire::Tcp { stream, server, held, .. } => loop {
                if let Some((head, body)) = held.split_first_chunk::<2>() {
                    let length = usize::from(u16::from_be_bytes(*head));
                    if let Some(frame) = body.get(..length) {
                        into[..length].copy_from_slice(frame);
                        held.drain(..2 + length);
                        return Ok((length, *server));
                    }
                }
                let Some(stream) = stream else { std::future::pending().await };
                stream.readable().await?;
                let mut bytes = [0; 4096];
                match stream.try_read(&mut bytes) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(count) => held.extend_from_slice(&bytes[..count]),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            },
        }
    }

    /// Cuts a TCP connection.
    pub(super) fn cut(&mut self) {
        if let Wire::Tcp { stream, .. } = self {
            *stream = None;
        }
    }

    /// The far end has closed a TCP connection.
    pub(super) async fn is_closed(&self) -> bool {
        let Wire::Tcp { stream: Some(stream), .. } = self else { return true };
        let mut bytes = [0; 4096];
        loop {
            if stream.readable().await.is_err() {
                return true;
            }
            match stream.try_read(&mut bytes) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return true,
            }
        }
    }
}
