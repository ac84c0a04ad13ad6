//! What a test of the real window needs: a screen of its own, a server, a second person without a
//! window, and a hand and an eye on the page.

pub mod clip;
mod driver;
mod image;
pub mod keyboard;
mod meeting;
mod person;
mod program;
mod screen;
mod service;
mod window;

pub use driver::Driver;
pub use image::{Image, distance};
pub use keyboard::Keyboard;
pub use meeting::{Meeting, turn};
pub use person::Person;
pub use program::{built, kept};
pub use screen::Screen;
pub use service::{APP, Service};
pub use window::{Window, headless, scripted};

use std::time::Duration;

/// How long anything may take before a test gives up: machines that run tests are slow.
pub const PATIENCE: Duration = Duration::from_secs(30);
