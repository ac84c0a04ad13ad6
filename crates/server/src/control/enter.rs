//! What an entry has to show before rooms are looked at: parameters, UserSig, permission.

use confab_protocol::private_map_key::{self, PrivateMapKey, Privilege};
use confab_protocol::user_sig::{self, Ticket};
use confab_protocol::{
    Code, DisplayName, EnterParams, Fault, OneTimeTicket, Proof, RawEnterParams, Role, RoomId, Scene,
    SdkAppId, Stay, UserId,
};

use super::permission::may_send;
use crate::config::Config;

/// What somebody is told who should have brought a permission.
const NO_PERMISSION: &str = "This application asks for a permission ticket (PrivateMapKey), and none was \
    given; ask the server of your application for one.";

/// Somebody who is who they say and may do what they ask; the room may still refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) app: SdkAppId,
    pub(crate) user: UserId,
    pub(crate) name: Option<DisplayName>,
    pub(crate) room: RoomId,
    pub(crate) scene: Scene,
    pub(crate) role: Role,
    /// What their permission allows.
    pub(crate) granted: Privilege,
    /// In a room that they open, those who come wait until they are admitted.
    pub(crate) waits: bool,
    /// What the client calls this stay, if it does.
    pub(crate) stay: Option<Stay>,
    /// What lets one person in once, if they have it.
    pub(crate) invite: Option<OneTimeTicket>,
}

impl Entry {
    /// Whether they may open the room when nobody is in it.
    pub(crate) fn may_create(&self) -> bool {
        self.granted.allows(Privilege::CREATE)
    }
}

/// Checks parameters, UserSig and permission, in this order; `now` is Unix time in seconds.
pub(crate) fn check(
    raw: RawEnterParams,
    stay: Option<Stay>,
    config: &Config,
    now: u64,
) -> Result<Entry, Fault> {
    let (params, _) = raw.check()?;
    let invite = params.ticket.clone();
    // Guests come with the signature that they were given.
    let Proof::Sig(app, sig) = &params.proof else { return Err(Fault::new(Code::INVALID_USER_SIG)) };
    let key_of = |app: SdkAppId| config.app_key(app.0);
    let ticket = user_sig::verify(&sig.0, *app, key_of, params.user_id.as_str(), now)?;
    let granted = match (bound(&ticket, &params, *app, now)?, privilege(&params, *app, config, now)?) {
        (Some(bound), Some(granted)) => bound.and(granted),
        (Some(bits), None) | (None, Some(bits)) => bits,
        (None, None) if config.application(app.0).is_some_and(|app| app.permission) => {
            return Err(Fault::new(Code::INVALID_PRIVATE_MAP_KEY).with_message(NO_PERMISSION));
        }
        (None, None) => Privilege::ALL,
    };
    if params.scene.is_live() && params.role == Role::Anchor && !may_send(granted) {
        let audience = "This permission is for the audience: it lets nobody send.";
        return Err(Fault::new(Code::INVALID_PRIVATE_MAP_KEY).with_message(audience));
    }
    Ok(Entry {
        granted,
        waits: config.application(app.0).is_some_and(|app| app.waiting_room),
        app: *app,
        user: params.user_id,
        name: params.name,
        room: params.room,
        scene: params.scene,
        role: params.role,
        stay,
        invite,
    })
}

/// What the signature itself allows: one with a permission inside, as guests get it, holds for its
/// room only.
fn bound(ticket: &Ticket, params: &EnterParams, app: SdkAppId, now: u64) -> Result<Option<Privilege>, Fault> {
    let content = ticket.userbuf.as_deref().and_then(PrivateMapKey::from_bytes);
    let Some(content) = content else { return Ok(None) };
    if content.room != params.room {
        return Err(Fault::new(Code::NO_PRIVILEGE_ENTER_ROOM).with_message(format!(
            "The UserSig is good for room {} only, not for {}; ask for one for this room.",
            content.room, params.room
        )));
    }
    entering(content.check(app, params.user_id.as_str(), &params.room, now)?).map(Some)
}

/// What the permission ticket allows, where there is one.
fn privilege(
    params: &EnterParams,
    app: SdkAppId,
    config: &Config,
    now: u64,
) -> Result<Option<Privilege>, Fault> {
    let Some(ticket) = &params.private_map_key else { return Ok(None) };
    let key_of = |app: SdkAppId| config.app_key(app.0);
    let user = params.user_id.as_str();
    entering(private_map_key::verify(&ticket.0, app, key_of, user, &params.room, now)?).map(Some)
}

/// What a permission allows that lets somebody enter.
fn entering(permission: PrivateMapKey) -> Result<Privilege, Fault> {
    let enters = permission.bits.allows(Privilege::ENTER);
    enters.then_some(permission.bits).ok_or_else(|| Fault::new(Code::NO_PRIVILEGE_ENTER_ROOM))
}

#[cfg(test)]
mod tests {
    use confab_protocol::private_map_key::PrivateMapKey;

    use super::*;
    use crate::config::AppConfig;

    const NOW: u64 = 1_700_000_000;
    const APP: SdkAppId = SdkAppId(1_400_000_001);

    fn config() -> Config {
        let app = |id, key: &str| AppConfig::new(id, key);
        Config { app: vec![app(APP.0, "key-one"), app(7, "key-two")], ..Config::default() }
    }

    fn raw() -> RawEnterParams {
        RawEnterParams {
            sdk_app_id: Some(i64::from(APP.0)),
            user_id: Some("alice".to_owned()),
            user_sig: Some(user_sig::sign(APP, "key-one", "alice", 3600, NOW, None)),
            room_id: Some(123),
            ..RawEnterParams::default()
        }
    }

    fn refused(raw: RawEnterParams) -> (i32, Option<i32>) {
        let fault = check(raw, None, &config(), NOW).unwrap_err();
        assert!(!fault.message.is_empty());
        (fault.code, fault.detail)
    }

    #[test]
    fn a_good_signature_enters_with_every_permission() {
        let entry = check(raw(), None, &config(), NOW).unwrap();
        assert_eq!(entry.room.key(entry.app), "1400000001/n:123");
        assert_eq!(entry.granted, Privilege::ALL);
    }

    #[test]
    fn parameters_are_checked_before_the_signature() {
        let bad_sig = || RawEnterParams { user_sig: Some("x".to_owned()), ..raw() };
        assert_eq!(refused(RawEnterParams::default()), (-3316, None));
        assert_eq!(refused(RawEnterParams { sdk_app_id: Some(0), ..bad_sig() }), (-3317, None));
        assert_eq!(refused(RawEnterParams { room_id: Some(4_294_967_295), ..bad_sig() }), (-3318, None));
        assert_eq!(refused(RawEnterParams { user_id: Some("Zoë".to_owned()), ..bad_sig() }), (-3319, None));
        assert_eq!(refused(RawEnterParams { user_sig: None, ..raw() }), (-3320, None));
    }

    #[test]
    fn each_wrong_signature_has_its_detail() {
        let with = |sig: String| refused(RawEnterParams { user_sig: Some(sig), ..raw() });
        let sign = |app, key, user, expire| user_sig::sign(app, key, user, expire, NOW, None);
        assert_eq!(with("garbage".to_owned()), (-100_018, Some(-70003)));
        assert_eq!(with(sign(APP, "key-two", "alice", 60)), (-100_018, Some(-70009)));
        assert_eq!(with(sign(APP, "key-one", "bob", 60)), (-100_018, Some(-70013)));
        assert_eq!(with(sign(SdkAppId(7), "key-two", "alice", 60)), (-100_018, Some(-70014)));
        assert_eq!(with(sign(APP, "key-one", "alice", 0)), (-100_018, Some(-70001)));
        let unknown = RawEnterParams {
            sdk_app_id: Some(99),
            user_sig: Some(sign(SdkAppId(99), "key-one", "alice", 60)),
            ..raw()
        };
        assert_eq!(refused(unknown), (-100_018, Some(-70020)));
    }

    #[test]
    fn the_signature_is_checked_before_the_permission() {
        let raw = RawEnterParams {
            user_sig: Some("garbage".to_owned()),
            private_map_key: Some("garbage".to_owned()),
            ..raw()
        };
        assert_eq!(refused(raw).0, -100_018);
    }

    #[test]
    fn an_application_that_asks_for_a_permission_lets_nobody_in_without_one() {
        let mut config = config();
        config.app[0].permission = true;
        let fault = check(raw(), None, &config, NOW).unwrap_err();
        assert_eq!(fault.code, -100_006);
        assert!(fault.message.contains("PrivateMapKey"), "{}", fault.message);
        let content = PrivateMapKey {
            account: "alice".to_owned(),
            app: APP,
            room: RoomId::number(123_u32).unwrap(),
            expires: 0,
            bits: Privilege::ALL,
        };
        let with = RawEnterParams { private_map_key: content.sign("key-one", 60, NOW), ..raw() };
        check(with, None, &config, NOW).unwrap();
    }

    #[test]
    fn a_ticket_narrows_what_somebody_may_do() {
        let ticket = |room: u32, bits: u32| {
            let content = PrivateMapKey {
                account: "alice".to_owned(),
                app: APP,
                room: RoomId::number(room).unwrap(),
                expires: 0,
                bits: Privilege(bits),
            };
            RawEnterParams { private_map_key: content.sign("key-one", 60, NOW), ..raw() }
        };
        let watcher = check(ticket(123, 42), None, &config(), NOW).unwrap();
        assert_eq!(watcher.granted, Privilege(42));
        assert!(!watcher.may_create() && !may_send(watcher.granted));
        assert_eq!(refused(ticket(124, 255)), (-100_006, None));
        assert_eq!(refused(ticket(123, 253)), (-102_011, None));
        let garbage = RawEnterParams { private_map_key: Some("garbage".to_owned()), ..raw() };
        assert_eq!(refused(garbage).0, -100_006);
    }

    #[test]
    fn a_permission_shown_as_the_signature_allows_no_more_than_as_a_permission() {
        let shown = |account: &str, app: SdkAppId, expires: u64, bits: u32| {
            let room = RoomId::number(123_u32).unwrap();
            let expires = u32::try_from(expires).unwrap();
            let content =
                PrivateMapKey { account: account.to_owned(), app, room, expires, bits: Privilege(bits) };
            let sig = user_sig::sign(APP, "key-one", "alice", 60, NOW, content.to_bytes().as_deref());
            check(RawEnterParams { user_sig: Some(sig), ..raw() }, None, &config(), NOW)
        };
        assert_eq!(shown("alice", APP, NOW + 60, 42).unwrap().granted, Privilege(42));
        let refused = |account, app, expires, bits| shown(account, app, expires, bits).unwrap_err().code;
        assert_eq!(refused("alice", APP, NOW + 60, 253), -102_011, "bit 2 is missing");
        assert_eq!(refused("alice", APP, NOW, 255), -100_006);
        assert_eq!(refused("bob", APP, NOW + 60, 255), -100_006);
        assert_eq!(refused("alice", SdkAppId(7), NOW + 60, 255), -100_006);
    }
}
