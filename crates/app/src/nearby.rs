//! Computers in the same network that let others into their rooms: told and found by mDNS (RFC 6762,
//! RFC 6763). A server is told and no room: what a room is called may be nobody else's business.

mod announce;
mod browse;
mod list;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use announce::Announcer;
pub(crate) use browse::Browser;
pub use list::NearbyView;

use crate::AppState;

/// How servers of rooms are told.
const SERVICE: &str = "_confab._tcp.local.";
/// Where the whole network listens.
const PORT: u16 = 5353;

impl AppState {
    /// What was found nearby, without the rooms opened here.
    pub(crate) fn on_nearby(&mut self, found: Vec<NearbyView>) {
        let own = self.hosting.as_ref().map(|hosting| hosting.fingerprint.as_str());
        let others = found.into_iter().filter(|one| own.is_none_or(|own| !one.is_of(own)));
        self.nearby = Some(others.collect());
    }
}
