//! Whether settings that can be read fit together, and where they do not.

use toml::de::DeTable;

use super::{AppConfig, CallbackConfig, Config};

/// One a core is enough, and each takes a UDP port.
const MOST_WORKERS: usize = 256;

/// Settings that cannot be used.
#[derive(Debug)]
pub(super) struct Unfit {
    /// The field of [`Config`].
    pub(super) field: &'static str,
    /// Which one of the field's list.
    item: Option<usize>,
    /// The member of it.
    member: Option<&'static str>,
    /// What is wrong, without any secret.
    pub(super) reason: String,
}

impl Unfit {
    fn new(field: &'static str, reason: String) -> Unfit {
        Unfit { field, item: None, member: None, reason }
    }

    fn item(self, index: usize) -> Unfit {
        Unfit { item: Some(index), ..self }
    }

    fn member(self, name: &'static str) -> Unfit {
        Unfit { member: Some(name), ..self }
    }

    /// Where it stands in the text of a configuration file: the byte at which the closest value begins
    /// that can be found.
    pub(super) fn offset(&self, text: &str) -> usize {
        let table = DeTable::parse(text).ok();
        let Some(field) = table.as_ref().and_then(|table| table.get_ref().get(self.field)) else {
            return 0;
        };
        let item = self.item.and_then(|index| field.get_ref().get(index)).unwrap_or(field);
        let member = self.member.and_then(|name| item.get_ref().as_table()?.get(name)).unwrap_or(item);
        member.span().start
    }
}

/// The first thing in a configuration that cannot be used.
pub(super) fn unfit(config: &Config) -> Option<Unfit> {
    if config.workers.is_some_and(|workers| !(1..=MOST_WORKERS).contains(&workers)) {
        return Some(Unfit::new("workers", format!("workers must be from 1 to {MOST_WORKERS}")));
    }
    for (kind, limits) in [("call", config.limits.call), ("live", config.limits.live)] {
        if limits.online == 0 || limits.publishing == 0 {
            let reason = format!("the limits of {kind} rooms must be at least 1");
            return Some(Unfit::new("limits", reason).member(kind));
        }
    }
    if config.download_url.as_deref().is_some_and(|url| !is_web(url)) {
        let reason = "download_url is no address that begins with http:// or https://".to_owned();
        return Some(Unfit::new("download_url", reason));
    }
    let in_apps = config.app.iter().enumerate().find_map(|(index, app)| {
        let (member, reason) = of_app(app, config.app.get(..index).unwrap_or_default())?;
        Some(Unfit::new("app", reason).item(index).member(member))
    });
    let api = || pairs("api_key", "key", config.api_key.iter().map(|k| (&*k.key, &*k.secret)));
    let cloud = || pairs("cloud_key", "id", config.cloud_key.iter().map(|k| (&*k.id, &*k.key)));
    in_apps.or_else(api).or_else(cloud)
}

/// Whether a text is the address of something on the web.
pub(super) fn is_web(text: &str) -> bool {
    let url = reqwest::Url::parse(text).ok();
    url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// What is wrong with an application, and in which member.
fn of_app(app: &AppConfig, before: &[AppConfig]) -> Option<(&'static str, String)> {
    let id = app.id;
    if id == 0 {
        return Some(("id", "an app has id 0; SDKAppIDs start at 1".to_owned()));
    }
    if app.key.is_empty() {
        return Some(("key", format!("app {id} has an empty key")));
    }
    if app.passcode.as_ref().is_some_and(String::is_empty) {
        return Some(("passcode", format!("app {id} has an empty passcode; leave it out")));
    }
    if app.passcode.is_some() && !app.guests {
        return Some(("passcode", format!("app {id} has a passcode but takes no guests")));
    }
    if let Some(fault) = app.callback.as_ref().and_then(CallbackConfig::fault) {
        return Some(("callback", format!("app {id} has a callback {fault}")));
    }
    let doubled = before.iter().any(|other| other.id == id);
    doubled.then(|| ("id", format!("app {id} is given twice")))
}

/// What is wrong with named secrets.
fn pairs<'a>(
    field: &'static str,
    naming: &'static str,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> Option<Unfit> {
    let mut before = Vec::new();
    for (index, (name, secret)) in pairs.enumerate() {
        let at = |reason| Some(Unfit::new(field, reason).item(index).member(naming));
        if name.is_empty() || secret.is_empty() {
            return at(format!("{field} with an empty half"));
        }
        if before.contains(&name) {
            return at(format!("{field} {name} is given twice"));
        }
        before.push(name);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ApiKey;

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
    fn a_contradiction_in_a_file_is_named_with_its_line() {
        let said = |text: &str| Config::from_toml("c.toml", text).unwrap_err().to_string();
        let apps = "[[app]]\nid = 1\nkey = \"a\"\n\n[[app]]\n";
        for (text, wanted) in [
            (format!("{apps}key = \"b\"\nid = 0\n"), "c.toml line 7: an app has id 0; SDKAppIDs start at 1"),
            (format!("{apps}id = 1\nkey = \"b\"\n"), "c.toml line 6: app 1 is given twice"),
            (format!("{apps}id = 2\nkey = \"\"\n"), "c.toml line 7: app 2 has an empty key"),
            (
                format!("{apps}id = 2\nkey = \"b\"\npasscode = \"planted\"\n"),
                "c.toml line 8: app 2 has a passcode but takes no guests",
            ),
            ("\nworkers = 0\n".to_owned(), "c.toml line 2: workers must be from 1 to 256"),
            (
                "\n\ndownload_url = \"javascript:alert(1)\"".to_owned(),
                "c.toml line 3: download_url is no address that begins with http:// or https://",
            ),
            (
                "[limits.live]\nonline = 5\npublishing = 5\n[limits.call]\nonline = 0\npublishing = 1"
                    .to_owned(),
                "c.toml line 4: the limits of call rooms must be at least 1",
            ),
            (
                "cloud_key = [{ id = \"a\", key = \"b\" },\n  { id = \"a\", key = \"planted\" }]\n"
                    .to_owned(),
                "c.toml line 2: cloud_key a is given twice",
            ),
            (
                "api_key = [{ key = \"\", secret = \"s\" }]".to_owned(),
                "c.toml line 1: api_key with an empty half",
            ),
        ] {
            assert_eq!(said(&text), wanted);
        }
    }

    #[test]
    fn a_contradiction_outside_the_file_is_named_by_its_variable_or_flag() {
        use crate::Overlay;
        let env = |name: &'static str, value: &'static str| {
            Overlay::from_env(|asked| (asked == name).then(|| value.to_owned())).unwrap_err().to_string()
        };
        assert_eq!(env("CONFAB_APP", "0:planted"), "CONFAB_APP: an app has id 0; SDKAppIDs start at 1");
        assert_eq!(env("CONFAB_API_KEY", "a:b,a:c"), "CONFAB_API_KEY: api_key a is given twice");
        let flag = Overlay::from_flags(|asked| (asked == "--workers").then(|| "0".to_owned()));
        assert_eq!(flag.unwrap_err().to_string(), "--workers: workers must be from 1 to 256");
        let flag = Overlay::from_flags(|asked| (asked == "--download-url").then(|| "get.example".to_owned()));
        let said = flag.unwrap_err().to_string();
        assert_eq!(said, "--download-url: download_url is no address that begins with http:// or https://");
    }
}
