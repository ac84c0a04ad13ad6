//! Confab's server: who may be in which room, media forwarding, and the interfaces to both.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly"))]

pub mod config;
mod control;
pub mod engine;
mod hosted;
mod http;
pub mod log;
mod metrics;
mod rest;
mod server;
pub mod sfu;
pub mod ws;

pub use config::{ApiKey, AppConfig, CloudKey, Config, ConfigError, Overlay};
pub use hosted::Hosted;
pub use server::{Server, StartError};

#[cfg(test)]
mod trial;
