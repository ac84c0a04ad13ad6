//! What the server is told: one struct, filled from defaults, a file, the environment and flags.
//!
//! This module reads neither files nor the environment; the program hands their contents in.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use confab_protocol::{Limits, Scene};
use serde::Deserialize;

use crate::proxy::Network;

mod callback;
mod check;
mod overlay;

pub use callback::CallbackConfig;
pub use overlay::Overlay;

/// The port of WebSocket, REST, `/v1`, `/healthz` and `/metrics`.
const DEFAULT_HTTP_PORT: u16 = 7880;
/// The first worker's port, of UDP and TCP; others count up from it.
const DEFAULT_MEDIA_PORT: u16 = 7881;

/// Everything `confab-server` can be told. Lists that are empty mean "nobody".
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where HTTP listens; port 0 takes a free one.
    pub http: SocketAddr,
    /// The certificate that HTTP encrypts with; none means clear text.
    pub tls: Option<TlsFiles>,
    /// Where the first media worker listens, for UDP and TCP; port 0 takes free ones.
    pub media: SocketAddr,
    /// Whether media workers take TCP connections on the same ports too, for clients whose networks let
    /// no UDP out.
    pub media_tcp: bool,
    /// How many media workers; none means one a core, two at most.
    pub workers: Option<usize>,
    /// Addresses put into ICE candidates; empty means the one of `media`.
    pub advertise: Vec<IpAddr>,
    /// Applications whose users may enter by `/v1/enter`.
    pub app: Vec<AppConfig>,
    /// What rooms hold.
    pub limits: SceneLimits,
    /// Keys of LiveKit tokens.
    pub api_key: Vec<ApiKey>,
    /// Keys of Tencent Cloud requests.
    pub cloud_key: Vec<CloudKey>,
    /// Proxies whose word counts on where a request came from and whether it was encrypted.
    pub proxies: Vec<Network>,
    /// The file with the history of rooms; none keeps it in memory until the server stops.
    pub database: Option<PathBuf>,
    /// Where people get the app, `http` or `https`; the page that opens invitations leads there. None leaves
    /// it to whoever invites.
    pub download_url: Option<String>,
    /// Whether `/v1` answers pages only where they came by an IP address or `localhost`: for a server
    /// that has no name, so that any name was given to it by somebody else. Set by programs, never read.
    #[serde(skip)]
    pub nameless: bool,
}

/// What rooms of each kind hold (TRTC's figures where nothing is given).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SceneLimits {
    /// Meetings: video calls and audio calls.
    pub call: Limits,
    /// Broadcasts: live rooms and voice chat rooms.
    pub live: Limits,
}

impl Default for SceneLimits {
    fn default() -> SceneLimits {
        SceneLimits {
            call: Limits { online: 300, publishing: 50 },
            live: Limits { online: 100_000, publishing: 50 },
        }
    }
}

impl SceneLimits {
    /// What a room of that scene holds.
    pub fn of(&self, scene: Scene) -> Limits {
        if scene.is_live() { self.live } else { self.call }
    }
}

/// Files with a certificate, read again when they change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// PEM: the server's certificate, and behind it those that lead to an authority.
    pub certificate: PathBuf,
    /// PEM: the certificate's key.
    pub key: PathBuf,
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
    /// Whether everybody needs a permission ticket (PrivateMapKey) beside their UserSig; that of a guest
    /// is in their signature.
    #[serde(default)]
    pub permission: bool,
    /// Whether those who come to a room wait until a host admits them, unless a host changes that.
    #[serde(default)]
    pub waiting_room: bool,
    /// Who is told what happens in the rooms; nobody when left out.
    #[serde(default)]
    pub callback: Option<CallbackConfig>,
}

impl AppConfig {
    /// An application that takes no guests and tells nobody.
    pub fn new(id: u32, key: impl Into<String>) -> AppConfig {
        AppConfig {
            id,
            key: key.into(),
            guests: false,
            passcode: None,
            permission: false,
            waiting_room: false,
            callback: None,
        }
    }
}

/// What lets people in who come to the applications of a server, beside their signature.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Door {
    /// What guests have to say for a signature; nothing when left out.
    pub passcode: Option<String>,
    /// Whether those who come to a room that is opened from now on wait until a host admits them.
    pub waiting_room: bool,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passcode = self.passcode.as_ref().map(|_| "***");
        f.debug_struct("Door").field("passcode", &passcode).field("waiting_room", &self.waiting_room).finish()
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
    /// The parts are readable but do not fit together, and nobody says where they came from.
    #[error("{0}")]
    Conflict(String),
}

impl Default for Config {
    fn default() -> Config {
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Config {
            http: loopback(DEFAULT_HTTP_PORT),
            tls: None,
            media: loopback(DEFAULT_MEDIA_PORT),
            media_tcp: true,
            workers: None,
            advertise: Vec::new(),
            app: Vec::new(),
            limits: SceneLimits::default(),
            api_key: Vec::new(),
            cloud_key: Vec::new(),
            proxies: Vec::new(),
            database: None,
            download_url: None,
            nameless: false,
        }
    }
}

impl Config {
    /// Reads the text of a configuration file and refuses what [`Config::check`] would; `file` is only named
    /// in errors.
    pub fn from_toml(file: &str, text: &str) -> Result<Config, ConfigError> {
        let refused = |line, reason| ConfigError::File { file: file.to_owned(), line, reason };
        let config: Config = toml::from_str(text).map_err(|error| {
            let line = line_of(text, error.span().map_or(0, |span| span.start));
            refused(line, without_values(error.message()))
        })?;
        match check::unfit(&config) {
            None => Ok(config),
            Some(unfit) => Err(refused(line_of(text, unfit.offset(text)), unfit.reason)),
        }
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
        set(&mut self.media_tcp, over.media_tcp);
        set(&mut self.advertise, over.advertise);
        set(&mut self.app, over.app);
        set(&mut self.api_key, over.api_key);
        set(&mut self.cloud_key, over.cloud_key);
        set(&mut self.proxies, over.proxies);
        self.workers = over.workers.or(self.workers);
        self.tls = over.tls.or(self.tls);
        self.database = over.database.or(self.database);
        self.download_url = over.download_url.or(self.download_url);
        self
    }

    /// Refuses what could only surprise later: empty or doubled keys, app 0, no workers.
    pub fn check(&self) -> Result<(), ConfigError> {
        check::unfit(self).map_or(Ok(()), |unfit| Err(ConfigError::Conflict(unfit.reason)))
    }

    /// An application, if it is one of ours.
    pub fn application(&self, id: u32) -> Option<&AppConfig> {
        self.app.iter().find(|app| app.id == id)
    }

    /// The secret of an application, if it is one of ours.
    pub fn app_key(&self, id: u32) -> Option<&str> {
        self.application(id).map(|app| app.key.as_str())
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
            .field("tls", &self.tls)
            .field("media", &self.media)
            .field("media_tcp", &self.media_tcp)
            .field("workers", &self.workers)
            .field("advertise", &self.advertise)
            .field("app", &self.app)
            .field("limits", &self.limits)
            .field("api_key", &self.api_key)
            .field("cloud_key", &self.cloud_key)
            .field("proxies", &self.proxies)
            .field("database", &self.database)
            .field("download_url", &self.download_url)
            .field("nameless", &self.nameless)
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
media_tcp = false
workers = 3
advertise = [\"192.0.2.1\"]
database = \"confab.db\"
download_url = \"https://get.example/confab\"
proxies = [\"10.0.0.0/8\", \"127.0.0.1\"]

[[app]]
id = 1400000001
key = \"file-key\"
callback = { url = \"https://a.example/told?callback-url\", key = \"callbackKey\" }

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
        assert!(!config.media_tcp && Config::default().media_tcp, "on unless it is switched off");
        assert_eq!(config.workers, Some(3));
        assert_eq!(config.advertise, ["192.0.2.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(config.app_key(1_400_000_001), Some("file-key"));
        assert_eq!(config.api_key[0].secret, "api-secret");
        assert_eq!(config.cloud_key[0].id, "AKID");
        assert_eq!(config.database, Some("confab.db".into()));
        assert_eq!(config.download_url.as_deref(), Some("https://get.example/confab"));
        assert_eq!(config.proxies, ["10.0.0.0/8".parse().unwrap(), "127.0.0.1".parse().unwrap()]);
        assert_eq!(config.app[0].callback.as_ref().unwrap().key, "callbackKey");
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

        let hosts_only = Config::from_toml("c.toml", "nameless = true\n").unwrap_err().to_string();
        assert!(hosts_only.contains("unknown field `nameless`"), "{hosts_only}");

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
    fn debug_output_shows_no_secret() {
        let config = Config::from_toml("c.toml", FILE).unwrap();
        let text = format!("{config:?} {config:#?}");
        assert!(text.contains("1400000001:***"), "{text}");
        let text = format!("{text} {:?}", config.app[0].callback);
        for secret in ["file-key", "api-secret", "cloud-secret", "callback-url", "callbackKey"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
