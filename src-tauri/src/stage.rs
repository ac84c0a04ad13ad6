//! Shows pictures of people: the page says where they are, a thread of its own sees what changed, and
//! one of several presenters shows it: below the transparent page, or by the page itself.

pub(crate) mod canvas;
#[cfg(any(windows, target_os = "macos"))]
mod direct;
mod director;
#[cfg(any(target_os = "linux", test))]
mod drawing;
mod install;
mod presenter;
pub(crate) mod probe;
#[cfg(windows)]
mod surface;
#[cfg(target_os = "linux")]
mod underlay;
#[cfg(target_os = "macos")]
mod view;

pub(crate) use director::Stage;
pub(crate) use install::{Adapter, Told, open};
