//! What the server is told: one struct, filled from defaults, a file, the environment and flags.
//!
//! This module reads neither files nor the environment; the program hands their contents in.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::Deserialize;

mod overlay;

pub use overlay::Overlay;

/// The port of WebSocket, REST, `/v1`, `/healthz` and `/metrics`.
const DEFAULT_HTTP_PORT: u16 = 7880;
/// The first worker's UDP port; others count up from it.
const DEFAULT_MEDIA_PORT: u16 = 7881;

/// One a core is enough, and each takes a UDP port.
const MOST_WORKERS: usize = 256;

/// Everything `confab-server` can be told. Lists that are empty mean "nobody".
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where HTTP listens; port 0 takes a free one.
    pub http: SocketAddr,
    /// Where the first media worker listens (UDP); port 0 takes free ones.
    pub media: SocketAddr,
    /// How many media workers; none means one a core, two at most.
    pub workers: Option<usize>,
    /// Addresses put into ICE candidates; empty means the one of `media`.
    pub advertise: Vec<IpAddr>,
    /// Applications whose users may enter by `/v1/enter`.
    pub app: Vec<AppConfig>,
    /// Keys of LiveKit tokens.
    pub api_key: Vec<ApiKey>,
    /// Keys of Tencent Cloud requests.
    pub cloud_key: Vec<CloudKey>,
}

/// One application: its SDKAppID and the secret its UserSigs are made with.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppConfig {
    /// SDKAppID, never 0.
    pub id: u32,
    /// The secret, used as its UTF-8 bytes.
    pub key: String,
    /// Whether people without a UserSig get one by `/v1/ticket`, for one room and a day.
    #[serde(default)]
    pub guests: bool,
    /// What guests have to say for it; nothing when left out.
    #[serde(default)]
    pub passcode: Option<String>,
}

impl AppConfig {
    /// An application that takes no guests.
    pub fn new(id: u32, key: impl Into<String>) -> AppConfig {
        AppConfig { id, key: key.into(), guests: false, passcode: None }
    }
}

/// One LiveKit API key and its secret.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// What tokens name as issuer.
    pub key: String,
    /// What they are signed with.
    pub secret: String,
}

/// One Tencent Cloud key pair.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudKey {
    /// SecretId.
    pub id: String,
    /// SecretKey.
    pub key: String,
}

/// Why a configuration cannot be used. The sentence names the place, never a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file is not the TOML that is wanted.
    #[error("{file} line {line}: {reason}")]
    File {
        /// The file as it was named.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A flag or environment variable cannot be read.
    #[error("{name}: {reason}")]
    Value {
        /// `CONFAB_HTTP` or `--http`.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The parts are readable but do not fit together.
    #[error("{0}")]
    Conflict(String),
}

impl Default for Config {
    fn default() -> Config {
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Config {
            http: loopback(DEFAULT_HTTP_PORT),
            media: loopback(DEFAULT_MEDIA_PORT),
            workers: None,
            advertise: Vec::new(),
            app: Vec::new(),
            api_key: Vec::new(),
            cloud_key: Vec::new(),
        }
    }
}

impl Config {
    /// Reads the text of a configuration file; `file` is only named in errors.
    pub fn from_toml(file: &str, text: &str) -> Result<Config, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError::File {
            file: file.to_owned(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            reason: without_values(error.message()),
        })
    }

    /// Lays settings that were given elsewhere over these; a list replaces the whole list.
    #[must_use]
    pub fn with(mut self, over: Overlay) -> Config {
        fn set<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        set(&mut self.http, over.http);
        set(&mut self.media, over.media);
        set(&mut self.advertise, over.advertise);
        set(&mut self.app, over.app);
        set(&mut self.api_key, over.api_key);
        set(&mut self.cloud_key, over.cloud_key);
        self.workers = over.workers.or(self.workers);
        self
    }

    /// Refuses what could only surprise later: empty or doubled keys, app 0, no workers.
    pub fn check(&self) -> Result<(), ConfigError> {
        let conflict = |text: String| Err(ConfigError::Conflict(text));
        if self.workers.is_some_and(|workers| !(1..=MOST_WORKERS).contains(&workers)) {
            return conflict(format!("workers must be from 1 to {MOST_WORKERS}"));
        }
        for (index, app) in self.app.iter().enumerate() {
            if app.id == 0 {
                return conflict("an app has id 0; SDKAppIDs start at 1".to_owned());
            }
            if app.key.is_empty() {
                return conflict(format!("app {} has an empty key", app.id));
            }
            if app.passcode.as_ref().is_some_and(String::is_empty) {
                return conflict(format!("app {} has an empty passcode; leave it out", app.id));
            }
            if app.passcode.is_some() && !app.guests {
                return conflict(format!("app {} has a passcode but takes no guests", app.id));
            }
            if self.app[..index].iter().any(|other| other.id == app.id) {
                return conflict(format!("app {} is given twice", app.id));
            }
        }
        let named = |what: &str, pairs: Vec<(&str, &str)>| {
            for (index, (name, secret)) in pairs.iter().enumerate() {
                if name.is_empty() || secret.is_empty() {
                    return Err(format!("{what} with an empty half"));
                }
                if pairs[..index].iter().any(|(other, _)| other == name) {
                    return Err(format!("{what} {name} is given twice"));
                }
            }
            Ok(())
        };
        let api = self.api_key.iter().map(|k| (&*k.key, &*k.secret));
        let cloud = self.cloud_key.iter().map(|k| (&*k.id, &*k.key));
        named("api_key", api.collect())
            .and_then(|()| named("cloud_key", cloud.collect()))
            .map_err(ConfigError::Conflict)
    }

    /// The secret of an application, if it is one of ours.
    pub fn app_key(&self, id: u32) -> Option<&str> {
        self.app.iter().find(|app| app.id == id).map(|app| app.key.as_str())
    }
}

/// The line, counted from 1, in which the byte at `offset` stands.
fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|&&byte| byte == b'\n').count() + 1
}

/// A value of the wrong type may be a secret in the wrong field: its text is left out.
fn without_values(message: &str) -> String {
    let message = message.trim();
    match (message.strip_prefix("invalid type: string \""), message.rfind("\", ")) {
        (Some(_), Some(end)) => format!("invalid type: a string, {}", &message[end + 3..]),
        _ => message.replace('\n', "; "),
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("http", &self.http)
            .field("media", &self.media)
            .field("workers", &self.workers)
            .field("advertise", &self.advertise)
            .field("app", &self.app)
            .field("api_key", &self.api_key)
            .field("cloud_key", &self.cloud_key)
            .finish()
    }
}

impl fmt::Debug for AppConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:***", self.id)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:***", self.key)
    }
}

impl fmt::Debug for CloudKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:***", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
http = \"127.0.0.1:1000\"
media = \"127.0.0.1:2000\"
workers = 3
advertise = [\"192.0.2.1\"]

[[app]]
id = 1400000001
key = \"file-key\"

[[api_key]]
key = \"api\"
secret = \"api-secret\"

[[cloud_key]]
id = \"AKID\"
key = \"cloud-secret\"
";

    #[test]
    fn a_file_fills_every_field() {
        let config = Config::from_toml("c.toml", FILE).unwrap();
        assert_eq!(config.http.port(), 1000);
        assert_eq!(config.media.port(), 2000);
        assert_eq!(config.workers, Some(3));
        assert_eq!(config.advertise, ["192.0.2.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(config.app_key(1_400_000_001), Some("file-key"));
        assert_eq!(config.api_key[0].secret, "api-secret");
        assert_eq!(config.cloud_key[0].id, "AKID");
        config.check().unwrap();
    }

    #[test]
    fn an_empty_file_leaves_the_defaults() {
        let config = Config::from_toml("c.toml", "").unwrap();
        assert_eq!(config, Config::default());
        assert_eq!(config.http.to_string(), "127.0.0.1:7880");
        assert_eq!(config.media.to_string(), "127.0.0.1:7881");
    }

    #[test]
    fn an_unknown_field_is_refused_with_its_line() {
        let error = Config::from_toml("c.toml", "http = \"0.0.0.0:1\"\n\nprot = 3\n").unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("c.toml line 3: unknown field `prot`"), "{text}");

        let nested = "[[app]]\nid = 1\nkey = \"k\"\nsecret = \"planted-secret\"\n";
        let text = Config::from_toml("c.toml", nested).unwrap_err().to_string();
        assert!(text.starts_with("c.toml line 4: unknown field `secret`"), "{text}");
        assert!(!text.contains("planted-secret"), "{text}");
    }

    #[test]
    fn a_broken_file_names_the_line_and_no_secret() {
        let text = Config::from_toml("c.toml", "http = \n").unwrap_err().to_string();
        assert!(text.starts_with("c.toml line 1: "), "{text}");
        let swapped = "[[app]]\nkey = \"k\"\nid = \"planted-secret\"\n";
        let text = Config::from_toml("c.toml", swapped).unwrap_err().to_string();
        assert_eq!(text, "c.toml line 3: invalid type: a string, expected u32");
        let address = Config::from_toml("c.toml", "\nhttp = \"nowhere\"").unwrap_err().to_string();
        assert!(address.starts_with("c.toml line 2: "), "{address}");
    }

    #[test]
    fn the_environment_wins_over_the_file_and_flags_over_both() {
        let env = Overlay::from_env(|name| match name {
            "CONFAB_HTTP" => Some("127.0.0.1:1001".to_owned()),
            "CONFAB_MEDIA" => Some("127.0.0.1:2001".to_owned()),
            "CONFAB_APP" => Some("1:a,2:b:c".to_owned()),
            _ => None,
        })
        .unwrap();
        let flags = Overlay { http: Some("127.0.0.1:1002".parse().unwrap()), ..Overlay::default() };
        let config = Config::from_toml("c.toml", FILE).unwrap().with(env).with(flags);
        assert_eq!(config.http.port(), 1002, "flag");
        assert_eq!(config.media.port(), 2001, "environment");
        assert_eq!(config.workers, Some(3), "file");
        assert_eq!(config.app.len(), 2, "a list replaces the list");
        assert_eq!(config.app_key(2), Some("b:c"), "only the first colon parts id and key");
    }

    #[test]
    fn contradictions_are_refused() {
        let app = |id, key: &str| AppConfig::new(id, key);
        let with = |apps: Vec<AppConfig>| Config { app: apps, ..Config::default() }.check();
        assert!(with(vec![app(1, "a"), app(1, "b")]).unwrap_err().to_string().contains("1 is given twice"));
        assert!(with(vec![app(0, "a")]).is_err());
        assert!(with(vec![app(1, "")]).is_err());
        assert!(with(vec![app(1, "a"), app(2, "a")]).is_ok());
        assert!(Config { workers: Some(0), ..Config::default() }.check().is_err());
        let key = |key: &str| ApiKey { key: key.to_owned(), secret: "s".to_owned() };
        assert!(Config { api_key: vec![key("a"), key("a")], ..Config::default() }.check().is_err());
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let config = Config::from_toml("c.toml", FILE).unwrap();
        let text = format!("{config:?} {config:#?}");
        assert!(text.contains("1400000001:***"), "{text}");
        for secret in ["file-key", "api-secret", "cloud-secret"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
