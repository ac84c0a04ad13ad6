//! A network that loses packets between people and a server.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;

/// The near end has another address of this computer than the server, and the same port: a server
/// advertises addresses, not ports.
const NEAR: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const FAR: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// A wire to a server's media on which packets are lost, at first none.
#[derive(Debug)]
pub struct Lossy {
    port: u16,
    losses: Arc<Losses>,
    tasks: JoinSet<()>,
}

/// Which share is lost of the connections from a certain one on, in thousandths.
#[derive(Debug, Default)]
struct Losses {
    connections: AtomicU32,
    from: AtomicU32,
    up: AtomicU32,
    down: AtomicU32,
}

impl Lossy {
    /// A wire whose server is still to be started.
    pub async fn open() -> Lossy {
        let near = UdpSocket::bind(SocketAddrV4::new(NEAR, 0)).await.unwrap();
        let port = near.local_addr().unwrap().port();
        let losses = Arc::new(Losses::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(carry(Arc::new(near), SocketAddrV4::new(FAR, port).into(), losses.clone()));
        Lossy { port, losses, tasks }
    }

    /// Lets connections to the server through, whatever becomes of datagrams.
    pub async fn carry_connections(&mut self) {
        let near = TcpListener::bind(SocketAddrV4::new(NEAR, self.port)).await.unwrap();
        let far = SocketAddrV4::new(FAR, self.port);
        self.tasks.spawn(async move {
            let mut carried = JoinSet::new();
            while let Ok((mut one, _)) = near.accept().await {
                carried.spawn(async move {
                    let Ok(mut other) = TcpStream::connect(far).await else { return };
                    // Whichever end closes ends it.
                    let _ = tokio::io::copy_bidirectional(&mut one, &mut other).await;
                });
            }
        });
    }

    /// Where the server's media is to listen.
    pub fn media(&self) -> SocketAddr {
        SocketAddrV4::new(FAR, self.port).into()
    }

    /// The address that the server is to advertise.
    pub fn advertise(&self) -> std::net::IpAddr {
        NEAR.into()
    }

    /// Who connects from now on is the one to whom packets are lost.
    pub fn mark(&self) {
        self.losses.from.store(self.losses.connections.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// From now on loses these shares of what the marked one sends and receives, 0.0 to 1.0.
    pub fn lose(&self, up: f64, down: f64) {
        self.losses.up.store((up * 1000.0) as u32, Ordering::Relaxed);
        self.losses.down.store((down * 1000.0) as u32, Ordering::Relaxed);
    }
}

/// Gives each connection a socket of its own, so that the server can tell them apart.
async fn carry(near: Arc<UdpSocket>, far: SocketAddr, losses: Arc<Losses>) {
    let mut connections: HashMap<SocketAddr, (Arc<UdpSocket>, Lottery)> = HashMap::new();
    let mut backwards = JoinSet::new();
    let mut packet = vec![0; 2048];
    while let Ok((length, from)) = near.recv_from(&mut packet).await {
        let (socket, lottery) = match connections.entry(from) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let number = losses.connections.fetch_add(1, Ordering::Relaxed);
                let socket = UdpSocket::bind(SocketAddrV4::new(FAR, 0)).await.unwrap();
                socket.connect(far).await.unwrap();
                let socket = Arc::new(socket);
                let lottery = Lottery::new(number);
                backwards.spawn(back(socket.clone(), near.clone(), from, lottery, losses.clone()));
                new.insert((socket, Lottery::new(number)))
            }
        };
        if !lottery.loses(&losses, &losses.up) {
            // Nobody listens yet, or any more.
            let _ = socket.send(&packet[..length]).await;
        }
    }
}

async fn back(
    socket: Arc<UdpSocket>,
    near: Arc<UdpSocket>,
    to: SocketAddr,
    mut lottery: Lottery,
    losses: Arc<Losses>,
) {
    let mut packet = vec![0; 2048];
    loop {
        // An error is an ICMP answer to an earlier packet.
        let Ok(length) = socket.recv(&mut packet).await else { continue };
        if !lottery.loses(&losses, &losses.down) {
            let _ = near.send_to(&packet[..length], to).await;
        }
    }
}

/// Chooses packets the same way every time.
struct Lottery {
    connection: u32,
    state: u32,
}

impl Lottery {
    fn new(connection: u32) -> Self {
        Self { connection, state: 1 }
    }

    fn loses(&mut self, losses: &Losses, share: &AtomicU32) -> bool {
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let drawn = (self.state >> 16) % 1000;
        self.connection >= losses.from.load(Ordering::Relaxed) && drawn < share.load(Ordering::Relaxed)
    }
}
