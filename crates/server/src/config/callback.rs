//! Who is told what happens in an application's rooms.

use std::fmt;

use serde::Deserialize;

use super::check::is_web;

/// Where an application is told what happens in its rooms.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackConfig {
    /// Takes a POST; `http` or `https`.
    pub url: String,
    /// What the requests are signed with: 1 to 32 letters and digits.
    pub key: String,
}

impl CallbackConfig {
    /// What is wrong with it, without its text, which may be a secret.
    pub(super) fn fault(&self) -> Option<&'static str> {
        if !is_web(&self.url) {
            return Some("whose url is no address that begins with http:// or https://");
        }
        let fits = (1..=32).contains(&self.key.len()) && self.key.bytes().all(|b| b.is_ascii_alphanumeric());
        (!fits).then_some("whose key is not 1 to 32 letters and digits")
    }
}

impl fmt::Debug for CallbackConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{AppConfig, Config};

    #[test]
    fn a_callback_needs_an_address_and_a_key_of_trtcs_form_and_neither_is_repeated() {
        let with = |url: &str, key: &str| {
            let callback = Some(CallbackConfig { url: url.to_owned(), key: key.to_owned() });
            let app = vec![AppConfig { callback, ..AppConfig::new(1, "a") }];
            Config { app, ..Config::default() }.check().map_err(|error| error.to_string())
        };
        assert_eq!(with("https://a.example:8443/told?x=1", &"k".repeat(32)), Ok(()));
        assert_eq!(with("http://127.0.0.1/", "aZ09"), Ok(()));
        for url in ["", "planted", "ftp://planted/", "https://", "unix:/planted", "//planted/x"] {
            let said = with(url, "k").unwrap_err();
            assert!(said.starts_with("app 1 has a callback whose url is no"), "{said}");
            assert!(!said.contains("planted"), "{said}");
        }
        for key in ["", "planted key", "planted-", &"planted".repeat(5), "plantedé"] {
            let said = with("http://a.example/", key).unwrap_err();
            assert!(said.contains("whose key is not 1 to 32") && !said.contains("planted"), "{said}");
        }
    }
}
