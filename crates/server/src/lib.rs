//! Confab's server: who may be in which room, media forwarding, and the interfaces to both.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

pub mod config;

pub use config::{ApiKey, AppConfig, CloudKey, Config, ConfigError, Overlay};
