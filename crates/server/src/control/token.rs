//! LiveKit tokens for people whom `/v1/enter` let in.

use std::time::Duration;

use confab_protocol::ROLE_ATTRIBUTE;
use confab_signal::{Claims, TokenError, VideoGrant};
use rand::RngExt;

use super::Entry;

/// How long a token opens signalling. A seat is asked for as well, so this only has to outlast a
/// long meeting with reconnects.
const VALIDITY: Duration = Duration::from_secs(24 * 3600);

/// The key pair with which the room service signs. Made anew at every start, so that no
/// configuration holds it.
pub(crate) struct Issuer {
    key: String,
    secret: String,
}

impl Issuer {
    /// A random key pair.
    pub(crate) fn random() -> Issuer {
        let mut bytes = [0_u8; 40];
        rand::rng().fill(&mut bytes);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (key, secret) = hex.split_at(16);
        Issuer { key: format!("confab-{key}"), secret: secret.to_owned() }
    }

    /// The secret, if `iss` names this key.
    pub(crate) fn secret(&self, iss: &str) -> Option<&str> {
        self.issued(iss).then_some(self.secret.as_str())
    }

    /// Whether a token with that issuer came from here.
    pub(crate) fn issued(&self, iss: &str) -> bool {
        iss == self.key
    }

    /// A token that opens exactly this entry; `now` is Unix time in seconds.
    pub(crate) fn token(&self, entry: &Entry, now: u64) -> Result<String, TokenError> {
        let claims = Claims {
            iss: self.key.clone(),
            sub: entry.user.as_str().to_owned(),
            name: entry.name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default(),
            exp: now + VALIDITY.as_secs(),
            attributes: [(ROLE_ATTRIBUTE.to_owned(), entry.role.name().to_owned())].into(),
            video: VideoGrant {
                room_join: true,
                room: entry.room.key(entry.app),
                can_publish: Some(entry.may_publish && !entry.is_audience()),
                can_subscribe: Some(entry.may_subscribe),
                can_publish_data: Some(!entry.is_audience()),
                hidden: entry.is_audience(),
                ..VideoGrant::default()
            },
            ..Claims::default()
        };
        claims.sign(&self.secret)
    }
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:***", self.key)
    }
}

#[cfg(test)]
mod tests {
    use confab_protocol::{Role, RoomId, Scene, SdkAppId};

    use super::*;

    fn entry(scene: Scene, role: Role) -> Entry {
        Entry {
            app: SdkAppId(1),
            user: "alice".parse().unwrap(),
            name: "Alice Liu".parse().ok(),
            room: RoomId::text("a b").unwrap(),
            scene,
            role,
            may_create: true,
            may_publish: true,
            may_subscribe: true,
            stay: None,
        }
    }

    fn claims(entry: &Entry) -> Claims {
        let issuer = Issuer::random();
        let token = issuer.token(entry, 1000).unwrap();
        Claims::verify(&token, |iss| issuer.secret(iss).map(str::to_owned), 1000).unwrap()
    }

    #[test]
    fn a_token_names_person_room_and_role() {
        let claims = claims(&entry(Scene::VideoCall, Role::Anchor));
        assert_eq!((claims.sub.as_str(), claims.name.as_str()), ("alice", "Alice Liu"));
        assert_eq!(claims.video.room, "1/s:a b");
        assert_eq!(claims.attributes[ROLE_ATTRIBUTE], "anchor");
        assert!(claims.video.room_join && !claims.video.hidden);
        assert_eq!(claims.video.can_publish, Some(true));
        assert!(!claims.video.room_admin && !claims.video.room_create && !claims.video.room_list);
    }

    #[test]
    fn viewers_of_live_rooms_are_hidden_and_send_nothing() {
        let video = claims(&entry(Scene::Live, Role::Audience)).video;
        assert!(video.hidden);
        assert_eq!((video.can_publish, video.can_publish_data), (Some(false), Some(false)));
        assert_eq!(video.can_subscribe, Some(true));
        assert!(!claims(&entry(Scene::Live, Role::Anchor)).video.hidden);
    }

    #[test]
    fn a_ticket_without_sending_takes_publishing_away() {
        let watcher = Entry { may_publish: false, ..entry(Scene::VideoCall, Role::Anchor) };
        let video = claims(&watcher).video;
        assert_eq!(video.can_publish, Some(false));
        assert!(!video.hidden);
    }

    #[test]
    fn two_servers_do_not_take_each_others_tokens() {
        let (one, other) = (Issuer::random(), Issuer::random());
        let token = one.token(&entry(Scene::VideoCall, Role::Anchor), 1000).unwrap();
        assert!(Claims::verify(&token, |iss| other.secret(iss).map(str::to_owned), 1000).is_err());
        assert!(format!("{one:?}").ends_with(":***"));
    }
}
