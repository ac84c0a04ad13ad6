//! In which order a client may tell events, whatever happens.

use confab_protocol::Event;
use std::collections::BTreeMap;

/// Where a client's app stands, from what it was told.
#[derive(Clone, Debug, Default)]
pub struct Grammar {
    inside: bool,
    lost: bool,
    /// The others, and whether their voice and picture are available.
    others: BTreeMap<String, (bool, bool)>,
}

impl Grammar {
    /// The next event; the failure says what is wrong with it here.
    pub fn take(&mut self, event: &Event) -> Result<(), String> {
        let fits = |good: bool, what: &str| if good { Ok(()) } else { Err(what.to_owned()) };
        match event {
            Event::OnEnterRoom { result } => {
                fits(!self.inside, "it is in a room")?;
                self.inside = *result > 0;
            }
            Event::OnExitRoom { .. } => *self = Grammar::default(),
            Event::OnConnectionLost => {
                fits(self.inside && !self.lost, "there is no connection to lose")?;
                self.lost = true;
            }
            Event::OnTryToReconnect => fits(self.lost, "nothing was lost")?,
            Event::OnConnectionRecovery => {
                fits(self.lost, "nothing was lost")?;
                self.lost = false;
            }
            Event::OnRemoteUserEnterRoom { user_id, .. } => {
                fits(self.inside, "it is in no room")?;
                fits(self.others.insert(user_id.clone(), (false, false)).is_none(), "they are there")?;
            }
            Event::OnRemoteUserLeaveRoom { user_id, .. } => {
                fits(self.inside, "it is in no room")?;
                fits(
                    self.others.remove(user_id) == Some((false, false)),
                    "they are not there, or still send",
                )?;
            }
            Event::OnUserAudioAvailable { user_id, available } => {
                fits(self.inside, "it is in no room")?;
                let other = self.others.get_mut(user_id).ok_or("they are not there")?;
                fits(std::mem::replace(&mut other.0, *available) != *available, "it was told before")?;
            }
            Event::OnUserVideoAvailable { user_id, available } => {
                fits(self.inside, "it is in no room")?;
                let other = self.others.get_mut(user_id).ok_or("they are not there")?;
                fits(std::mem::replace(&mut other.1, *available) != *available, "it was told before")?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the app believes to be in a room.
    pub fn is_inside(&self) -> bool {
        self.inside
    }
}
