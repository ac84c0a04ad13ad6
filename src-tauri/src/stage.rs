//! Shows pictures of people under the page: the page says where they are, a thread of its own draws
//! them, and what the system offers shows the drawn picture.

mod painter;
mod presenter;
#[cfg(target_os = "linux")]
mod underlay;

pub(crate) use painter::Stage;
pub(crate) use presenter::{Damage, Presenter, Unseen, install};
