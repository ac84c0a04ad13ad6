//! A handshake in clear that takes DTLS's place: the same four flights, sent again after a
//! client's pauses, without a key exchange. It costs nothing, and draws no numbers that no seed fixes. Real
//! DTLS runs wherever real sockets do.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Once;
use std::time::{Duration, Instant};
use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, KeyingMaterial,
    ProtocolVersion, SrtpProfile,
};
use str0m::crypto::{CryptoError, CryptoProvider, from_feature_flags};

/// The first byte of each datagram is one of DTLS's content types (RFC 7983).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;
/// The pause before a flight is sent again; each further one is twice as long (RFC 6347).
const AGAIN: Duration = Duration::from_secs(1);
/// Two master keys and two salts of SRTP.
const KEYS: usize = 60;

thread_local! {
    /// The next certificate's number.
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

/// Makes every connection of this process shake hands in clear. The certificates of this thread are
/// counted anew: one world at a time runs on it.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        CryptoProvider { dtls_provider: &Clear, ..from_feature_flags() }.install_process_default();
    });
    NEXT.set(0);
}

#[derive(Debug)]
struct Clear;

impl DtlsProvider for Clear {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        let number = NEXT.replace(NEXT.get() + 1);
        let certificate = number.to_be_bytes().to_vec();
        Some(DtlsCert { certificate, private_key: Vec::new() })
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        _version: DtlsVersion,
        _mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        Ok(Box::new(Handshake::new(cert.certificate.clone(), now)))
    }
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flight {
    Hello = 1,
    HelloBack = 2,
    Finish = 3,
    FinishBack = 4,
}

#[derive(Debug)]
enum Waiting {
    Packet(Vec<u8>),
    Cert(Vec<u8>),
    Connected,
    Keys,
    Data(Vec<u8>),
    Closed,
}

#[derive(Debug)]
struct Handshake {
    certificate: Vec<u8>,
    theirs: Option<Vec<u8>>,
    active: bool,
    now: Instant,
    /// The flight that waits for its answer, when it is sent again, and the pause after that.
    sent: Option<(Flight, Instant, Duration)>,
    connected: bool,
    closed: bool,
    waiting: VecDeque<Waiting>,
}

impl Handshake {
    fn new(certificate: Vec<u8>, now: Instant) -> Handshake {
        Handshake {
            certificate,
            theirs: None,
            active: false,
            now,
            sent: None,
            connected: false,
            closed: false,
            waiting: VecDeque::new(),
        }
    }

    fn send(&mut self, flight: Flight) {
        let mut packet = vec![HANDSHAKE, flight as u8];
        packet.extend_from_slice(&self.certificate);
        self.waiting.push_back(Waiting::Packet(packet));
    }

    fn begin(&mut self, flight: Flight) {
        self.send(flight);
        self.sent = Some((flight, self.now + AGAIN, AGAIN * 2));
    }

    fn learn(&mut self, certificate: &[u8]) {
        if self.theirs.is_none() {
            self.theirs = Some(certificate.to_vec());
            self.waiting.push_back(Waiting::Cert(certificate.to_vec()));
        }
    }

    fn connect(&mut self) {
        self.sent = None;
        if !std::mem::replace(&mut self.connected, true) {
            self.waiting.extend([Waiting::Connected, Waiting::Keys]);
        }
    }

    /// Keys that both sides know and no other connection has.
    fn keys(&self) -> KeyingMaterial {
        let theirs = self.theirs.as_deref().unwrap_or_default();
        let (client, server) =
            if self.active { (&*self.certificate, theirs) } else { (theirs, &*self.certificate) };
        let both: Vec<u8> = client.iter().chain(server).copied().collect();
        let keys: Vec<u8> = both.iter().cycle().take(KEYS).copied().collect();
        KeyingMaterial::new(&keys)
    }
}

impl DtlsInstance for Handshake {
    fn set_active(&mut self, active: bool) {
        self.active = active;
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        match packet {
            [HANDSHAKE, flight, certificate @ ..] if !self.closed => {
                let waits_for = self.sent.map(|(flight, ..)| flight);
                match (self.active, *flight) {
                    (false, 1) => self.send(Flight::HelloBack),
                    (true, 2) if waits_for == Some(Flight::Hello) => {
                        self.learn(certificate);
                        self.begin(Flight::Finish);
                    }
                    (false, 3) => {
                        self.learn(certificate);
                        self.send(Flight::FinishBack);
                        self.connect();
                    }
                    (true, 4) if waits_for == Some(Flight::Finish) => self.connect(),
                    _ => {}
                }
            }
            [DATA, data @ ..] if self.connected => self.waiting.push_back(Waiting::Data(data.to_vec())),
            [ALERT, ..] if self.connected && !self.closed => {
                self.closed = true;
                self.waiting.push_back(Waiting::Closed);
            }
            _ => {}
        }
        Ok(())
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        let mut fill = |bytes: Vec<u8>| {
            buf[..bytes.len()].copy_from_slice(&bytes);
            bytes.len()
        };
        let Some(waiting) = self.waiting.pop_front() else {
            let never = self.now + Duration::from_secs(24 * 3600);
            return DtlsOutput::Timeout(self.sent.map_or(never, |(_, at, _)| at));
        };
        match waiting {
            Waiting::Packet(bytes) => {
                let length = fill(bytes);
                DtlsOutput::Packet(&buf[..length])
            }
            Waiting::Cert(bytes) => {
                let length = fill(bytes);
                DtlsOutput::PeerCert(&buf[..length])
            }
            Waiting::Data(bytes) => {
                let length = fill(bytes);
                DtlsOutput::ApplicationData(&buf[..length])
            }
            Waiting::Connected => DtlsOutput::Connected,
            Waiting::Keys => DtlsOutput::KeyingMaterial(self.keys(), SrtpProfile::AES128_CM_SHA1_80),
            Waiting::Closed => DtlsOutput::CloseNotify,
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.now = now;
        if self.active && self.sent.is_none() && !self.connected && !self.closed {
            self.begin(Flight::Hello);
        }
        if let Some((flight, at, pause)) = self.sent
            && now >= at
        {
            self.send(flight);
            self.sent = Some((flight, now + pause, pause * 2));
        }
        Ok(())
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        if !self.connected || self.closed {
            return Ok(0);
        }
        let mut packet = vec![DATA];
        packet.extend_from_slice(data);
        self.waiting.push_back(Waiting::Packet(packet));
        Ok(data.len())
    }

    fn is_active(&self) -> bool {
        self.active
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.connected.then_some(ProtocolVersion::DTLS1_2)
    }

    fn is_closing(&self) -> bool {
        self.closed
    }

    fn is_closed(&self) -> bool {
        self.closed && self.waiting.is_empty()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        if self.connected && !std::mem::replace(&mut self.closed, true) {
            self.waiting.push_back(Waiting::Packet(vec![ALERT]));
        }
        Ok(())
    }
}
