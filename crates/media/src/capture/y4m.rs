//! Clips in a file, picture by picture.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use confab_frame::{FramePool, I420};

use crate::{DeviceKind, MediaError};

/// Longest header line that is read before the file is taken for something else.
const LONGEST_LINE: u64 = 1024;

/// A YUV4MPEG2 file of 8-bit 4:2:0 pictures.
#[derive(Debug)]
pub struct Y4m {
    path: PathBuf,
    file: BufReader<File>,
    width: u32,
    height: u32,
    fps: f64,
    /// Where each picture's planes begin in the file.
    offsets: Vec<u64>,
    pool: FramePool,
}

/// What the first line of the file says.
struct Header {
    width: u32,
    height: u32,
    fps: f64,
}

impl Y4m {
    /// Reads the header and finds every whole picture.
    pub fn open(path: &Path) -> Result<Self, MediaError> {
        let file = File::open(path).map_err(|error| bad(path, error.to_string()))?;
        let mut file = BufReader::new(file);
        let line = read_line(&mut file).map_err(|problem| bad(path, problem))?;
        let header = Header::parse(&line).map_err(|problem| bad(path, problem))?;
        let Header { width, height, fps } = header;
        let pool = FramePool::new();
        pool.take(width, height).map_err(|error| bad(path, error.to_string()))?;
        let mut opened = Self { path: path.to_owned(), file, width, height, fps, offsets: Vec::new(), pool };
        opened.offsets = opened.find_frames().map_err(|problem| bad(path, problem))?;
        Ok(opened)
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Pictures a second.
    pub fn fps(&self) -> f64 {
        self.fps
    }

    /// Whole pictures in the file, at least 1.
    pub fn frames(&self) -> u64 {
        self.offsets.len() as u64
    }

    /// Reads picture `index`, counted from 0.
    pub fn read(&mut self, index: u64) -> Result<I420, MediaError> {
        let offset = usize::try_from(index).ok().and_then(|index| self.offsets.get(index).copied());
        let offset = offset.ok_or_else(|| bad(&self.path, format!("it has no picture {index}")))?;
        let mut picture =
            self.pool.take(self.width, self.height).map_err(|error| bad(&self.path, error.to_string()))?;
        let (y, u, v) = picture.planes_mut();
        let mut read = || -> std::io::Result<()> {
            self.file.seek(SeekFrom::Start(offset))?;
            self.file.read_exact(y)?;
            self.file.read_exact(u)?;
            self.file.read_exact(v)
        };
        read().map_err(|error| bad(&self.path, error.to_string()))?;
        Ok(picture)
    }

    fn find_frames(&mut self) -> Result<Vec<u64>, String> {
        let len = self.file.get_ref().metadata().map_err(|error| error.to_string())?.len();
        let size = u64::from(self.width) * u64::from(self.height) * 3 / 2;
        let mut offsets = Vec::new();
        loop {
            let at = self.file.stream_position().map_err(|error| error.to_string())?;
            if at >= len {
                break;
            }
            let line = read_line(&mut self.file)?;
            if line != "FRAME" && !line.starts_with("FRAME ") {
                return Err(format!("picture {} does not begin with FRAME", offsets.len()));
            }
            let planes = at + line.len() as u64 + 1;
            if planes + size > len {
                break;
            }
            offsets.push(planes);
            self.file.seek(SeekFrom::Start(planes + size)).map_err(|error| error.to_string())?;
        }
        if offsets.is_empty() { Err("it holds no whole picture".to_owned()) } else { Ok(offsets) }
    }
}

impl Header {
    fn parse(line: &str) -> Result<Self, String> {
        let mut words = line.split(' ');
        if words.next() != Some("YUV4MPEG2") {
            return Err("it is not a Y4M file".to_owned());
        }
        let (mut width, mut height, mut fps) = (0, 0, 25.0);
        for word in words.filter(|word| !word.is_empty()) {
            let (key, value) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
            let number = || value.parse().map_err(|_| format!("its header says {word}"));
            match key {
                "W" => width = number()?,
                "H" => height = number()?,
                "F" => fps = rate(value).ok_or_else(|| format!("its header says {word}"))?,
                "C" if !matches!(value, "420" | "420jpeg" | "420mpeg2" | "420paldv") => {
                    return Err(format!("its pictures are {value}, only 8-bit 4:2:0 can be shown"));
                }
                "I" if !matches!(value, "p" | "?") => {
                    return Err("its pictures are interlaced".to_owned());
                }
                _ => {}
            }
        }
        Ok(Self { width, height, fps })
    }
}

/// `30000:1001` as pictures a second, between 1 and 240.
fn rate(text: &str) -> Option<f64> {
    let (numerator, denominator) = text.split_once(':')?;
    let fps = f64::from(numerator.parse::<u32>().ok()?) / f64::from(denominator.parse::<u32>().ok()?);
    (1.0..=240.0).contains(&fps).then_some(fps)
}

fn read_line(file: &mut BufReader<File>) -> Result<String, String> {
    let mut line = Vec::new();
    file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
    if line.pop() != Some(b'\n') {
        return Err("it is not a Y4M file".to_owned());
    }
    String::from_utf8(line).map_err(|_| "it is not a Y4M file".to_owned())
}

fn bad(path: &Path, problem: impl Into<String>) -> MediaError {
    MediaError::File { kind: DeviceKind::Camera, path: path.to_owned(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(content: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        file
    }

    #[test]
    fn pictures_are_read_in_any_order_and_a_cut_last_one_is_left_out() {
        let mut content = b"YUV4MPEG2 W4 H2 F30000:1001 Ip A1:1 C420jpeg XYSCSS=420\n".to_vec();
        for value in 1..=3u8 {
            content.extend_from_slice(if value == 2 { b"FRAME Ixyz\n" } else { b"FRAME\n" });
            content.extend(std::iter::repeat_n(value, 12));
        }
        content.pop();
        let file = file(&content);
        let mut opened = Y4m::open(file.path()).unwrap();
        assert_eq!((opened.size(), opened.frames()), ((4, 2), 2));
        assert!((opened.fps() - 29.97).abs() < 0.001);
        for (index, value) in [(1, 2), (0, 1), (1, 2)] {
            assert!(opened.read(index).unwrap().bytes().iter().all(|&byte| byte == value));
        }
        assert!(opened.read(2).unwrap_err().to_string().contains("no picture 2"));
    }

    #[test]
    fn bad_files_are_named_with_what_is_wrong() {
        let cases: [(&[u8], &str); 8] = [
            (b"", "not a Y4M file"),
            (b"RIFF....WAVE\n", "not a Y4M file"),
            (b"\x00\xff\xfe\n", "not a Y4M file"),
            (b"YUV4MPEG2 W4 H2 F30:1\n", "no whole picture"),
            (b"YUV4MPEG2 Wx H2 F30:1\n", "Wx"),
            (b"YUV4MPEG2 W5 H2 F30:1\nFRAME\n", "5x2"),
            (b"YUV4MPEG2 W4 H2 F30:0\n", "F30:0"),
            (b"YUV4MPEG2 W4 H2 F30:1 C444\n", "444"),
        ];
        for (content, expected) in cases {
            let file = file(content);
            let error = Y4m::open(file.path()).unwrap_err();
            assert_eq!(error.code(), -1301);
            let said = error.to_string();
            assert!(said.contains(expected) && said.contains(&file.path().display().to_string()), "{said}");
        }
        assert!(Y4m::open(Path::new("/nowhere.y4m")).unwrap_err().to_string().contains("/nowhere.y4m"));
    }
}
