//! DTLS of every connection: impatient with lost flights, and deaf to late copies of an SCTP INIT.
//!
//! By its defaults the stack sends a flight again after one, three and seven seconds, and answers a
//! repeated flight of the client's no more often. Clients give up after eight: at a tenth of the packets
//! lost, one handshake in a thousand failed, and one in twenty took more than two seconds.
//!
//! A client sends its INIT again when the answer takes its time, and a network may hold a copy back
//! until the association is up. It means nothing then (RFC 9260, section 5.2.2 only has it answered),
//! but the SCTP stack gives the whole connection up for it. Only DTLS sees it in clear before SCTP
//! does, so this stands between the two.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
};
use str0m::crypto::{CryptoError, CryptoProvider, from_feature_flags};

/// Bytes before the first chunk of an SCTP packet.
const HEADER: usize = 12;
/// Chunk types of RFC 9260, section 3.2.
const INIT: u8 = 1;
const COOKIE_ECHO: u8 = 10;
/// Pause before a flight is sent again; it doubles each time, for 25 s in all. RFC 9147, section 5.8.2
/// allows less than a second where lost media is worse than a spare datagram.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const REPEATS: usize = 8;

/// The cryptography of every connection: the process's own, or ours where it has none, with its DTLS watched.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    let made = PROVIDER.get_or_init(|| {
        let own = CryptoProvider::get_default().cloned();
        let plain =
            own.unwrap_or_else(|| CryptoProvider { dtls_provider: &Impatient, ..from_feature_flags() });
        let watched = Box::leak(Box::new(Watched(plain.dtls_provider)));
        Arc::new(CryptoProvider { dtls_provider: watched, ..plain })
    });
    Arc::clone(made)
}

#[derive(Debug)]
struct Watched(&'static dyn DtlsProvider);

impl DtlsProvider for Watched {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        self.0.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let plain = self.0.new_dtls(cert, now, version, mtu)?;
        Ok(Box::new(Watch { plain, copies: Copies::default() }))
    }

    fn is_test(&self) -> bool {
        self.0.is_test()
    }
}

#[derive(Debug)]
struct Impatient;

impl DtlsProvider for Impatient {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        dimpl::certificate::generate_self_signed_certificate().ok()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        // ICE has seen that the client is where it says it is: no cookie is needed.
        let mut config = dimpl::Config::builder()
            .use_server_cookie(false)
            .flight_start_rto(FIRST_PAUSE)
            .flight_retries(REPEATS);
        if let Some(mtu) = mtu {
            config = config.mtu(mtu);
        }
        let config = config.build().map_err(|error| CryptoError::Other(format!("DTLS: {error}")))?;
        let (config, cert) = (Arc::new(config), cert.clone());
        let plain = match version {
            DtlsVersion::Dtls12 => dimpl::Dtls::new_12(config, cert, now),
            DtlsVersion::Dtls13 => dimpl::Dtls::new_13(config, cert, now),
            DtlsVersion::Auto => dimpl::Dtls::new_auto(config, cert, now),
            other => return Err(CryptoError::Other(format!("{other} is not known here"))),
        };
        Ok(Box::new(Timed { plain }))
    }
}

/// Tells late copies from what has to be heard.
#[derive(Debug, Default)]
struct Copies {
    /// The initiate tag of the newest INIT that was heard.
    tag: Option<[u8; 4]>,
    /// A cookie came back: that INIT has done its work.
    done: bool,
}

impl Copies {
    /// Takes one SCTP packet; true when it is to be dropped.
    fn is_late(&mut self, packet: &[u8]) -> bool {
        // An INIT is alone in its packet; a COOKIE ECHO is the first chunk of its own.
        match packet.get(HEADER..) {
            Some([INIT, _, _, _, a, b, c, d, ..]) => {
                let tag = [*a, *b, *c, *d];
                let same = self.tag.replace(tag) == Some(tag);
                self.done &= same;
                self.done
            }
            Some([COOKIE_ECHO, ..]) => {
                self.done = self.tag.is_some();
                false
            }
            _ => false,
        }
    }
}

/// Hands everything on to `plain`, but for its output, which goes through `poll`.
macro_rules! hands_on {
    ($instance:ty) => {
        impl DtlsInstance for $instance {
            fn set_active(&mut self, active: bool) {
                self.plain.set_active(active);
            }

            fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
                self.plain.handle_packet(packet)
            }

            fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
                self.poll(buf)
            }

            fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
                self.plain.handle_timeout(now)
            }

            fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
                self.plain.send_application_data(data)
            }

            fn is_active(&self) -> bool {
                self.plain.is_active()
            }

            fn protocol_version(&self) -> Option<ProtocolVersion> {
                self.plain.protocol_version()
            }

            fn is_closing(&self) -> bool {
                self.plain.is_closing()
            }

            fn is_closed(&self) -> bool {
                self.plain.is_closed()
            }

            fn close(&mut self) -> Result<(), DtlsImplError> {
                self.plain.close()
            }
        }
    };
}

/// DTLS with our pauses.
struct Timed {
    plain: dimpl::Dtls,
}

hands_on!(Timed);

impl Timed {
    fn poll<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        self.plain.poll_output(buf)
    }
}

impl fmt::Debug for Timed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timed")
    }
}

#[derive(Debug)]
struct Watch {
    plain: Box<dyn DtlsInstance>,
    copies: Copies,
}

hands_on!(Watch);

impl Watch {
    fn poll<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.plain.poll_output(buf);
        if let DtlsOutput::ApplicationData(packet) = &output
            && self.copies.is_late(packet)
        {
            tracing::debug!("a late copy of an SCTP INIT is dropped");
            // SCTP passes over what is too short for a packet.
            return DtlsOutput::ApplicationData(&[]);
        }
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(chunk: u8, tag: u32) -> Vec<u8> {
        let mut packet = vec![0; HEADER];
        packet.extend([chunk, 0, 0, 20]);
        packet.extend(tag.to_be_bytes());
        packet
    }

    #[test]
    fn only_a_copy_behind_the_cookie_is_late() {
        let mut copies = Copies::default();
        assert!(!copies.is_late(&packet(INIT, 7)));
        assert!(!copies.is_late(&packet(INIT, 7)), "the answer may have been lost");
        assert!(!copies.is_late(&packet(COOKIE_ECHO, 0)));
        assert!(copies.is_late(&packet(INIT, 7)));
        assert!(!copies.is_late(&packet(COOKIE_ECHO, 0)), "its answer may have been lost");
        assert!(copies.is_late(&packet(INIT, 7)));
        assert!(!copies.is_late(&packet(INIT, 8)), "the client starts anew");
        assert!(!copies.is_late(&packet(INIT, 8)));
    }

    #[test]
    fn what_is_no_init_is_left_alone() {
        let mut copies = Copies::default();
        assert!(!copies.is_late(&packet(COOKIE_ECHO, 0)));
        for bytes in [&[][..], &[0; HEADER], &[1; HEADER + 4], &packet(0, 7), &packet(3, 7)] {
            assert!(!copies.is_late(bytes));
        }
    }
}
