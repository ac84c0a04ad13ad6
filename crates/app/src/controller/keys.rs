//! Keys by which the app signs for its users itself, where no server does.

use std::fmt;
use std::str::FromStr;

use confab_protocol::SdkAppId;

/// An application and its key, which signs for its users. Read from `ID:KEY`; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct AppKey {
    /// Application.
    pub app: SdkAppId,
    /// Its key.
    pub key: String,
}

/// A text that is no application and key. Its content is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an application is written ID:KEY, with an SDKAppID from 1 to 4294967295")]
pub struct AppKeyError;

impl FromStr for AppKey {
    type Err = AppKeyError;

    fn from_str(text: &str) -> Result<Self, AppKeyError> {
        let (id, key) = text.split_once(':').ok_or(AppKeyError)?;
        let app = id.trim().parse().ok().filter(|id| *id != 0).ok_or(AppKeyError)?;
        if key.is_empty() {
            return Err(AppKeyError);
        }
        Ok(Self { app: SdkAppId(app), key: key.to_owned() })
    }
}

impl AppKey {
    /// Reads `ID:KEY,ID:KEY,...`.
    pub fn list(text: &str) -> Result<Vec<Self>, AppKeyError> {
        text.split(',').filter(|part| !part.trim().is_empty()).map(str::parse).collect()
    }
}

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AppKey({}, ***)", self.app)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_and_never_printed() {
        let keys = AppKey::list("1400000000:planted,7:b:c").unwrap();
        assert_eq!((keys[0].app, keys[1].key.as_str()), (SdkAppId(1_400_000_000), "b:c"));
        assert!(!format!("{keys:?}").contains("planted"));
        for wrong in ["x", "0:k", "1:", "planted:k"] {
            let error = AppKey::list(wrong).unwrap_err().to_string();
            assert!(!error.contains("planted"));
        }
    }
}
