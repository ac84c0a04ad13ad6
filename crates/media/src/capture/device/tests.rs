//! What drivers do wrong, done by one that is none.

use super::*;
use confab_frame::Cursor;
use std::collections::VecDeque;

/// A driver that does what is written down for it, and then hangs until it is let go.
struct Fake {
    does: VecDeque<Does>,
    hang: mpsc::Receiver<()>,
    closed: mpsc::Sender<()>,
}

enum Does {
    Give(RawPicture),
    Fail(MediaError),
    Panic,
}

impl Driver for Fake {
    fn picture(&mut self) -> Result<RawPicture, MediaError> {
        match self.does.pop_front() {
            Some(Does::Give(picture)) => Ok(picture),
            Some(Does::Fail(error)) => Err(error),
            Some(Does::Panic) => panic!("the driver broke"),
            None => {
                let _ = self.hang.recv();
                Ok(grey(188))
            }
        }
    }

    fn close(&mut self) {
        let _ = self.closed.send(());
    }
}

/// A running fake, and what it is held by.
struct Stage {
    // Goes first, so that the camera need not wait for its driver.
    let_go: mpsc::Sender<()>,
    camera: super::super::Camera,
    out: Arc<Slot<VideoFrame>>,
    closed: mpsc::Receiver<()>,
}

fn device() -> Device {
    Device { kind: KIND, id: "fake".to_owned(), name: "Fake".to_owned(), is_default: true }
}

fn stage(does: Vec<Does>) -> Stage {
    let ((let_go, hang), (closes, closed)) = (mpsc::channel(), mpsc::channel());
    let open = move || {
        let driver = Fake { does: does.into(), hang, closed: closes };
        Ok((device(), Box::new(driver) as Box<dyn Driver>))
    };
    let out = Arc::new(Slot::default());
    let Running { worker, device, pulse } = start_with(open, out.clone(), Duration::from_secs(10)).unwrap();
    let camera = super::super::Camera { worker, device: Some((device, pulse)), out: out.clone() };
    Stage { camera, out, let_go, closed }
}

fn picture(format: PixelFormat, width: u32, height: u32, bytes: Vec<u8>) -> RawPicture {
    RawPicture { format, width, height, bytes: bytes.into() }
}

fn grey(luma: u8) -> RawPicture {
    picture(PixelFormat::Gray, 64, 48, vec![luma; 64 * 48])
}

fn broken_jpeg() -> RawPicture {
    picture(PixelFormat::Mjpeg, 64, 48, vec![0xFF, 0xD8, 0xFF, 1, 2, 3])
}

fn failure(stage: &Stage) -> MediaError {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(failure) = stage.camera.failure() {
            return failure;
        }
        assert!(Instant::now() < deadline, "nothing failed");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn shown(stage: &Stage) -> VideoFrame {
    stage.out.wait_newer(&mut Cursor::default(), Duration::from_secs(10)).unwrap()
}

#[test]
fn pictures_of_a_driver_come_into_the_slot_and_go_with_the_camera() {
    let stage = stage(vec![Does::Give(grey(40))]);
    assert_eq!(shown(&stage).buffer.y()[0], 40);
    assert_eq!(stage.camera.device(), Some(&device()));
    assert_eq!(stage.camera.failure(), None);
    let Stage { camera, out, let_go, closed } = stage;
    // The driver waits for a picture when the camera goes, and gives it only then.
    let told = camera.worker.told();
    let released = std::thread::spawn(move || {
        let going = told.wait_until(Instant::now() + Duration::from_secs(10));
        drop(let_go);
        going
    });
    drop(camera);
    assert!(released.join().unwrap(), "the camera went without a word to its driver");
    closed.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(out.latest().is_none());
}

#[test]
fn a_damaged_picture_is_left_out_and_the_next_is_shown() {
    let mut does: Vec<Does> = (0..DAMAGED).map(|_| Does::Give(broken_jpeg())).collect();
    let whole = include_bytes!("../convert/red.jpg").to_vec();
    does.push(Does::Give(picture(PixelFormat::Mjpeg, 16, 16, whole)));
    let stage = stage(does);
    let shown = shown(&stage);
    assert_eq!((shown.buffer.width(), shown.buffer.height()), (16, 16));
    assert_eq!(stage.camera.failure(), None);
    drop(stage.let_go);
}

#[test]
fn a_camera_that_gives_nothing_but_damage_has_failed() {
    let stage = stage((0..=DAMAGED).map(|_| Does::Give(broken_jpeg())).collect());
    let said = failure(&stage).to_string();
    assert!(said.starts_with("the camera stopped: "), "{said}");
    assert!(stage.out.latest().is_none());
}

#[test]
fn a_driver_that_names_the_wrong_format_is_seen_right_all_the_same() {
    let mut nv12 = vec![63; 64 * 48];
    nv12.extend([102, 240].repeat(32 * 24));
    let stage = stage(vec![Does::Give(picture(PixelFormat::Yuyv, 64, 48, nv12))]);
    let shown = shown(&stage).buffer;
    assert_eq!((shown.y()[0], shown.u()[0], shown.v()[0]), (63, 102, 240));
    drop(stage.let_go);
}

#[test]
fn pictures_that_are_too_large_are_refused_by_their_size() {
    let stage = stage(vec![Does::Give(picture(PixelFormat::Gray, 5_120, 2_880, vec![0; 5_120 * 2_880]))]);
    let said = failure(&stage).to_string();
    assert_eq!(
        said,
        "the camera stopped: its pictures are 5120x2880, both sides must have 16 to 4096 pixels"
    );
}

#[test]
fn a_driver_that_panics_is_a_failure_in_words() {
    let stage = stage(vec![Does::Give(grey(40)), Does::Panic]);
    assert_eq!(failure(&stage).to_string(), "the camera stopped: the driver broke");
}

#[test]
fn a_driver_that_fails_is_a_failure_in_its_words() {
    let gone = MediaError::DeviceLost { kind: KIND, what: "No such device (os error 19)".to_owned() };
    let stage = stage(vec![Does::Fail(gone.clone())]);
    assert_eq!(failure(&stage), gone);
}

#[test]
fn a_driver_that_panics_or_hangs_when_it_opens_is_refused_in_words() {
    let open = |within, open: fn() -> Result<Opened, MediaError>| {
        start_with(open, Arc::default(), within).unwrap_err().to_string()
    };
    // Whoever panics prints first where they were, which takes its time.
    let panicking = open(Duration::from_secs(20), || panic!("no such format"));
    assert_eq!(panicking, "the camera could not be started: no such format");
    let hanging = open(Duration::from_millis(50), || {
        std::thread::sleep(Duration::from_millis(500));
        Err(MediaError::NoDevice(KIND))
    });
    assert_eq!(hanging, "the camera could not be started: it does not answer");
}

#[test]
fn a_driver_that_hangs_is_a_failure_after_a_while() {
    let began = Instant::now();
    let pulse = Pulse::new(began);
    assert_eq!(pulse.failure(began + HANGING), None);
    let said = pulse.failure(began + HANGING + Duration::from_millis(1)).unwrap().to_string();
    assert_eq!(said, "the camera stopped: it gave no picture for 5 seconds");
    pulse.beat(began + HANGING);
    assert_eq!(pulse.failure(began + HANGING * 2), None);
}

#[test]
fn a_picture_that_comes_after_the_end_is_not_shown() {
    let stage = stage(vec![Does::Give(grey(40))]);
    shown(&stage);
    let Stage { mut camera, out, let_go, closed } = stage;
    // Stuck in the driver for longer than anybody waits.
    camera.worker.stop();
    out.clear();
    drop(let_go);
    closed.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(out.latest().is_none());
}
