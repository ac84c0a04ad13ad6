//! What a test of the real window needs: a screen of its own, a server, a second person without a
//! window, and a hand and an eye on the page.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

mod album;
pub mod clip;
mod computer;
mod driver;
mod film;
mod hearing;
mod image;
pub mod keyboard;
mod log;
mod meeting;
mod person;
mod program;
mod screen;
mod service;
mod usage;
mod wayland;
mod window;

pub use album::Album;
pub use computer::{Computer, SPOKEN};
pub use driver::Driver;
pub use film::{Area, Film, Likeness, film};
pub use hearing::{both_hear, is_tone};
pub use image::{Image, distance};
pub use keyboard::Keyboard;
pub use log::{LOG, complaints};
pub use meeting::{Meeting, turn};
pub use person::Person;
pub use program::{built, kept};
pub use screen::{Photo, Screen};
pub use service::{APP, Service};
pub use usage::{Usage, descendants};
pub use window::{Window, environment, headless, scripted};

use std::time::Duration;

/// How long anything may take before a test gives up: machines that run tests are slow.
pub const PATIENCE: Duration = Duration::from_secs(30);
