//! `usersig` and `token`: signatures made by hand.

use anyhow::{Context, Result, bail};
use confab_protocol::{SdkAppId, UserId, user_sig as protocol};
use confab_server::{AppConfig, Config};
use confab_signal::{Claims, VideoGrant};

use crate::cli::{Token, UserSig};

/// A UserSig; `now` is Unix time in seconds.
pub(crate) fn user_sig(config: &Config, ask: &UserSig, now: u64) -> Result<String> {
    let user: UserId = ask.user.parse()?;
    let app = app_of(config, ask.app)?;
    Ok(protocol::sign(SdkAppId(app.id), &app.key, user.as_str(), ask.expire, now, None))
}

/// A LiveKit token that joins one room; `now` is Unix time in seconds.
pub(crate) fn token(config: &Config, ask: &Token, now: u64) -> Result<String> {
    let key = config.api_key.first().context(
        "no api_key is configured; give one with --config FILE, CONFAB_API_KEY=KEY:SECRET or --api-key KEY:SECRET",
    )?;
    if ask.room.is_empty() || ask.user.is_empty() {
        bail!("a room and a user are needed");
    }
    let video = VideoGrant {
        room_join: true,
        room_admin: ask.admin,
        room: ask.room.clone(),
        ..VideoGrant::default()
    };
    let claims = Claims {
        iss: key.key.clone(),
        sub: ask.user.clone(),
        exp: now.saturating_add(ask.expire),
        nbf: now,
        video,
        ..Claims::default()
    };
    Ok(claims.sign(&key.secret)?)
}

fn app_of(config: &Config, id: Option<u32>) -> Result<&AppConfig> {
    let how = "give it with --config FILE, CONFAB_APP=ID:KEY or --app ID:KEY before the subcommand";
    match (id, config.app.as_slice()) {
        (None, [one]) => Ok(one),
        (None, []) => bail!("no app is configured; {how}"),
        (None, _) => bail!("several apps are configured; say which with --app ID"),
        (Some(id), apps) => {
            apps.iter().find(|app| app.id == id).with_context(|| format!("app {id} has no key here; {how}"))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use confab_server::ApiKey;

    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn config() -> Config {
        let app = |id, key: &str| AppConfig::new(id, key);
        Config {
            app: vec![app(1, "one"), app(2, "two")],
            api_key: vec![ApiKey { key: "k".to_owned(), secret: "s".to_owned() }],
            ..Config::default()
        }
    }

    fn ask(app: Option<u32>, user: &str) -> UserSig {
        UserSig { app, user: user.to_owned(), expire: 60 }
    }

    #[test]
    fn a_signature_is_made_with_the_key_of_the_app() {
        let sig = user_sig(&config(), &ask(Some(2), "alice"), NOW).unwrap();
        let ticket = protocol::verify(&sig, SdkAppId(2), |_| Some("two"), "alice", NOW + 59).unwrap();
        assert_eq!(ticket.expire, 60);
    }

    #[test]
    fn what_cannot_be_signed_is_said() {
        let says = |config: &Config, ask: &UserSig| user_sig(config, ask, NOW).unwrap_err().to_string();
        assert!(says(&config(), &ask(Some(3), "alice")).starts_with("app 3 has no key here"));
        assert!(says(&config(), &ask(None, "alice")).starts_with("several apps"));
        assert!(says(&Config::default(), &ask(None, "alice")).starts_with("no app"));
        assert!(says(&config(), &ask(Some(1), "Zoë")).contains('ë'));
    }

    #[test]
    fn a_token_joins_its_room() {
        let mut ask = Token { room: "1/n:5".to_owned(), user: "bot".to_owned(), admin: false, expire: 60 };
        let read = |ask: &Token| {
            let text = token(&config(), ask, NOW).unwrap();
            Claims::verify(&text, |_| Some("s".to_owned()), NOW).unwrap()
        };
        let claims = read(&ask);
        assert_eq!((claims.sub.as_str(), claims.video.room.as_str()), ("bot", "1/n:5"));
        assert!(!claims.video.room_admin);
        ask.admin = true;
        assert!(read(&ask).video.room_admin);
        assert!(token(&Config::default(), &ask, NOW).is_err());
    }
}
