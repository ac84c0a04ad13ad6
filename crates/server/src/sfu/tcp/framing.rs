//! How datagrams follow each other in a stream: two bytes of length before each (RFC 4571, 2). Pure.

/// The largest frame that is taken, bytes. Whoever speaks with us stays within an Ethernet packet.
pub(crate) const LARGEST: usize = 4096;
const HEAD: usize = 2;

/// Somebody sends frames that are too large to be one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// Takes a stream apart. It holds what was pushed since the last whole frame, no more.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    held: Vec<u8>,
    taken: usize,
}

impl Frames {
    /// Takes the next bytes of the stream, whose frames are then to be taken out.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.held.drain(..self.taken.min(self.held.len()));
        self.taken = 0;
        self.held.extend_from_slice(bytes);
    }

    /// The next whole frame, `None` until more comes. After an error the stream cannot be read on.
    pub(crate) fn take(&mut self) -> Result<Option<&[u8]>, TooLarge> {
        let rest = self.held.get(self.taken..).unwrap_or_default();
        let Some((head, body)) = rest.split_first_chunk::<HEAD>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes(*head));
        if length > LARGEST {
            return Err(TooLarge);
        }
        let Some(frame) = body.get(..length) else { return Ok(None) };
        self.taken += HEAD + length;
        Ok(Some(frame))
    }
}

/// The bytes before a datagram; `None` where it is too long for any frame.
pub(crate) fn head(datagram: &[u8]) -> Option<[u8; HEAD]> {
    u16::try_from(datagram.len()).ok().map(u16::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(frames: &mut Frames) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| frames.take().unwrap().map(<[u8]>::to_vec)).collect()
    }

    #[test]
    fn frames_come_out_whole_however_the_stream_is_cut() {
        let datagrams = [vec![7; 3], Vec::new(), vec![9; LARGEST]];
        let stream: Vec<u8> =
            datagrams.iter().flat_map(|datagram| [&head(datagram).unwrap()[..], datagram].concat()).collect();
        for step in [1, 2, 3, 1000, stream.len()] {
            let mut frames = Frames::default();
            let mut found = Vec::new();
            for part in stream.chunks(step) {
                frames.push(part);
                found.extend(all(&mut frames));
            }
            assert_eq!(found, datagrams, "{step} bytes at a time");
        }
    }

    #[test]
    fn a_frame_that_is_too_large_ends_the_stream_before_it_is_held() {
        let mut frames = Frames::default();
        frames.push(&u16::try_from(LARGEST + 1).unwrap().to_be_bytes());
        assert_eq!(frames.take(), Err(TooLarge));
        assert_eq!(head(&vec![0; 70_000]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_break_it_and_little_is_held(parts: Vec<Vec<u8>>) {
            let mut frames = Frames::default();
            for part in parts {
                frames.push(&part);
                while let Ok(Some(_)) = frames.take() {}
                if frames.take().is_err() {
                    return Ok(());
                }
                prop_assert!(frames.held.len() - frames.taken <= HEAD + LARGEST);
            }
        }
    }
}
