//! WAV files: recordings that stand in for a microphone, and a speaker that is a file.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Duration;

use confab_frame::{AudioBlock, SAMPLE_RATE, queue};
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use crate::worker::Worker;
use crate::{DeviceKind, MediaError, resample};

/// Recordings are played from memory; what is longer than this is cut: ten minutes.
const LONGEST_S: u32 = 600;
/// Blocks that may wait for the disk: three seconds.
const QUEUE: usize = 300;
/// Blocks after which the file is made whole: one second.
const WHOLE_EVERY: usize = 100;

/// Reads a WAV file as mono sound at 48 kHz.
pub(crate) fn read(path: &Path) -> Result<Vec<f32>, MediaError> {
    let bad =
        |problem: String| MediaError::File { kind: DeviceKind::Microphone, path: path.to_owned(), problem };
    let mut file = WavReader::open(path).map_err(|error| bad(problem(&error)))?;
    let spec = file.spec();
    if spec.channels == 0 || spec.sample_rate == 0 {
        return Err(bad("its header is damaged".to_owned()));
    }
    let wanted = u64::from(spec.sample_rate) * u64::from(spec.channels) * u64::from(LONGEST_S);
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    let samples: Result<Vec<f32>, hound::Error> = match spec.sample_format {
        SampleFormat::Float => file.samples::<f32>().take(wanted).collect(),
        SampleFormat::Int => {
            let scale = 1.0 / (1u64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            file.samples::<i32>()
                .take(wanted)
                .map(|sample| sample.map(|sample| sample as f32 * scale))
                .collect()
        }
    };
    let samples = samples.map_err(|error| bad(problem(&error)))?;
    let channels = usize::from(spec.channels);
    let mono: Vec<f32> = samples
        .chunks_exact(channels)
        .map(|frame| frame.iter().sum::<f32>() / channels as f32)
        .map(|sample| if sample.is_finite() { sample } else { 0.0 })
        .collect();
    if mono.is_empty() {
        return Err(bad("it holds no sound".to_owned()));
    }
    resample::whole(&mono, spec.sample_rate, SAMPLE_RATE).map_err(|error| bad(error.to_string()))
}

fn problem(error: &hound::Error) -> String {
    match error {
        hound::Error::IoError(error) if ends_early(error) => "it is cut short".to_owned(),
        hound::Error::IoError(error) => error.to_string(),
        hound::Error::FormatError(what) => format!("it is not a WAV file ({what})"),
        hound::Error::Unsupported => "it is a WAV file of a kind that cannot be read".to_owned(),
        hound::Error::TooWide | hound::Error::UnfinishedSample | hound::Error::InvalidSampleFormat => {
            format!("it is damaged ({error})")
        }
    }
}

/// The library has a text of its own for it beside the system's.
fn ends_early(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::UnexpectedEof || error.to_string().contains("enough bytes")
}

/// Writes blocks to a WAV file on a thread of its own; the file is whole once this is dropped.
#[derive(Debug)]
pub(crate) struct Recorder {
    worker: Worker,
}

impl Recorder {
    /// Makes the file and hands out the end that blocks are written to.
    pub(crate) fn start(path: PathBuf) -> Result<(Self, queue::Sender<AudioBlock>), MediaError> {
        let spec = WavSpec {
            channels: 1,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let holds = std::fs::metadata(&path).is_ok_and(|file| file.len() > 0);
        if holds && WavReader::open(&path).is_err() {
            let problem = "it is there and no recording; name another file".to_owned();
            return Err(MediaError::File { kind: DeviceKind::Speaker, path, problem });
        }
        let file = WavWriter::create(&path, spec).map_err(|error| bad_sink(&path, &error))?;
        let (sender, receiver) = queue::bounded(QUEUE);
        let worker = Worker::spawn("speaker file", move |stop| {
            let written = write(file, &receiver, &|| stop.is_set());
            written.map_err(|error| bad_sink(&path, &error))
        })?;
        Ok((Self { worker }, sender))
    }

    /// Why writing ended by itself, if it did.
    pub(crate) fn failure(&self) -> Option<MediaError> {
        self.worker.failure()
    }
}

fn bad_sink(path: &Path, error: &hound::Error) -> MediaError {
    MediaError::File { kind: DeviceKind::Speaker, path: path.to_owned(), problem: error.to_string() }
}

fn write(
    mut file: WavWriter<BufWriter<File>>,
    blocks: &queue::Receiver<AudioBlock>,
    stopped: &dyn Fn() -> bool,
) -> Result<(), hound::Error> {
    let mut written = 0;
    while !blocks.is_finished() {
        let Some(entry) = blocks.pop(Duration::from_millis(50)) else {
            if stopped() {
                break;
            }
            continue;
        };
        // A disk that was too slow leaves a pause instead of a jump in time.
        for _ in 0..entry.dropped {
            write_block(&mut file, &AudioBlock::SILENCE)?;
        }
        write_block(&mut file, &entry.value)?;
        written += 1;
        if written % WHOLE_EVERY == 0 {
            file.flush()?;
        }
    }
    file.finalize()
}

fn write_block(file: &mut WavWriter<BufWriter<File>>, block: &AudioBlock) -> Result<(), hound::Error> {
    let mut samples = file.get_i16_writer(block.0.len() as u32);
    for sample in &block.0 {
        samples.write_sample((sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16);
    }
    samples.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sound.wav");
        let (recorder, sender) = Recorder::start(path.clone()).unwrap();
        for n in 0..5 {
            sender.push(AudioBlock([n as f32 / 10.0; 480]));
        }
        drop(sender);
        drop(recorder);
        let sound = read(&path).unwrap();
        assert_eq!(sound.len(), 5 * 480);
        for (n, block) in sound.chunks(480).enumerate() {
            assert!(block.iter().all(|sample| (sample - n as f32 / 10.0).abs() < 1e-3));
        }
    }

    #[test]
    fn a_file_that_is_no_recording_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letter.txt");
        std::fs::write(&path, "Dear friend").unwrap();
        let error = Recorder::start(path.clone()).unwrap_err();
        assert_eq!(error.code(), -1321);
        assert!(error.to_string().ends_with("it is there and no recording; name another file"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "Dear friend");
        // An empty one holds nothing that could be lost, and an older recording was ours.
        std::fs::write(&path, "").unwrap();
        drop(Recorder::start(path.clone()).unwrap());
        drop(Recorder::start(path).unwrap());
    }

    #[test]
    fn stereo_of_another_rate_becomes_mono_at_48_khz() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stereo.wav");
        let spec = WavSpec {
            channels: 2,
            sample_rate: 24_000,
            bits_per_sample: 24,
            sample_format: SampleFormat::Int,
        };
        let mut file = WavWriter::create(&path, spec).unwrap();
        for _ in 0..24_000 {
            file.write_sample(1 << 22).unwrap();
            file.write_sample(0).unwrap();
        }
        file.finalize().unwrap();
        let sound = read(&path).unwrap();
        assert!((47_990..=48_010).contains(&sound.len()));
        assert!((sound[24_000] - 0.25).abs() < 0.01, "{}", sound[24_000]);
    }

    #[test]
    fn bad_files_are_named_with_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().join("whole.wav");
        drop(Recorder::start(whole.clone()).unwrap());
        let header = std::fs::read(&whole).unwrap();
        let cases: [(&[u8], &str); 4] = [
            (b"", "cut short"),
            (b"YUV4MPEG2 W4 H2 F30:1 and so on and on and on", "not a WAV file"),
            (&header[..20], "cut short"),
            (&header, "no sound"),
        ];
        for (content, expected) in cases {
            let path = folder.path().join("bad.wav");
            std::fs::write(&path, content).unwrap();
            let error = read(&path).unwrap_err();
            assert_eq!(error.code(), -1302);
            let said = error.to_string();
            assert!(said.contains(expected) && said.contains("bad.wav"), "{said}");
        }
        assert!(read(Path::new("/nowhere.wav")).unwrap_err().to_string().contains("/nowhere.wav"));
        let error = Recorder::start(PathBuf::from("/nowhere/sound.wav")).unwrap_err();
        assert_eq!(error.code(), -1321);
    }
}
