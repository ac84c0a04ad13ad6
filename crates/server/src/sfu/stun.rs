//! Which peer connection a first packet from an unknown address is for.

/// The receiver's user fragment in a STUN binding request (RFC 8445 7.2.2), `None` for anything
/// else. Nothing is verified here: the connection itself checks the integrity.
pub(crate) fn local_fragment(datagram: &[u8]) -> Option<&str> {
    const HEADER: usize = 20;
    const BINDING_REQUEST: [u8; 2] = [0, 1];
    const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    const USERNAME: u16 = 6;
    if datagram.get(..2)? != BINDING_REQUEST || datagram.get(4..8)? != COOKIE {
        return None;
    }
    let mut rest = datagram.get(HEADER..)?;
    loop {
        let (head, body) = rest.split_at_checked(4)?;
        let kind = u16::from_be_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if kind == USERNAME {
            let name = std::str::from_utf8(body.get(..length)?).ok()?;
            return Some(name.split_once(':')?.0);
        }
        rest = body.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::local_fragment;

    fn request(attributes: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        bytes.extend([0; 12]);
        bytes.extend(attributes);
        bytes
    }

    #[test]
    fn the_fragment_before_the_colon_is_ours() {
        let attributes =
            [0x80, 0x22, 0, 3, b'x', b'y', b'z', 0, 0, 6, 0, 5, b'a', b'b', b':', b'c', b'd', 0, 0, 0];
        assert_eq!(local_fragment(&request(&attributes)), Some("ab"));
    }

    #[test]
    fn cut_off_or_foreign_bytes_have_no_fragment() {
        let whole = request(&[0, 6, 0, 5, b'a', b'b', b':', b'c', b'd', 0, 0, 0]);
        for length in 0..whole.len() - 3 {
            assert_eq!(local_fragment(&whole[..length]), None, "{length} bytes");
        }
        assert_eq!(local_fragment(&request(&[0, 6, 0xff, 0xff, b'a', b':'])), None);
        assert_eq!(local_fragment(&[0x80; 64]), None);
    }
}
