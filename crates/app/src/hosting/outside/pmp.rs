//! NAT-PMP (RFC 6886) as values: what a router is asked, and what its answers say.

use std::net::Ipv4Addr;
use std::time::Duration;

/// Where routers listen.
pub(super) const PORT: u16 = 5351;
/// Added to the number of a question in its answer.
const ANSWER: u8 = 128;

/// A port that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) tcp: bool,
    pub(super) internal: u16,
    /// The port outside that is best; the router may give another.
    pub(super) external: u16,
    /// Nothing takes it back.
    pub(super) lease: Duration,
}

/// A port that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Granted {
    pub(super) external: u16,
    pub(super) lease: Duration,
}

/// What an answer says: the value, or the router's refusal by its number.
pub(super) type Answer<T> = Result<T, u16>;

/// Asks for the address outside.
pub(super) const fn address_question() -> [u8; 2] {
    [0, 0]
}

/// Asks for a port.
pub(super) fn port_question(wanted: Wanted) -> [u8; 12] {
    let seconds = u32::try_from(wanted.lease.as_secs()).unwrap_or(u32::MAX).to_be_bytes();
    let [i, n] = wanted.internal.to_be_bytes();
    let [e, x] = wanted.external.to_be_bytes();
    let [a, b, c, d] = seconds;
    [0, operation(wanted.tcp), 0, 0, i, n, e, x, a, b, c, d]
}

fn operation(tcp: bool) -> u8 {
    if tcp { 2 } else { 1 }
}

/// The address outside; `None` for bytes that answer something else.
pub(super) fn address_answer(bytes: &[u8]) -> Option<Answer<Ipv4Addr>> {
    let code = code(bytes, 0)?;
    if code != 0 {
        return Some(Err(code));
    }
    bytes.get(8..12)?.first_chunk::<4>().map(|octets| Ok(Ipv4Addr::from(*octets)))
}

/// The port that is open; `None` for bytes that answer something else.
pub(super) fn port_answer(bytes: &[u8], wanted: Wanted) -> Option<Answer<Granted>> {
    let code = code(bytes, operation(wanted.tcp))?;
    if code != 0 {
        return Some(Err(code));
    }
    let number = |at: usize| bytes.get(at..)?.first_chunk::<2>().map(|two| u16::from_be_bytes(*two));
    let lease = bytes.get(12..)?.first_chunk::<4>().map(|four| u32::from_be_bytes(*four))?;
    let (internal, external) = (number(8)?, number(10)?);
    (internal == wanted.internal && (external != 0 || lease == 0))
        .then(|| Ok(Granted { external, lease: Duration::from_secs(lease.into()) }))
}

/// The result in an answer to that question.
fn code(bytes: &[u8], operation: u8) -> Option<u16> {
    match bytes.first_chunk::<4>()? {
        [0, answered, high, low] if *answered == operation + ANSWER => {
            Some(u16::from_be_bytes([*high, *low]))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Wanted =
        Wanted { tcp: true, internal: 7880, external: 7880, lease: Duration::from_secs(3600) };

    #[test]
    fn questions_and_answers_are_those_of_the_standard() {
        assert_eq!(port_question(WANTED), [0, 2, 0, 0, 30, 200, 30, 200, 0, 0, 14, 16]);
        let answer = [0, 130, 0, 0, 0, 0, 0, 9, 30, 200, 156, 64, 0, 0, 2, 88];
        let granted = Granted { external: 40_000, lease: Duration::from_secs(600) };
        assert_eq!(port_answer(&answer, WANTED), Some(Ok(granted)));
        assert_eq!(
            address_answer(&[0, 128, 0, 0, 0, 0, 0, 9, 203, 0, 113, 9]),
            Some(Ok([203, 0, 113, 9].into()))
        );
    }

    #[test]
    fn refusals_are_told_and_foreign_bytes_are_not_answers() {
        assert_eq!(port_answer(&[0, 130, 0, 2, 0, 0, 0, 9], WANTED), Some(Err(2)));
        assert_eq!(address_answer(&[0, 128, 0, 3]), Some(Err(3)));
        let whole = [0, 130, 0, 0, 0, 0, 0, 9, 30, 200, 156, 64, 0, 0, 2, 88];
        for length in 0..whole.len() {
            assert_eq!(port_answer(&whole[..length], WANTED), None, "{length} bytes");
        }
        let mut other = whole;
        other[9] = 1;
        assert_eq!(port_answer(&other, WANTED), None, "another port of ours");
        assert_eq!(port_answer(&whole, Wanted { tcp: false, ..WANTED }), None);
        assert_eq!(address_answer(&whole), None);
        let mut nowhere = whole;
        nowhere[10..12].copy_from_slice(&[0, 0]);
        assert_eq!(port_answer(&nowhere, WANTED), None, "no port is open at 0");
    }
}
