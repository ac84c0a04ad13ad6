//! One question to a router by HTTP, with bounds on time and length.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::upnp::Place;

/// How long a router may take for one answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// A longer answer is none, bytes.
const LONGEST: u64 = 256 << 10;

/// A router's answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Fetches a page.
pub(super) fn get(place: &Place) -> io::Result<Reply> {
    exchange(place, "GET", "", "")
}

/// Sends a question to a service, with its `SOAPAction`.
pub(super) fn post(place: &Place, (body, action): &(String, String)) -> io::Result<Reply> {
    let head = format!(
        "Content-Type: text/xml; charset=\"utf-8\"\r\nSOAPAction: {action}\r\nContent-Length: {}\r\n",
        body.len()
    );
    exchange(place, "POST", &head, body)
}

fn exchange(Place { host, path }: &Place, method: &str, head: &str, body: &str) -> io::Result<Reply> {
    let end = Instant::now() + PATIENCE;
    let mut stream = TcpStream::connect_timeout(&(*host).into(), PATIENCE)?;
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{head}Connection: close\r\n\r\n{body}");
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let bytes = read_until(&mut stream, end)?;
    reply(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "this is no answer by HTTP"))
}

/// Reads until the answer is whole, or the router closes the connection.
fn read_until(stream: &mut TcpStream, end: Instant) -> io::Result<Vec<u8>> {
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || bytes.len() as u64 > LONGEST {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut part) {
            Ok(0) => return Ok(bytes),
            Ok(count) => bytes.extend_from_slice(part.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if is_whole(&bytes) {
            return Ok(bytes);
        }
    }
}

/// Head and body, where the head has ended.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((std::str::from_utf8(bytes.get(..end)?).ok()?, bytes.get(end + 4..)?))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.trim().eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

fn is_whole(bytes: &[u8]) -> bool {
    let Some((head, body)) = split(bytes) else { return false };
    header(head, "content-length")
        .and_then(|text| text.parse().ok())
        .is_some_and(|length: usize| body.len() >= length)
}

fn reply(bytes: &[u8]) -> Option<Reply> {
    let (head, body) = split(bytes)?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let chunked = header(head, "transfer-encoding").is_some_and(|how| how.eq_ignore_ascii_case("chunked"));
    let body = if chunked { joined(body) } else { body.to_vec() };
    Some(Reply { status, body: String::from_utf8_lossy(&body).into_owned() })
}

/// A body that comes in chunks, as far as they are in order.
fn joined(mut rest: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = rest.get(..end).and_then(|text| std::str::from_utf8(text).ok());
        let size = size.and_then(|text| usize::from_str_radix(text.split(';').next()?.trim(), 16).ok());
        let behind = rest.get(end + 2..).unwrap_or_default();
        match size.and_then(|size| behind.split_at_checked(size)) {
            Some((chunk, behind)) if !chunk.is_empty() => {
                whole.extend_from_slice(chunk);
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => break,
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_whole_in_chunks_or_not() {
        let plain = b"HTTP/1.1 500 Internal\r\ncontent-length: 3\r\n\r\nabc";
        assert!(is_whole(plain) && !is_whole(&plain[..plain.len() - 1]));
        assert_eq!(reply(plain), Some(Reply { status: 500, body: "abc".into() }));
        let parts =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n";
        assert_eq!(reply(parts), Some(Reply { status: 200, body: "abc".into() }));
    }

    #[test]
    fn other_bytes_are_no_answer_and_break_nothing() {
        for bytes in [&b""[..], b"\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n\r\n", &[0xff; 40]] {
            assert_eq!(reply(bytes), None);
        }
        for body in [&b"ffffffffffffffff\r\nab"[..], b"zz\r\nab", b"5\r\nab", b"-1\r\n"] {
            assert_eq!(joined(body), b"");
        }
        assert!(!is_whole(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nx"));
    }
}
