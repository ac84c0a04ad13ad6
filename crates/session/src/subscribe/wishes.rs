//! What the app wants of the others' pictures and voices. Pure.

use super::people::{Content, RemoteTrack};
use crate::session::Receive;
use confab_protocol::StreamType;
use std::collections::HashMap;
use std::hash::Hash;

/// What is received before anybody is named (TRTC's setDefaultStreamRecvMode).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mode {
    pub(crate) voices: bool,
    pub(crate) pictures: bool,
}

impl From<Receive> for Mode {
    fn from(receive: Receive) -> Self {
        match receive {
            Receive::All => Mode { voices: true, pictures: true },
            Receive::OnDemand => Mode { voices: true, pictures: false },
            Receive::None => Mode { voices: false, pictures: false },
        }
    }
}

/// A call that changes what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// From the next entry on.
    Mode(Mode),
    /// Somebody's picture is shown, or no longer.
    View {
        user: String,
        stream: StreamType,
        on: bool,
    },
    MutePicture {
        user: String,
        stream: StreamType,
        muted: bool,
    },
    /// Those who come later too.
    MutePictures {
        muted: bool,
    },
    MuteVoice {
        user: String,
        muted: bool,
    },
    /// Those who come later too.
    MuteVoices {
        muted: bool,
    },
}

/// What is wanted of one track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// It is to come.
    Take,
    /// It is muted: nothing is to come, and the last picture stays.
    Hold,
    /// Nobody looks or listens.
    Leave,
}

/// Who is muted: of two calls about the same person the later one holds.
#[derive(Debug)]
struct Mutes<K> {
    all: Option<bool>,
    one: HashMap<K, bool>,
}

impl<K> Default for Mutes<K> {
    fn default() -> Self {
        Self { all: None, one: HashMap::new() }
    }
}

impl<K: Eq + Hash> Mutes<K> {
    fn set_all(&mut self, muted: bool) {
        self.all = Some(muted);
        self.one.clear();
    }

    /// What was said about them, if anything was.
    fn said(&self, who: &K) -> Option<bool> {
        self.one.get(who).copied().or(self.all)
    }

    fn any(&self) -> bool {
        self.all == Some(true) || self.one.values().any(|muted| *muted)
    }
}

/// What the app wants of the others.
#[derive(Debug)]
pub(crate) struct Wishes {
    /// For the next entry.
    next: Mode,
    mode: Mode,
    /// Pictures that are shown, or no longer; where neither was said, the mode decides.
    views: HashMap<(String, StreamType), bool>,
    pictures: Mutes<(String, StreamType)>,
    voices: Mutes<String>,
}

impl Wishes {
    /// Nothing was said but this.
    pub(crate) fn new(mode: Mode) -> Self {
        Self { next: mode, mode, views: HashMap::new(), pictures: Mutes::default(), voices: Mutes::default() }
    }

    /// A room is entered; what was said about people before holds.
    pub(crate) fn enter(&mut self) {
        self.mode = self.next;
    }

    /// The room is left: what was said about people is forgotten.
    pub(crate) fn exit(&mut self) {
        *self = Self::new(self.next);
    }

    /// Takes a call in.
    pub(crate) fn change(&mut self, change: Change) {
        match change {
            Change::Mode(mode) => self.next = mode,
            Change::View { user, stream, on } => drop(self.views.insert(picture(&user, stream), on)),
            Change::MutePicture { user, stream, muted } => {
                self.pictures.one.insert(picture(&user, stream), muted);
            }
            Change::MutePictures { muted } => self.pictures.set_all(muted),
            Change::MuteVoice { user, muted } => drop(self.voices.one.insert(user, muted)),
            Change::MuteVoices { muted } => self.voices.set_all(muted),
        }
    }

    /// Whether everybody's everything is wanted, as far as was said.
    pub(crate) fn takes_all(&self) -> bool {
        let Mode { voices, pictures } = self.mode;
        let muted = self.pictures.any() || self.voices.any();
        voices && pictures && !muted && self.views.values().all(|on| *on)
    }

    /// What is wanted of a track.
    pub(crate) fn of(&self, track: &RemoteTrack) -> Wish {
        match track.content {
            Content::Voice => self.voice(&track.user_id),
            Content::Camera => self.picture(&track.user_id, StreamType::Big),
            Content::Screen => self.picture(&track.user_id, StreamType::Sub),
        }
    }

    fn voice(&self, user: &str) -> Wish {
        match self.voices.said(&user.to_owned()) {
            Some(true) => Wish::Hold,
            // Where voices do not come by themselves they are asked for by unmuting them (TRTC).
            Some(false) => Wish::Take,
            None if self.mode.voices => Wish::Take,
            None => Wish::Leave,
        }
    }

    fn picture(&self, user: &str, stream: StreamType) -> Wish {
        let shown = self.views.get(&picture(user, stream)).copied().unwrap_or(self.mode.pictures);
        match (shown, self.is_picture_muted(user, stream)) {
            (false, _) => Wish::Leave,
            (true, true) => Wish::Hold,
            (true, false) => Wish::Take,
        }
    }

    /// Whether somebody's picture is muted.
    pub(crate) fn is_picture_muted(&self, user: &str, stream: StreamType) -> bool {
        self.pictures.said(&picture(user, stream)) == Some(true)
    }

    /// Whether somebody's voice is muted.
    pub(crate) fn is_voice_muted(&self, user: &str) -> bool {
        self.voices.said(&user.to_owned()) == Some(true)
    }
}

/// There is one size of camera picture for now.
fn picture(user: &str, stream: StreamType) -> (String, StreamType) {
    let stream = if stream == StreamType::Small { StreamType::Big } else { stream };
    (user.to_owned(), stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use StreamType::{Big, Small, Sub};
    use Wish::{Hold, Leave, Take};

    fn mute(user: &str, muted: bool) -> Change {
        Change::MuteVoice { user: user.into(), muted }
    }

    fn mute_picture(user: &str, stream: StreamType, muted: bool) -> Change {
        Change::MutePicture { user: user.into(), stream, muted }
    }

    fn view(user: &str, on: bool) -> Change {
        Change::View { user: user.into(), stream: Big, on }
    }

    fn of(receive: Receive, changes: impl IntoIterator<Item = Change>) -> Wishes {
        let mut wishes = Wishes::new(receive.into());
        changes.into_iter().for_each(|change| wishes.change(change));
        wishes
    }

    #[test]
    fn without_a_word_the_mode_decides() {
        for (receive, voice, picture) in
            [(Receive::All, Take, Take), (Receive::OnDemand, Take, Leave), (Receive::None, Leave, Leave)]
        {
            let wishes = of(receive, []);
            assert_eq!((wishes.voice("ann"), wishes.picture("ann", Big)), (voice, picture), "{receive:?}");
            assert_eq!(wishes.takes_all(), receive == Receive::All);
        }
    }

    #[test]
    fn another_mode_holds_from_the_next_entry_on() {
        let mut wishes = of(Receive::All, [Change::Mode(Receive::None.into())]);
        assert_eq!(wishes.voice("ann"), Take);
        wishes.enter();
        assert_eq!((wishes.voice("ann"), wishes.picture("ann", Big)), (Leave, Leave));
        wishes.change(Change::Mode(Receive::All.into()));
        assert_eq!(wishes.voice("ann"), Leave);
        wishes.exit();
        wishes.enter();
        assert_eq!(wishes.voice("ann"), Take);
    }

    #[test]
    fn what_is_said_of_all_holds_for_all_until_something_is_said_of_one() {
        let mut wishes = of(Receive::All, [mute("ann", false), Change::MuteVoices { muted: true }]);
        assert_eq!((wishes.voice("ann"), wishes.voice("late")), (Hold, Hold));
        wishes.change(mute("ann", false));
        assert_eq!((wishes.voice("ann"), wishes.voice("late")), (Take, Hold));
        wishes.change(Change::MuteVoices { muted: true });
        assert_eq!(wishes.voice("ann"), Hold, "the later call holds");
        wishes.change(Change::MuteVoices { muted: false });
        wishes.change(mute("bob", true));
        assert_eq!((wishes.voice("ann"), wishes.voice("bob")), (Take, Hold));

        let mut wishes = of(Receive::All, [Change::MutePictures { muted: true }]);
        wishes.change(mute_picture("ann", Big, false));
        assert_eq!((wishes.picture("ann", Big), wishes.picture("ann", Sub)), (Take, Hold));
        assert!(!wishes.is_picture_muted("ann", Big) && wishes.is_picture_muted("bob", Big));
    }

    #[test]
    fn a_camera_has_one_picture_and_a_screen_another() {
        let wishes = of(Receive::All, [mute_picture("ann", Small, true)]);
        assert_eq!((wishes.picture("ann", Big), wishes.picture("ann", Sub)), (Hold, Take));
        assert_eq!(wishes.voice("ann"), Take);
    }

    #[test]
    fn where_nothing_comes_by_itself_voices_come_by_unmuting_and_pictures_by_showing() {
        let mut wishes = of(Receive::None, [mute("ann", false), mute_picture("ann", Big, false)]);
        assert_eq!((wishes.voice("ann"), wishes.picture("ann", Big)), (Take, Leave));
        wishes.change(view("ann", true));
        assert_eq!(wishes.picture("ann", Big), Take);
        wishes.change(Change::MutePictures { muted: true });
        assert_eq!(wishes.picture("ann", Big), Hold);
        wishes.change(view("ann", false));
        assert_eq!(wishes.picture("ann", Big), Leave);
    }

    #[test]
    fn what_was_said_before_an_entry_holds_in_the_room_and_is_forgotten_at_its_end() {
        let mut wishes =
            of(Receive::All, [mute("ann", true), mute_picture("ann", Big, true), view("bob", false)]);
        wishes.enter();
        assert_eq!((wishes.voice("ann"), wishes.picture("ann", Big)), (Hold, Hold));
        assert_eq!(wishes.picture("bob", Big), Leave);
        assert!(!wishes.takes_all());
        wishes.exit();
        assert_eq!((wishes.voice("ann"), wishes.picture("ann", Big)), (Take, Take));
        assert_eq!(wishes.picture("bob", Big), Take);
        assert!(wishes.takes_all());
    }

    #[test]
    fn not_all_is_taken_as_soon_as_anybody_is_muted_or_not_shown() {
        for change in [
            mute("ann", true),
            mute_picture("ann", Sub, true),
            Change::MuteVoices { muted: true },
            Change::MutePictures { muted: true },
            view("ann", false),
        ] {
            assert!(!of(Receive::All, [change.clone()]).takes_all(), "{change:?}");
        }
        assert!(of(Receive::All, [mute("ann", false), view("ann", true)]).takes_all());
    }
}
