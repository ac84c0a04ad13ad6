//! Routers made of software.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
/// How often a router looks whether it is to end.
const LOOK: Duration = Duration::from_millis(20);

/// A port that was asked for, or given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) tcp: bool,
    /// The port that the protocol names when it is given back.
    pub(super) key: u16,
    pub(super) close: bool,
}

/// What routers have in common: what was asked, and their threads.
#[derive(Default)]
struct Inside {
    asked: Arc<(Mutex<Vec<Asked>>, Condvar)>,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Inside {
    fn spawn(&mut self, run: impl FnOnce(&dyn Fn(Asked), &AtomicBool) + Send + 'static) {
        let (asked, over) = (Arc::clone(&self.asked), Arc::clone(&self.over));
        let note = move |what| {
            asked.0.lock().unwrap().push(what);
            asked.1.notify_all();
        };
        self.threads.push(std::thread::spawn(move || run(&note, &over)));
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.0.lock().unwrap().clone()
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

/// A router that speaks NAT-PMP, after some nonsense.
pub(super) struct Pmp {
    pub(super) address: SocketAddr,
    inside: Inside,
}

impl Pmp {
    /// One whose address outside is that, and which refuses ports with that number.
    pub(super) fn start(outside: Ipv4Addr, refusal: Option<u16>) -> Pmp {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        socket.set_read_timeout(Some(LOOK)).unwrap();
        let mut inside = Inside::default();
        inside.spawn(move |note, over| {
            let mut question = [0; 64];
            while !over.load(Ordering::Relaxed) {
                let Ok((count, from)) = socket.recv_from(&mut question) else { continue };
                let answer = match question[..count] {
                    [0, 0] => [&[0, 128, 0, 0, 0, 0, 0, 1][..], &outside.octets()].concat(),
                    [0, kind @ 1..=2, _, _, i, n, _, _, ref lease @ ..] => {
                        let close = lease == [0; 4];
                        note(Asked { tcp: kind == 2, key: u16::from_be_bytes([i, n]), close });
                        let [high, low] = refusal.unwrap_or(0).to_be_bytes();
                        let external = external(u16::from_be_bytes([i, n])).to_be_bytes();
                        [&[0, kind + 128, high, low, 0, 0, 0, 1, i, n][..], &external, lease].concat()
                    }
                    _ => continue,
                };
                for nonsense in [&b""[..], &[0, 129], &[9; 16], &[0, 128, 0]] {
                    socket.send_to(nonsense, from).unwrap();
                }
                socket.send_to(&answer, from).unwrap();
            }
        });
        Pmp { address, inside }
    }

    /// The port that it gives for one of ours.
    pub(super) fn external(&self, internal: u16) -> u16 {
        external(internal)
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.inside.asked()
    }

    pub(super) fn until(&self, done: impl Fn(&[Asked]) -> bool) {
        let (asked, noted) = &*self.inside.asked;
        let waited = noted.wait_timeout_while(asked.lock().unwrap(), PATIENCE, |asked| !done(asked)).unwrap();
        assert!(!waited.1.timed_out(), "{:?}", waited.0);
    }
}

fn external(internal: u16) -> u16 {
    internal ^ 1
}

/// A router that speaks UPnP.
pub(super) struct Upnp {
    /// Where it is searched.
    pub(super) address: SocketAddr,
    /// Where it has its pages.
    pub(super) http: SocketAddr,
    inside: Inside,
}

impl Upnp {
    /// One that gives that for its address outside, and which refuses ports so.
    pub(super) fn start(outside: &str, refusal: Option<(u16, &'static str)>) -> Upnp {
        let (socket, listener) =
            (UdpSocket::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let (address, http) = (socket.local_addr().unwrap(), listener.local_addr().unwrap());
        socket.set_read_timeout(Some(LOOK)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (mut inside, outside) = (Inside::default(), outside.to_owned());
        inside.spawn(move |_, over| {
            let mut question = [0; 2048];
            while !over.load(Ordering::Relaxed) {
                let Ok((count, from)) = socket.recv_from(&mut question) else { continue };
                assert!(question[..count].starts_with(b"M-SEARCH * HTTP/1.1\r\n"));
                // Another computer of the network points at somebody else first.
                for location in ["http://127.0.0.3:1/root.xml".to_owned(), format!("http://{http}/root.xml")]
                {
                    let answer = format!("HTTP/1.1 200 OK\r\nLOCATION: {location}\r\nST: x\r\n\r\n");
                    socket.send_to(answer.as_bytes(), from).unwrap();
                }
            }
        });
        inside.spawn(move |note, over| {
            while !over.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => answer(stream, &outside, refusal, note),
                    Err(_) => std::thread::sleep(LOOK),
                }
            }
        });
        Upnp { address, http, inside }
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.inside.asked()
    }
}

fn answer(mut stream: TcpStream, outside: &str, refusal: Option<(u16, &str)>, note: &dyn Fn(Asked)) {
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    let question = loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text.starts_with("GET") && text.contains("\r\n\r\n") || text.contains("</s:Envelope>") {
            break text;
        }
        match stream.read(&mut part) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&part[..count]),
            _ => break text,
        }
    };
    let (status, body) = reply(&question, outside, refusal, note);
    // Whoever asked may have gone.
    let _ = write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n\r\n{body}");
}

fn reply(
    question: &str,
    outside: &str,
    refusal: Option<(u16, &str)>,
    note: &dyn Fn(Asked),
) -> (&'static str, String) {
    let field = |name: &str| {
        let (_, behind) = question.split_once(&format!("<{name}>")).unwrap();
        behind.split_once('<').unwrap().0.to_owned()
    };
    let asked = |close| Asked {
        tcp: field("NewProtocol") == "TCP",
        key: field("NewExternalPort").parse().unwrap(),
        close,
    };
    let kind = "urn:schemas-upnp-org:service:WANIPConnection:1";
    if question.starts_with("GET /root.xml ") {
        let service =
            format!("<service><serviceType>{kind}</serviceType><controlURL>/ctl</controlURL></service>");
        return ("200 OK", format!("<root><serviceList>{service}</serviceList></root>"));
    }
    if question.contains("#GetExternalIPAddress\"") {
        return ("200 OK", format!("<NewExternalIPAddress>{outside}</NewExternalIPAddress>"));
    }
    if question.contains("#DeletePortMapping\"") {
        note(asked(true));
        return ("200 OK", String::new());
    }
    if !question.contains("#AddPortMapping\"") {
        return ("400 Bad Request", String::new());
    }
    // Like many, it keeps ports open for ever only.
    let refusal = match refusal {
        None if field("NewLeaseDuration") != "0" => Some((725, "OnlyPermanentLeasesSupported")),
        other => other,
    };
    match refusal {
        Some((code, words)) => {
            let detail = format!("<errorCode>{code}</errorCode><errorDescription>{words}</errorDescription>");
            ("500 Internal Server Error", detail)
        }
        None => {
            note(asked(false));
            ("200 OK", String::new())
        }
    }
}
