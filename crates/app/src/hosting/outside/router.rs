//! The router between this computer and the internet, by whichever way it can be asked.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::http;
use super::pmp::{self, Granted, Wanted};
use super::rule::Obstacle;
use super::upnp::{self, Refusal, Service};

/// How long each question waits for its answer before it is asked again (RFC 6886, 3.1).
const PAUSES: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_millis(1000)];
/// How long routers are searched, and how often the question is repeated, because it may be lost.
const SEARCH: Duration = Duration::from_millis(1800);
const AGAIN: Duration = Duration::from_millis(600);
/// Answers looked at in one search; one network has few routers.
const ANSWERS: usize = 16;
/// Ports tried where another computer has the one that is best.
const PORTS: usize = 4;

type Guess = dyn Fn(Ipv4Addr) -> Vec<SocketAddrV4> + Send + Sync;
type Reach = dyn Fn(SocketAddrV4) -> SocketAddrV4 + Send + Sync;

/// Where routers are looked for.
#[derive(Clone)]
pub(crate) struct Routers {
    /// Where the search of UPnP goes.
    pub(crate) search: SocketAddrV4,
    /// Who may speak NAT-PMP, of the network in which this computer has that address.
    pub(crate) pmp: Arc<Guess>,
    /// Where an address outside is reached from here: at itself, but in tests.
    pub(crate) reach: Arc<Reach>,
}

impl Routers {
    /// Those of the networks of this computer.
    pub(crate) fn of_this_computer() -> Self {
        Self { search: upnp::SEARCH, pmp: Arc::new(gateways), reach: Arc::new(|address| address) }
    }
}

impl std::fmt::Debug for Routers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Routers").field("search", &self.search).finish_non_exhaustive()
    }
}

/// Who may be the router of a network: what Linux says, and the first and the last address of the network,
/// one of which nearly every router has. Who is none does not answer.
fn gateways(local: Ipv4Addr) -> Vec<SocketAddrV4> {
    let told = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    let masks =
        if_addrs::get_if_addrs().unwrap_or_default().into_iter().filter_map(|found| match found.addr {
            if_addrs::IfAddr::V4(v4) if v4.ip == local => Some(v4.netmask),
            if_addrs::IfAddr::V4(_) | if_addrs::IfAddr::V6(_) => None,
        });
    let mut guesses: Vec<Ipv4Addr> = told.lines().filter_map(default_route).collect();
    for mask in masks {
        let (ip, mask) = (u32::from(local), u32::from(mask));
        guesses.extend([(ip & mask) | 1, (ip | !mask) & !1].map(Ipv4Addr::from));
    }
    guesses.retain(|guess| *guess != local && !guess.is_unspecified());
    guesses.dedup();
    guesses.into_iter().map(|guess| SocketAddrV4::new(guess, pmp::PORT)).collect()
}

/// The gateway in a line of Linux's table of routes, where it is that of a default route.
fn default_route(line: &str) -> Option<Ipv4Addr> {
    let mut words = line.split_whitespace().skip(1);
    let (to, by) = (words.next()?, words.next()?);
    let number = u32::from_str_radix(by, 16).ok()?;
    (to == "00000000").then(|| Ipv4Addr::from(number.to_ne_bytes()))
}

/// A router that has answered.
#[derive(Debug)]
pub(super) enum Router {
    /// It speaks NAT-PMP on this socket.
    Pmp(UdpSocket),
    /// It speaks UPnP, with a computer at that address.
    Upnp { service: Service, local: Ipv4Addr },
}

impl Router {
    /// Looks for the router of the network in which this computer has that address; at most 4 s.
    pub(super) fn find(routers: &Routers, local: Ipv4Addr) -> Option<Router> {
        let found = by_pmp(&(routers.pmp)(local), local).unwrap_or_else(|error| {
            tracing::debug!(%error, "routers cannot be asked by NAT-PMP");
            None
        });
        found.or_else(|| {
            by_upnp(routers.search, local).unwrap_or_else(|error| {
                tracing::debug!(%error, "routers cannot be searched by UPnP");
                None
            })
        })
    }

    /// The address of the router on the internet.
    pub(super) fn address(&self) -> Result<Ipv4Addr, Obstacle> {
        match self {
            Router::Pmp(socket) => ask(socket, &pmp::address_question(), pmp::address_answer)
                .ok_or(Obstacle::NoRouter)?
                .map_err(|_| Obstacle::NoAddress),
            Router::Upnp { service, .. } => {
                let body = call(service, &upnp::address_question())?.map_err(|_| Obstacle::NoAddress)?;
                upnp::address_answer(&body).ok_or(Obstacle::NoAddress)
            }
        }
    }

    /// Opens a port, or keeps it open.
    pub(super) fn open(&self, wanted: Wanted) -> Result<Granted, Obstacle> {
        match self {
            Router::Pmp(socket) => {
                let answer =
                    ask(socket, &pmp::port_question(wanted), |bytes| pmp::port_answer(bytes, wanted));
                answer.ok_or(Obstacle::NoRouter)?.map_err(|code| Obstacle::Refused(format!("NAT-PMP {code}")))
            }
            Router::Upnp { service, local } => open_by_upnp(service, *local, wanted),
        }
    }

    /// Closes a port again. Who does not answer forgets it in an hour.
    pub(super) fn close(&self, tcp: bool, internal: u16, external: u16) {
        match self {
            Router::Pmp(socket) => {
                // All zero takes it back; the answer would change nothing.
                let wanted = Wanted { tcp, internal, external: 0, lease: Duration::ZERO };
                let _ = socket.send(&pmp::port_question(wanted));
            }
            Router::Upnp { service, .. } => {
                if let Err(obstacle) = call(service, &upnp::return_question(tcp, external)) {
                    tracing::debug!(%obstacle, external, "a port was not given back");
                }
            }
        }
    }
}

fn by_pmp(guesses: &[SocketAddrV4], local: Ipv4Addr) -> io::Result<Option<Router>> {
    let socket = UdpSocket::bind((local, 0))?;
    for pause in PAUSES {
        for guess in guesses {
            // Who is not there is none.
            let _ = socket.send_to(&pmp::address_question(), guess);
        }
        let answered = wait(&socket, pause, |bytes, from| {
            let known = guesses.iter().any(|guess| SocketAddr::V4(*guess) == from);
            (known && pmp::address_answer(bytes)?.is_ok()).then_some(from)
        });
        if let Some(router) = answered {
            socket.connect(router)?;
            return Ok(Some(Router::Pmp(socket)));
        }
        if guesses.is_empty() {
            break;
        }
    }
    Ok(None)
}

fn by_upnp(search: SocketAddrV4, local: Ipv4Addr) -> io::Result<Option<Router>> {
    let socket = UdpSocket::bind((local, 0))?;
    let end = Instant::now() + SEARCH;
    let mut left = ANSWERS;
    while left > 0 && Instant::now() < end {
        socket.send_to(upnp::search().as_bytes(), search)?;
        let again = AGAIN.min(end.saturating_duration_since(Instant::now()));
        let place = wait(&socket, again, |bytes, from| match from {
            SocketAddr::V4(from) => upnp::found(bytes, *from.ip()),
            SocketAddr::V6(_) => None,
        });
        let Some(place) = place else { continue };
        left -= 1;
        let Ok(page) = http::get(&place) else { continue };
        if let Some(service) = upnp::service(&page.body, &place) {
            return Ok(Some(Router::Upnp { service, local }));
        }
    }
    Ok(None)
}

fn open_by_upnp(service: &Service, local: Ipv4Addr, mut wanted: Wanted) -> Result<Granted, Obstacle> {
    for _ in 0..PORTS {
        match call(service, &upnp::port_question(wanted, local))? {
            Ok(_) => return Ok(Granted { external: wanted.external, lease: wanted.lease }),
            Err(Refusal { code: upnp::ONLY_PERMANENT, .. }) if !wanted.lease.is_zero() => {
                wanted.lease = Duration::ZERO;
            }
            Err(Refusal { code: upnp::CONFLICT, .. }) => wanted.external = rand::random_range(20_000..60_000),
            Err(refusal) => return Err(Obstacle::Refused(refusal.words)),
        }
    }
    Err(Obstacle::Refused("other computers have the ports".to_owned()))
}

/// One action of a service: its answer, or why it refuses.
fn call(service: &Service, question: &(&'static str, String)) -> Result<Result<String, Refusal>, Obstacle> {
    let reply = http::post(&service.place, &upnp::envelope(service, question)).map_err(|error| {
        tracing::debug!(%error, "the router does not answer");
        Obstacle::NoRouter
    })?;
    Ok(if reply.status == 200 { Ok(reply.body) } else { Err(upnp::refusal(&reply.body)) })
}

/// Asks the router that the socket is connected with, three times at most.
fn ask<T>(socket: &UdpSocket, question: &[u8], read: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
    PAUSES.iter().find_map(|pause| {
        // Who is not there any more is told so by the next answer, or by none.
        let _ = socket.send(question);
        wait(socket, *pause, |bytes, _| read(bytes))
    })
}

/// The first datagram within that time of which `read` makes something.
fn wait<T>(socket: &UdpSocket, time: Duration, read: impl Fn(&[u8], SocketAddr) -> Option<T>) -> Option<T> {
    let end = Instant::now() + time;
    let mut buffer = [0; 2048];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || socket.set_read_timeout(Some(left)).is_err() {
            return None;
        }
        match socket.recv_from(&mut buffer) {
            Ok((count, from)) => {
                if let Some(found) = read(buffer.get(..count).unwrap_or_default(), from) {
                    return Some(found);
                }
            }
            // Nobody is there; it may still come to life while others are waited for.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_out_is_read_from_the_table_of_routes() {
        let bytes = u32::from_ne_bytes([192, 168, 1, 1]);
        let line = format!("eth0\t00000000\t{bytes:08X}\t0003\t0\t0\t0\t00000000\t0\t0\t0");
        assert_eq!(default_route(&line), Some(Ipv4Addr::new(192, 168, 1, 1)));
        for other in ["Iface Destination Gateway", "eth0 0001A8C0 00000000", "eth0", "", "eth0 00000000 xyz"]
        {
            assert_eq!(default_route(other), None, "{other}");
        }
    }
}
