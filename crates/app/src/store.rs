use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use confab_protocol::UserId;
use rand::RngExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const IDENTITY: &str = "identity.json";
const HOST_KEY: &str = "host.json";

/// What the app keeps on this computer, in a folder of its own: who its user is, and the key of
/// the rooms opened here. Small files, written whole and at once.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
}

/// Why something cannot be kept. The person has to look at the folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The system refuses.
    #[error("{} cannot be {what}: {source}", path.display())]
    File {
        /// `read` or `written`.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody changed the file by hand.
    #[error("{} cannot be understood; delete it to start anew", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    user_id: UserId,
}

/// The application of the rooms opened here. Its key signs and checks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HostKey {
    pub(crate) sdk_app_id: u32,
    pub(crate) key: String,
}

impl std::fmt::Debug for HostKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HostKey({}, ***)", self.sdk_app_id)
    }
}

impl HostKey {
    fn random() -> Self {
        let mut random = rand::rng();
        let bytes: [u8; 32] = random.random();
        let key = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        // Looks like the ids that Tencent gives out and is unlikely to meet another computer's.
        Self { sdk_app_id: random.random_range(1_600_000_000..2_000_000_000), key }
    }
}

impl Store {
    /// A store in that folder, which is made when something is first kept.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The user id of this computer's user, made at random on first use.
    pub fn user_id(&self) -> Result<UserId, StoreError> {
        let identity = self.read_or_make(IDENTITY, || Identity { user_id: random_user() })?;
        Ok(identity.user_id)
    }

    /// The key of the rooms opened here, made on first use.
    pub(crate) fn host_key(&self) -> Result<HostKey, StoreError> {
        self.read_or_make(HOST_KEY, HostKey::random)
    }

    fn read_or_make<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        make: impl FnOnce() -> T,
    ) -> Result<T, StoreError> {
        let path = self.folder.join(name);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| StoreError::Content { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = make();
                match self.write(&path, &made) {
                    Ok(()) => Ok(made),
                    Err(source) => Err(StoreError::File { what: "written", path, source }),
                }
            }
            Err(source) => Err(StoreError::File { what: "read", path, source }),
        }
    }

    /// Writes beside the file and moves over it, so that it is whole or not there.
    fn write(&self, path: &Path, content: &impl Serialize) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        let written = private_file(&beside).and_then(|mut file| {
            file.write_all(&serde_json::to_vec_pretty(content)?)?;
            file.sync_all()?;
            fs::rename(&beside, path)
        });
        if written.is_err() {
            // What is left of it would be in nobody's way, but holds a key.
            let _ = fs::remove_file(&beside);
        }
        written
    }
}

/// A new file that only its owner may read.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

fn random_user() -> UserId {
    let number: u64 = rand::rng().random();
    let text = format!("user_{number:016x}");
    match text.parse() {
        Ok(user) => user,
        // 21 characters of the set.
        Err(_) => unreachable!("a user id of letters, digits and an underscore"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_id_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let first = Store::new(folder.path().join("new")).user_id().unwrap();
        let second = Store::new(folder.path().join("new")).user_id().unwrap();
        assert_eq!(first, second);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(Store::new(other.path()).user_id().unwrap(), first);
    }

    #[cfg(unix)]
    #[test]
    fn the_host_key_is_its_owners_alone_and_written_whole() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let key = store.host_key().unwrap();
        assert_eq!(key.key.len(), 64);
        assert_eq!(store.host_key().unwrap(), key);
        let mode = fs::metadata(folder.path().join(HOST_KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(!format!("{key:?}").contains(&key.key));
    }

    #[test]
    fn a_file_changed_by_hand_is_named_and_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(IDENTITY), "{").unwrap();
        let error = Store::new(folder.path()).user_id().unwrap_err().to_string();
        assert!(error.contains(IDENTITY) && error.contains("delete it"), "{error}");
        assert_eq!(fs::read(folder.path().join(IDENTITY)).unwrap(), b"{");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Store::new(&file).host_key().unwrap_err().to_string();
        assert!(error.contains("host.json"), "{error}");
    }
}
