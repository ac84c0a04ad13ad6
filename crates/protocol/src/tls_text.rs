//! The text form of a UserSig: JSON in zlib in base64 with `* - _` for `+ / =` (TLSSigAPIv2).

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

/// Longest text that is looked at, bytes.
pub(crate) const MAX_TEXT: usize = 8 * 1024;
/// Longest JSON that is unpacked, bytes: a small text can unpack to a large one.
const MAX_JSON: u64 = 16 * 1024;

pub(crate) fn pack(json: &[u8]) -> String {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing into memory cannot fail.
    let packed = zlib.write_all(json).and_then(|()| zlib.finish()).unwrap_or_default();
    STANDARD.encode(packed).replace('+', "*").replace('/', "-").replace('=', "_")
}

/// The JSON in a text, or None when there is none in it.
pub(crate) fn unpack(text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let standard = text.replace('*', "+").replace('-', "/").replace('_', "=");
    let packed = STANDARD.decode(standard).ok()?;
    let mut json = Vec::new();
    ZlibDecoder::new(packed.as_slice()).take(MAX_JSON + 1).read_to_end(&mut json).ok()?;
    (json.len() as u64 <= MAX_JSON).then_some(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_unpacks_to_megabytes_is_refused() {
        let bomb = pack(&vec![b' '; 4 << 20]);
        assert!(bomb.len() < MAX_TEXT);
        assert_eq!(unpack(&bomb), None);
    }
}
