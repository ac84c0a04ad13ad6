//! What somebody may send and receive.

use confab_protocol::private_map_key::Privilege;
use confab_protocol::{Role, Scene};

use crate::engine::{Kinds, Permission};

/// What the engine lets somebody do whose permission has those bits. Voice scenes carry voices only,
/// viewers of live scenes send nothing and are not announced, and who is hushed sends no voice.
pub(crate) fn permission(scene: Scene, role: Role, granted: Privilege, hushed: bool) -> Permission {
    let viewer = is_viewer(scene, role);
    let pictures = !scene.is_voice();
    let publish = Kinds {
        audio: granted.allows(Privilege::SEND_AUDIO) && !hushed,
        video: granted.allows(Privilege::SEND_VIDEO) && pictures,
        screen: granted.allows(Privilege::SEND_SUB) && pictures,
    };
    let subscribe = Kinds {
        audio: granted.allows(Privilege::RECEIVE_AUDIO),
        video: granted.allows(Privilege::RECEIVE_VIDEO),
        screen: granted.allows(Privilege::RECEIVE_SUB),
    };
    Permission {
        publish: if viewer { Kinds::NONE } else { publish },
        subscribe,
        can_publish_data: !viewer,
        hidden: viewer,
    }
}

/// Whether somebody in that role only watches.
pub(crate) fn is_viewer(scene: Scene, role: Role) -> bool {
    scene.is_live() && role == Role::Audience
}

/// Whether those bits let anything be sent.
pub(crate) fn may_send(granted: Privilege) -> bool {
    [Privilege::SEND_AUDIO, Privilege::SEND_VIDEO, Privilege::SEND_SUB]
        .into_iter()
        .any(|one| granted.allows(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Privilege = Privilege::ALL;

    #[test]
    fn in_calls_everybody_sends_whatever_their_role() {
        for role in Role::ALL {
            let permission = permission(Scene::VideoCall, role, ALL, false);
            assert_eq!((permission.publish, permission.subscribe), (Kinds::ALL, Kinds::ALL));
            assert!(permission.can_publish_data && !permission.hidden);
        }
    }

    #[test]
    fn the_audience_of_live_scenes_receives_unseen_and_sends_nothing() {
        for scene in [Scene::Live, Scene::VoiceChatRoom] {
            let permission = permission(scene, Role::Audience, ALL, false);
            assert_eq!((permission.publish, permission.subscribe), (Kinds::NONE, Kinds::ALL));
            assert!(!permission.can_publish_data && permission.hidden);
            assert!(!super::permission(scene, Role::Anchor, ALL, false).hidden);
        }
    }

    #[test]
    fn voice_scenes_carry_no_pictures() {
        for scene in [Scene::AudioCall, Scene::VoiceChatRoom] {
            let sent = permission(scene, Role::Anchor, ALL, false).publish;
            assert_eq!(sent, Kinds { audio: true, ..Kinds::NONE });
        }
    }

    #[test]
    fn each_of_the_six_media_bits_stands_for_one_kind_and_direction() {
        let with = |bits: Privilege| permission(Scene::VideoCall, Role::Anchor, bits, false);
        let audio = Kinds { audio: true, ..Kinds::NONE };
        let video = Kinds { video: true, ..Kinds::NONE };
        let screen = Kinds { screen: true, ..Kinds::NONE };
        for (bits, publish, subscribe) in [
            (Privilege::SEND_AUDIO, audio, Kinds::NONE),
            (Privilege::RECEIVE_AUDIO, Kinds::NONE, audio),
            (Privilege::SEND_VIDEO, video, Kinds::NONE),
            (Privilege::RECEIVE_VIDEO, Kinds::NONE, video),
            (Privilege::SEND_SUB, screen, Kinds::NONE),
            (Privilege::RECEIVE_SUB, Kinds::NONE, screen),
        ] {
            let found = with(bits);
            assert_eq!((found.publish, found.subscribe), (publish, subscribe), "{bits:?}");
            assert_eq!(may_send(bits), publish.any());
        }
    }

    #[test]
    fn who_is_hushed_sends_no_voice_and_everything_else() {
        let hushed = permission(Scene::VideoCall, Role::Anchor, ALL, true);
        assert_eq!(hushed.publish, Kinds { audio: false, ..Kinds::ALL });
        assert!(hushed.can_publish_data);
    }
}
