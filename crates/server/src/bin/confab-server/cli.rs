//! What can be said on the command line.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Parser, Subcommand};
use confab_server::{Config, Overlay};

const ENVIRONMENT: &str = "Every field of the configuration file but `limits` and what an app has beside its \
id and key is also read from the environment (CONFAB_HTTP, CONFAB_TLS, CONFAB_MEDIA, CONFAB_MEDIA_TCP, \
CONFAB_WORKERS, CONFAB_ADVERTISE, CONFAB_APP, CONFAB_API_KEY, CONFAB_CLOUD_KEY, CONFAB_PROXIES, \
CONFAB_DATABASE, CONFAB_DOWNLOAD_URL), which wins over the file; a flag wins over both. Apps given by \
environment or flag replace all of the file; they take no guests and have no callback.";

/// The largest configuration file that is read, bytes.
const FILE_LIMIT: u64 = 1024 * 1024;

/// Confab's server: rooms, media and their interfaces in one program.
#[derive(Debug, Parser)]
#[command(name = "confab-server", version, after_help = ENVIRONMENT)]
pub(crate) struct Cli {
    /// Configuration file, TOML (CONFAB_CONFIG)
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Make an app, an api key and a cloud key for a try, and print them
    #[arg(long)]
    pub(crate) dev: bool,
    /// What to log, for example info,confab_server=debug (CONFAB_LOG)
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    #[command(flatten)]
    fields: Fields,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// The fields of the configuration. Texts are read by the library, whose errors repeat no key.
#[derive(Debug, Args)]
struct Fields {
    /// Where HTTP listens [default: 127.0.0.1:7880]
    #[arg(long, value_name = "ADDRESS:PORT")]
    http: Option<String>,
    /// Certificate and key that HTTP encrypts with, files in PEM, read again when they change
    #[arg(long, value_name = "CERTIFICATE,KEY")]
    tls: Option<String>,
    /// Where the first media worker listens, UDP and TCP [default: 127.0.0.1:7881]
    #[arg(long, value_name = "ADDRESS:PORT")]
    media: Option<String>,
    /// Whether media workers take TCP connections on the same ports too [default: true]
    #[arg(long, value_name = "true|false")]
    media_tcp: Option<String>,
    /// How many media workers [default: two, or one on a machine with one core]
    #[arg(long, value_name = "NUMBER")]
    workers: Option<String>,
    /// Addresses that clients are told to send media to
    #[arg(long, value_name = "ADDRESS,...")]
    advertise: Vec<String>,
    /// SDKAppIDs and their keys; they replace the apps of the file and take no guests
    #[arg(long = "app", value_name = "ID:KEY,...")]
    apps: Vec<String>,
    /// LiveKit API keys and their secrets
    #[arg(long, value_name = "KEY:SECRET,...")]
    api_key: Vec<String>,
    /// Tencent Cloud SecretIds and SecretKeys
    #[arg(long, value_name = "ID:KEY,...")]
    cloud_key: Vec<String>,
    /// Proxies that are believed when they say who asks
    #[arg(long = "proxy", value_name = "ADDRESS,...")]
    proxies: Vec<String>,
    /// File with the history of rooms, SQLite [default: in memory]
    #[arg(long, value_name = "FILE")]
    database: Option<String>,
    /// Where people get the app, for the page that opens invitations
    #[arg(long, value_name = "URL")]
    download_url: Option<String>,
}

/// What else the program does than serve.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print a UserSig, which lets a user into the rooms of an app
    Usersig(UserSig),
    /// Print a LiveKit token, which lets a client into one room
    Token(Token),
}

/// For whom a UserSig is.
#[derive(Debug, Args)]
pub(crate) struct UserSig {
    /// SDKAppID; may be left out when one app is configured
    #[arg(long, value_name = "ID")]
    pub(crate) app: Option<u32>,
    /// User id
    #[arg(long, value_name = "USER")]
    pub(crate) user: String,
    /// Seconds that it holds
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400 * 180)]
    pub(crate) expire: u64,
}

/// For whom a token is.
#[derive(Debug, Args)]
pub(crate) struct Token {
    /// The room: any name, or <app>/n:<number> or <app>/s:<text> for the rooms of an app
    #[arg(long, value_name = "NAME")]
    pub(crate) room: String,
    /// Identity
    #[arg(long, value_name = "USER")]
    pub(crate) user: String,
    /// Let it do what hosts do, by /v1/room
    #[arg(long)]
    pub(crate) admin: bool,
    /// Seconds that it holds
    #[arg(long, value_name = "SECONDS", default_value_t = 6 * 3600)]
    pub(crate) expire: u64,
}

impl Cli {
    /// The configuration: defaults, file, environment, flags.
    pub(crate) fn config(&self, env: impl Fn(&str) -> Option<String>) -> Result<Config> {
        let file = self.config.clone().or_else(|| env("CONFAB_CONFIG").map(PathBuf::from));
        let config = match &file {
            None => Config::default(),
            Some(path) => {
                let name = path.display().to_string();
                let text = read(path).with_context(|| format!("cannot read {name}"))?;
                Config::from_toml(&name, &text)?
            }
        };
        Ok(config.with(Overlay::from_env(env)?).with(Overlay::from_flags(|name| self.fields.text(name))?))
    }
}

/// The text of a configuration file. A file that never ends, as devices do, is not read for ever.
fn read(path: &Path) -> Result<String> {
    let mut text = Vec::new();
    std::fs::File::open(path)?.take(FILE_LIMIT + 1).read_to_end(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > FILE_LIMIT) {
        bail!(
            "it has more than 1 MiB, so it is no configuration; name another file with --config (CONFAB_CONFIG)"
        );
    }
    String::from_utf8(text).map_err(|_| anyhow!("it is no text; a configuration is TOML in UTF-8"))
}

impl Fields {
    fn text(&self, name: &str) -> Option<String> {
        let joined = |list: &[String]| (!list.is_empty()).then(|| list.join(","));
        match name {
            "--http" => self.http.clone(),
            "--tls" => self.tls.clone(),
            "--media" => self.media.clone(),
            "--media-tcp" => self.media_tcp.clone(),
            "--workers" => self.workers.clone(),
            "--advertise" => joined(&self.advertise),
            "--app" => joined(&self.apps),
            "--api-key" => joined(&self.api_key),
            "--cloud-key" => joined(&self.cloud_key),
            "--proxy" => joined(&self.proxies),
            "--database" => self.database.clone(),
            "--download-url" => self.download_url.clone(),
            _ => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::io::Write;

    use super::*;

    fn cli(arguments: &[&str]) -> Cli {
        Cli::try_parse_from(std::iter::once(&"confab-server").chain(arguments)).unwrap()
    }

    #[test]
    fn the_definition_holds_together() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn defaults_give_way_to_file_environment_and_flags_in_this_order() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"http = \"127.0.0.1:1\"\nmedia = \"127.0.0.1:1\"\nworkers = 1\n").unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        let env = |name: &str| match name {
            "CONFAB_MEDIA" => Some("127.0.0.1:2".to_owned()),
            "CONFAB_WORKERS" => Some("2".to_owned()),
            "CONFAB_CONFIG" => Some(path.clone()),
            _ => None,
        };
        let config = cli(&["--workers", "3", "--app", "1:a", "--app", "2:b,3:c", "--proxy", "::1"]);
        let config = config.config(env).unwrap();
        assert_eq!((config.http.port(), config.media.port(), config.workers), (1, 2, Some(3)));
        assert_eq!((config.app.len(), config.proxies.len()), (3, 1));
        assert!(config.advertise.is_empty());
    }

    #[test]
    fn a_wrong_flag_is_named_without_its_text() {
        let error = cli(&["--cloud-key", "planted"]).config(|_| None).unwrap_err();
        assert_eq!(format!("{error:#}"), "--cloud-key: expected ID:KEY");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = cli(&["--config", "/nowhere/c.toml"]).config(|_| None).unwrap_err();
        assert!(format!("{error:#}").starts_with("cannot read /nowhere/c.toml: "));
    }

    #[test]
    fn what_is_no_configuration_is_not_read_to_its_end() {
        let said = |bytes: &[u8]| {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(bytes).unwrap();
            let read = cli(&["--config", file.path().to_str().unwrap()]).config(|_| None);
            read.map(drop).map_err(|error| format!("{error:#}"))
        };
        let mut text = vec![b'#'; 1024 * 1024];
        assert_eq!(said(&text), Ok(()));
        text.push(b'#');
        assert!(said(&text).unwrap_err().contains(": it has more than 1 MiB"));
        assert!(said(b"# \xff").unwrap_err().contains(": it is no text"));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_that_never_ends_is_no_configuration() {
        let error = cli(&["--config", "/dev/zero"]).config(|_| None).unwrap_err();
        let said = format!("{error:#}");
        assert!(said.starts_with("cannot read /dev/zero: it has more than 1 MiB"), "{said}");
    }

    #[test]
    fn the_configuration_may_be_named_after_the_subcommand() {
        let cli = cli(&["usersig", "--app", "7", "--user", "u", "--config", "c.toml"]);
        assert_eq!(cli.config, Some(PathBuf::from("c.toml")));
        assert!(matches!(cli.command, Some(Command::Usersig(UserSig { app: Some(7), .. }))));
    }
}
