//! The way in: one line at a time, and none that fills the memory.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// The next line without its end, or why it is none; None when the input has ended. A line that is
/// too long is skipped without being kept.
pub(super) async fn line(
    input: &mut (impl AsyncBufRead + Unpin),
    longest: usize,
) -> io::Result<Option<Result<String, String>>> {
    let (mut bytes, mut length, mut any) = (Vec::new(), 0, false);
    loop {
        let part = input.fill_buf().await?;
        if part.is_empty() {
            break;
        }
        any = true;
        let end = part.iter().position(|byte| *byte == b'\n');
        let taken = &part[..end.unwrap_or(part.len())];
        length += taken.len();
        if length <= longest {
            bytes.extend_from_slice(taken);
        }
        let used = taken.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            break;
        }
    }
    if !any {
        return Ok(None);
    }
    if length > longest {
        return Ok(Some(Err(format!("it has {length} bytes and may have {longest}"))));
    }
    Ok(Some(String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(bytes: &[u8], longest: usize) -> Vec<Result<String, String>> {
        // A small buffer, so that lines come in pieces.
        let mut input = tokio::io::BufReader::with_capacity(4, bytes);
        let mut lines = Vec::new();
        while let Some(read) = line(&mut input, longest).await.unwrap() {
            lines.push(read);
        }
        lines
    }

    #[tokio::test]
    async fn lines_come_whole_and_the_last_needs_no_end() {
        let lines = all(b"first line\n\nthird", 100).await;
        assert_eq!(lines, [Ok("first line".to_owned()), Ok(String::new()), Ok("third".to_owned())]);
        assert!(all(b"", 100).await.is_empty());
    }

    #[tokio::test]
    async fn a_line_too_long_or_not_utf8_is_told_and_the_next_is_read() {
        let lines = all(b"0123456789\nok\n\xff\xfe\nok\n", 5).await;
        assert_eq!(lines[0], Err("it has 10 bytes and may have 5".to_owned()));
        assert_eq!(lines[2], Err("it is not UTF-8".to_owned()));
        assert_eq!((lines[1].as_deref(), lines[3].as_deref()), (Ok("ok"), Ok("ok")));
    }
}
