//! Settings given beside the file: each is either given or not.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use super::{ApiKey, AppConfig, CloudKey, Config, ConfigError, TlsFiles, check};
use crate::proxy::Network;

/// Settings from the environment or from flags; what is `None` was not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overlay {
    /// See [`Config::http`](super::Config::http).
    pub http: Option<SocketAddr>,
    /// See [`Config::tls`](super::Config::tls).
    pub tls: Option<TlsFiles>,
    /// See [`Config::media`](super::Config::media).
    pub media: Option<SocketAddr>,
    /// See [`Config::media_tcp`](super::Config::media_tcp).
    pub media_tcp: Option<bool>,
    /// See [`Config::workers`](super::Config::workers).
    pub workers: Option<usize>,
    /// See [`Config::advertise`](super::Config::advertise).
    pub advertise: Option<Vec<IpAddr>>,
    /// See [`Config::app`](super::Config::app).
    pub app: Option<Vec<AppConfig>>,
    /// See [`Config::api_key`](super::Config::api_key).
    pub api_key: Option<Vec<ApiKey>>,
    /// See [`Config::cloud_key`](super::Config::cloud_key).
    pub cloud_key: Option<Vec<CloudKey>>,
    /// See [`Config::proxies`](super::Config::proxies).
    pub proxies: Option<Vec<Network>>,
    /// See [`Config::database`](super::Config::database).
    pub database: Option<PathBuf>,
    /// See [`Config::download_url`](super::Config::download_url).
    pub download_url: Option<String>,
}

impl Overlay {
    /// Reads `CONFAB_HTTP`, `CONFAB_TLS`, `CONFAB_MEDIA`, `CONFAB_MEDIA_TCP`, `CONFAB_WORKERS`,
    /// `CONFAB_ADVERTISE`, `CONFAB_APP`, `CONFAB_API_KEY`, `CONFAB_CLOUD_KEY`, `CONFAB_PROXIES`,
    /// `CONFAB_DATABASE` and `CONFAB_DOWNLOAD_URL`; lists are parted by commas, pairs by a colon. An empty
    /// variable counts as not given.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Overlay, ConfigError> {
        read(|field| {
            let name = format!("CONFAB_{}", field.to_uppercase());
            (variable(&name).filter(|text| !text.is_empty()), name)
        })
    }

    /// Reads `--http`, `--tls`, `--media`, `--media-tcp`, `--workers`, `--advertise`, `--app`, `--api-key`,
    /// `--cloud-key`, `--proxy`, `--database` and `--download-url`, in the same forms.
    pub fn from_flags(flag: impl Fn(&str) -> Option<String>) -> Result<Overlay, ConfigError> {
        read(|field| {
            let name = match field {
                "proxies" => "--proxy".to_owned(),
                other => format!("--{}", other.replace('_', "-")),
            };
            (flag(&name), name)
        })
    }
}

/// What `text_of` has for each field; it also says how the field is called there.
fn read(text_of: impl Fn(&str) -> (Option<String>, String)) -> Result<Overlay, ConfigError> {
    let from = Source(&text_of);
    let overlay = Overlay {
        http: from.one("http")?,
        tls: from.one("tls")?,
        media: from.one("media")?,
        media_tcp: from.one("media_tcp")?,
        workers: from.one("workers")?,
        advertise: from.list("advertise")?,
        app: from.list("app")?,
        api_key: from.list("api_key")?,
        cloud_key: from.list("cloud_key")?,
        proxies: from.list("proxies")?,
        database: from.one("database")?,
        download_url: from.one("download_url")?,
    };
    match check::unfit(&Config::default().with(overlay.clone())) {
        None => Ok(overlay),
        Some(unfit) => Err(ConfigError::Value { name: text_of(unfit.field).1, reason: unfit.reason }),
    }
}

struct Source<'a>(&'a dyn Fn(&str) -> (Option<String>, String));

impl Source<'_> {
    fn one<T: FromStr<Err: ToString>>(&self, field: &str) -> Result<Option<T>, ConfigError> {
        let (text, name) = (self.0)(field);
        text.map(|text| parse(&name, text.trim())).transpose()
    }

    fn list<T: FromStr<Err: ToString>>(&self, field: &str) -> Result<Option<Vec<T>>, ConfigError> {
        let (text, name) = (self.0)(field);
        text.map(|text| text.split(',').map(|item| parse(&name, item.trim())).collect()).transpose()
    }
}

fn parse<T: FromStr<Err: ToString>>(name: &str, text: &str) -> Result<T, ConfigError> {
    text.parse()
        .map_err(|error: T::Err| ConfigError::Value { name: name.to_owned(), reason: error.to_string() })
}

/// Parts `ID:KEY` at the first colon. The error does not repeat the text: it may be a secret.
fn pair<'a>(text: &'a str, form: &str) -> Result<(&'a str, &'a str), String> {
    match text.split_once(':') {
        Some((id, key)) if !id.is_empty() && !key.is_empty() => Ok((id, key)),
        _ => Err(format!("expected {form}")),
    }
}

impl FromStr for TlsFiles {
    type Err = String;

    fn from_str(text: &str) -> Result<TlsFiles, String> {
        match text.split_once(',') {
            Some((certificate, key)) if !certificate.is_empty() && !key.is_empty() => {
                Ok(TlsFiles { certificate: certificate.trim().into(), key: key.trim().into() })
            }
            _ => Err("expected CERTIFICATE,KEY".to_owned()),
        }
    }
}

impl FromStr for AppConfig {
    type Err = String;

    fn from_str(text: &str) -> Result<AppConfig, String> {
        let (id, key) = pair(text, "ID:KEY")?;
        let id = id.parse().map_err(|_| "expected ID:KEY with a number as ID".to_owned())?;
        Ok(AppConfig::new(id, key))
    }
}

impl FromStr for ApiKey {
    type Err = String;

    fn from_str(text: &str) -> Result<ApiKey, String> {
        let (key, secret) = pair(text, "KEY:SECRET")?;
        Ok(ApiKey { key: key.to_owned(), secret: secret.to_owned() })
    }
}

impl FromStr for CloudKey {
    type Err = String;

    fn from_str(text: &str) -> Result<CloudKey, String> {
        let (id, key) = pair(text, "ID:KEY")?;
        Ok(CloudKey { id: id.to_owned(), key: key.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &'static str, value: &'static str) -> Result<Overlay, ConfigError> {
        Overlay::from_env(|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn nothing_given_overlays_nothing() {
        assert_eq!(Overlay::from_env(|_| None).unwrap(), Overlay::default());
        assert_eq!(Overlay::from_env(|_| Some(String::new())).unwrap(), Overlay::default());
    }

    #[test]
    fn every_variable_is_read() {
        assert_eq!(env("CONFAB_WORKERS", "2").unwrap().workers, Some(2));
        assert_eq!(env("CONFAB_MEDIA_TCP", "false").unwrap().media_tcp, Some(false));
        let advertise = env("CONFAB_ADVERTISE", "192.0.2.1, 2001:db8::1").unwrap().advertise.unwrap();
        assert_eq!(advertise.len(), 2);
        let keys = env("CONFAB_API_KEY", "a:b,c:d").unwrap().api_key.unwrap();
        assert_eq!((keys[1].key.as_str(), keys[1].secret.as_str()), ("c", "d"));
        let keys = env("CONFAB_CLOUD_KEY", "AKID:x").unwrap().cloud_key.unwrap();
        assert_eq!((keys[0].id.as_str(), keys[0].key.as_str()), ("AKID", "x"));
        assert_eq!(env("CONFAB_DATABASE", "a b.db").unwrap().database, Some("a b.db".into()));
        let get = env("CONFAB_DOWNLOAD_URL", "http://get.example/").unwrap().download_url;
        assert_eq!(get.as_deref(), Some("http://get.example/"));
        let tls = env("CONFAB_TLS", "chain.pem, key.pem").unwrap().tls.unwrap();
        assert_eq!((tls.certificate, tls.key), ("chain.pem".into(), "key.pem".into()));
        let proxies = env("CONFAB_PROXIES", "10.0.0.0/8, ::1").unwrap().proxies.unwrap();
        assert_eq!(proxies, ["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()]);
        let error = Overlay::from_flags(|name| (name == "--proxy").then(|| "nginx".to_owned())).unwrap_err();
        assert!(error.to_string().starts_with("--proxy: expected an address such as"), "{error}");
        let error = env("CONFAB_TLS", "chain.pem").unwrap_err().to_string();
        assert_eq!(error, "CONFAB_TLS: expected CERTIFICATE,KEY");
    }

    #[test]
    fn an_unreadable_variable_is_named_without_its_text() {
        for value in ["planted-secret", "x:planted-secret", "1:", ":planted-secret"] {
            let text = env("CONFAB_APP", value).unwrap_err().to_string();
            assert!(text.starts_with("CONFAB_APP: expected ID:KEY"), "{text}");
            assert!(!text.contains("planted"), "{text}");
        }
        let text = env("CONFAB_HTTP", "localhost").unwrap_err().to_string();
        assert_eq!(text, "CONFAB_HTTP: invalid socket address syntax");
    }
}
