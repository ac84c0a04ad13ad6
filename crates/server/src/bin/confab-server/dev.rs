//! `--dev`: keys for a first try.

use confab_server::{ApiKey, AppConfig, CloudKey, Config};
use rand::RngExt;

/// An SDKAppID in the range that Tencent gives out.
const APP: u32 = 1_400_000_001;

/// Makes what the configuration leaves empty.
pub(crate) fn fill(config: &mut Config) {
    if config.app.is_empty() {
        config.app.push(AppConfig::new(APP, random::<32>()));
    }
    if config.api_key.is_empty() {
        config.api_key.push(ApiKey { key: format!("dev{}", random::<4>()), secret: random::<32>() });
    }
    if config.cloud_key.is_empty() {
        config.cloud_key.push(CloudKey { id: format!("AKID{}", random::<8>()), key: random::<16>() });
    }
}

/// Everything a first try needs.
pub(crate) fn greeting(config: &Config, url: &str) -> String {
    let mut lines = vec![format!("Confab is at {url}"), String::new()];
    let apps = config.app.iter().map(|app| ("app", format!("{}:{}", app.id, app.key)));
    let api = config.api_key.iter().map(|key| ("api key", format!("{}:{}", key.key, key.secret)));
    let cloud = config.cloud_key.iter().map(|key| ("cloud key", format!("{}:{}", key.id, key.key)));
    lines.extend(apps.chain(api).chain(cloud).map(|(what, pair)| format!("  {what:<10} {pair}")));
    if let Some(app) = config.app.first() {
        lines.extend([
            String::new(),
            "Open the app on it:".to_owned(),
            format!("  CONFAB_SERVER={url} CONFAB_APP={}:{} cargo xtask run", app.id, app.key),
        ]);
    }
    lines.join("\n")
}

/// `N` random bytes in hexadecimal digits.
fn random<const N: usize>() -> String {
    let mut bytes = [0_u8; N];
    rand::rng().fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_made_and_what_is_there_stays() {
        let app = AppConfig::new(7, "mine");
        let mut config = Config { app: vec![app.clone()], ..Config::default() };
        fill(&mut config);
        assert_eq!(config.app, [app]);
        assert_eq!((config.api_key.len(), config.cloud_key.len()), (1, 1));
        assert!(config.check().is_ok());
        let mut other = Config::default();
        fill(&mut other);
        assert_eq!(other.app[0].id, APP);
        assert_ne!(other.api_key[0].secret, config.api_key[0].secret, "made anew");
    }

    #[test]
    fn the_greeting_holds_every_key_and_the_command() {
        let mut config = Config::default();
        fill(&mut config);
        let text = greeting(&config, "http://127.0.0.1:7880");
        for part in [&config.app[0].key, &config.api_key[0].secret, &config.cloud_key[0].key] {
            assert!(text.contains(part.as_str()), "{text}");
        }
        assert!(text.contains("CONFAB_SERVER=http://127.0.0.1:7880 CONFAB_APP=1400000001:"), "{text}");
    }
}
