//! Confab's server: who may be in which room, media forwarding, and the interfaces to both.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

mod attempts;
mod callback;
pub mod clock;
pub mod config;
mod control;
pub mod engine;
mod happening;
mod history;
mod hosted;
mod http;
mod identity;
mod listeners;
pub mod log;
mod metrics;
mod proxy;
mod rest;
mod server;
pub mod sfu;
#[doc(hidden)]
pub mod sim;
mod tls;
pub mod ws;

pub use config::{ApiKey, AppConfig, CallbackConfig, CloudKey, Config, ConfigError, Door, Overlay, TlsFiles};
pub use happening::ClientInfo;
pub use history::HistoryError;
pub use hosted::{Hosted, Translator};
pub use identity::{Answers, Identity, IdentityError};
pub use proxy::{Network, NetworkError};
pub use server::{Server, StartError};

#[cfg(test)]
mod trial;
