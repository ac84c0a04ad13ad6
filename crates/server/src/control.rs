//! The room service: who may enter which room, in which scene and role, and how many.
//!
//! The rules are [`rooms::Rooms`] and [`enter::check`], plain values that take the time as an
//! argument; [`Control`] is the one task that owns the rooms.

mod effect;
mod ended;
mod enter;
mod invites;
mod perform;
mod permission;
mod put_out;
mod rights;
mod room;
mod rooms;
mod seat;
mod service;
mod token;
mod waiting;

pub(crate) use effect::{Effect, Order};
pub(crate) use enter::{Entry, check};
pub(crate) use invites::NoEntrance;
pub(crate) use room::Refused;
pub(crate) use rooms::{By, Census, RoleError, Rooms, Taken};
pub(crate) use service::{Control, Listener, Stopped, apply};
pub(crate) use token::Issuer;
