//! The room service: who may enter which room, in which scene and role, and how many.
//!
//! The rules are [`rooms::Rooms`] and [`enter::check`], plain values that take the time as an
//! argument; [`Control`] is the one task that owns the rooms.

mod ended;
mod enter;
mod rooms;
mod service;
mod token;

pub(crate) use enter::{Entry, check};
pub(crate) use rooms::{Census, RoleError, Rooms};
pub(crate) use service::{Control, Stopped};
pub(crate) use token::Issuer;
