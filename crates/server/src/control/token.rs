//! LiveKit tokens for people whom `/v1/enter` let in.

use std::time::Duration;

use confab_protocol::ROLE_ATTRIBUTE;
use confab_signal::{Claims, TokenError, VideoGrant};
use rand::RngExt;

use super::Entry;
use super::permission::permission;

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

    /// A token that opens exactly this entry, which has that number; `now` is Unix time in seconds.
    pub(crate) fn token(&self, entry: &Entry, ticket: Option<u64>, now: u64) -> Result<String, TokenError> {
        let permission = permission(entry.scene, entry.role, entry.granted, false);
        let claims = Claims {
            iss: self.key.clone(),
            sub: entry.user.as_str().to_owned(),
            name: entry.name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default(),
            jti: ticket.map(|ticket| ticket.to_string()).unwrap_or_default(),
            exp: now + VALIDITY.as_secs(),
            attributes: [(ROLE_ATTRIBUTE.to_owned(), entry.role.name().to_owned())].into(),
            video: VideoGrant {
                room_join: true,
                room: entry.room.key(entry.app),
                can_publish: Some(permission.publish.any()),
                can_subscribe: Some(permission.subscribe.any()),
                can_publish_data: Some(permission.can_publish_data),
                hidden: permission.hidden,
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
    use confab_protocol::private_map_key::Privilege;
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
            granted: Privilege::ALL,
            waits: false,
            stay: None,
            invite: None,
        }
    }

    fn claims(entry: &Entry) -> Claims {
        let issuer = Issuer::random();
        let token = issuer.token(entry, Some(7), 1000).unwrap();
        Claims::verify(&token, |iss| issuer.secret(iss).map(str::to_owned), 1000).unwrap()
    }

    #[test]
    fn a_token_names_person_room_and_role() {
        let claims = claims(&entry(Scene::VideoCall, Role::Anchor));
        assert_eq!((claims.sub.as_str(), claims.name.as_str()), ("alice", "Alice Liu"));
        assert_eq!((claims.video.room.as_str(), claims.jti.as_str()), ("1/s:a b", "7"));
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
        let watcher = Entry { granted: Privilege(42), ..entry(Scene::VideoCall, Role::Anchor) };
        let video = claims(&watcher).video;
        assert_eq!(video.can_publish, Some(false));
        assert!(!video.hidden);
    }

    #[test]
    fn two_servers_do_not_take_each_others_tokens() {
        let (one, other) = (Issuer::random(), Issuer::random());
        let token = one.token(&entry(Scene::VideoCall, Role::Anchor), None, 1000).unwrap();
        assert!(Claims::verify(&token, |iss| other.secret(iss).map(str::to_owned), 1000).is_err());
        assert!(format!("{one:?}").ends_with(":***"));
    }
}
