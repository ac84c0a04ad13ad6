//! The few files that outlive the program.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use confab_protocol::{GuestSecret, UserId};
use confab_server::{Identity, IdentityError};
use rand::RngExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
#[cfg(unix)]
use tracing::warn;

const GUEST: &str = "guest.json";
/// Locked by the program that uses what is in the file.
const GUEST_LOCK: &str = "guest.lock";
const HOST_KEY: &str = "host.json";
const HOST_IDENTITY: &str = "host.pem";
const ROOMS: &str = "rooms.db";

/// What the app keeps on this computer, in a folder of its own: who its user is, and the key and the
/// certificate of the rooms opened here. Small files, written whole and at once; beside them lies the
/// database of those rooms, which is their server's.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    guest: OnceLock<Claimed>,
}

/// Who this program's user is.
#[derive(Debug)]
struct Claimed {
    secret: GuestSecret,
    /// Held as long as the secret is used; none for one that was made for this program only.
    _lock: Option<File>,
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
    /// No certificate can be made.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Somebody changed the file by hand.
    #[error("{} cannot be understood; delete it to start anew", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
    },
}

#[derive(Serialize, Deserialize)]
struct StoredGuest {
    secret: GuestSecret,
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
        Self { folder: folder.into(), guest: OnceLock::new() }
    }

    /// Makes this computer's user the same person each time, from a secret that is made at random on
    /// first use. While another program uses it, this one gets a secret for itself: two programs are
    /// two people.
    pub fn guest(&self) -> Result<&GuestSecret, StoreError> {
        if let Some(claimed) = self.guest.get() {
            return Ok(&claimed.secret);
        }
        let lock = self.lock(GUEST_LOCK)?;
        let secret = match &lock {
            Some(_) => {
                let random = || StoredGuest { secret: GuestSecret::new(rand::rng().random()) };
                self.read_or_make(GUEST, random)?.secret
            }
            None => GuestSecret::new(rand::rng().random()),
        };
        Ok(&self.guest.get_or_init(|| Claimed { secret, _lock: lock }).secret)
    }

    /// The user id that goes with [`Store::guest`].
    pub fn user_id(&self) -> Result<UserId, StoreError> {
        self.guest().map(GuestSecret::user_id)
    }

    /// Locks a file until the answer is dropped; nothing while another program has locked it.
    fn lock(&self, name: &str) -> Result<Option<File>, StoreError> {
        let path = self.folder.join(name);
        let failed = |source| StoreError::File { what: "written", path: path.clone(), source };
        let file = self.open_or_make(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// The key of the rooms opened here, made on first use.
    pub(crate) fn host_key(&self) -> Result<HostKey, StoreError> {
        self.read_or_make(HOST_KEY, HostKey::random)
    }

    /// The certificate of the rooms opened here, made on first use.
    pub(crate) fn host_identity(&self) -> Result<Identity, StoreError> {
        let path = self.folder.join(HOST_IDENTITY);
        let pem = match self.read(&path)? {
            Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            None => {
                let made = Identity::make()?;
                self.write(&path, made.as_bytes())?;
                made
            }
        };
        Identity::read(&pem).map_err(|_| StoreError::Content { path })
    }

    /// The file for the rooms opened here, which their server fills; its owner's alone, made on first use.
    pub(crate) fn rooms_file(&self) -> Result<PathBuf, StoreError> {
        let path = self.folder.join(ROOMS);
        let opened = self.open_or_make(&path);
        opened.map_err(|source| StoreError::File { what: "written", path: path.clone(), source })?;
        Ok(path)
    }

    /// Opens a file for its owner alone, whatever is in it.
    fn open_or_make(&self, path: &Path) -> io::Result<File> {
        make_folder(&self.folder)?;
        let file = owners_alone(OpenOptions::new().write(true).create(true).truncate(false)).open(path)?;
        tighten(&file, path);
        Ok(file)
    }

    fn read_or_make<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        make: impl FnOnce() -> T,
    ) -> Result<T, StoreError> {
        let path = self.folder.join(name);
        if let Some(bytes) = self.read(&path)? {
            return serde_json::from_slice(&bytes).map_err(|_| StoreError::Content { path });
        }
        let made = make();
        // Plain values of ours always become JSON.
        self.write(&path, &serde_json::to_vec_pretty(&made).unwrap_or_default())?;
        Ok(made)
    }

    /// What is in a file, if there is one.
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        let read = File::open(path).and_then(|mut file| {
            tighten(&file, path);
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        match read {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::File { what: "read", path: path.to_owned(), source }),
        }
    }

    /// Writes beside the file and moves over it, so that it is whole or not there.
    fn write(&self, path: &Path, content: &[u8]) -> Result<(), StoreError> {
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        let written = make_folder(&self.folder).and_then(|()| private_file(&beside)).and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&beside, path)
        });
        written.map_err(|source| {
            // What is left of it would be in nobody's way, but holds a key.
            let _ = fs::remove_file(&beside);
            StoreError::File { what: "written", path: path.to_owned(), source }
        })
    }
}

/// Makes a folder, and those above it that are missing, for its owner alone, as the XDG base directory
/// specification wants it. One that is there stays as it is.
///
/// # Errors
///
/// What the system says where it cannot be made.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// A new file that only its owner may read.
fn private_file(path: &Path) -> io::Result<File> {
    owners_alone(OpenOptions::new().write(true).create_new(true)).open(path)
}

/// A file that is made by this is its owner's alone.
fn owners_alone(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

/// Takes a file from everybody but its owner: it may have been copied here, or restored, by a program
/// that did not care. Where that is refused the file is used as it is, as it was before.
#[cfg(unix)]
fn tighten(file: &File, path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let tightened = file.metadata().and_then(|metadata| {
        let mode = metadata.permissions().mode() & 0o7777;
        match metadata.is_file() && mode & !0o600 != 0 {
            true => file.set_permissions(fs::Permissions::from_mode(mode & 0o600)),
            false => Ok(()),
        }
    });
    if let Err(error) = tightened {
        warn!(
            path = %path.display(),
            %error,
            "others on this computer may read this file; make it yours alone"
        );
    }
}

/// A folder of the user's own is theirs alone here.
#[cfg(not(unix))]
fn tighten(_: &File, _: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_the_same_person_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Store::new(folder.path().join("new")).user_id().unwrap();
        let second = Store::new(folder.path().join("new")).user_id().unwrap();
        assert_eq!(first, second);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(Store::new(other.path()).user_id().unwrap(), first);
    }

    #[test]
    fn two_programs_at_once_are_two_people() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (Store::new(folder.path()), Store::new(folder.path()));
        let (kept, made) = (first.user_id().unwrap(), second.user_id().unwrap());
        assert_ne!(kept, made);
        assert_eq!(second.user_id().unwrap(), made, "for as long as the program runs");
        drop(first);
        assert_eq!(Store::new(folder.path()).user_id().unwrap(), kept);
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
        let identity = store.host_identity().unwrap();
        assert_eq!(store.host_identity().unwrap().fingerprint(), identity.fingerprint());
        let mode = fs::metadata(folder.path().join(HOST_IDENTITY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let secret = String::from(store.guest().unwrap().clone());
        let mode = fs::metadata(folder.path().join(GUEST)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{store:?}").contains(&secret));
        assert!(!format!("{key:?}").contains(&key.key));
    }

    #[cfg(unix)]
    #[test]
    fn files_that_others_could_read_are_their_owners_alone_once_they_are_used() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let (key, me) = (store.host_key().unwrap(), store.user_id().unwrap());
        store.host_identity().unwrap();
        store.rooms_file().unwrap();
        drop(store);
        let names = [GUEST, GUEST_LOCK, HOST_KEY, HOST_IDENTITY, ROOMS];
        let mode = |name| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(names.map(mode), [0o600; 5], "as they are made");
        for loose in [0o644, 0o666, 0o755] {
            for name in names {
                let path = folder.path().join(name);
                fs::set_permissions(path, fs::Permissions::from_mode(loose)).unwrap();
            }
            let store = Store::new(folder.path());
            assert_eq!((store.host_key().unwrap(), store.user_id().unwrap()), (key.clone(), me.clone()));
            store.host_identity().unwrap();
            store.rooms_file().unwrap();
            assert_eq!(names.map(mode), [0o600; 5], "{loose:o}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_is_made_is_its_owners_alone_and_one_that_is_there_stays_as_it_is() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let mode = |folder: &Path| fs::metadata(folder).unwrap().permissions().mode() & 0o777;
        let [guests, keys, rooms] = ["guests", "keys", "rooms"].map(|name| home.path().join(name));
        Store::new(guests.join("confab")).user_id().unwrap();
        Store::new(keys.join("confab")).host_key().unwrap();
        Store::new(rooms.join("confab")).rooms_file().unwrap();
        for above in [guests, keys, rooms] {
            let made = above.join("confab");
            assert_eq!((mode(&above), mode(&made)), (0o700, 0o700), "{}", made.display());
            fs::set_permissions(&made, fs::Permissions::from_mode(0o755)).unwrap();
            let store = Store::new(&made);
            store.user_id().unwrap();
            store.host_key().unwrap();
            store.rooms_file().unwrap();
            assert_eq!(mode(&made), 0o755, "{}", made.display());
        }
    }

    #[test]
    fn a_file_changed_by_hand_is_named_and_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(GUEST), "{").unwrap();
        let error = Store::new(folder.path()).user_id().unwrap_err().to_string();
        assert!(error.contains(GUEST) && error.contains("delete it"), "{error}");
        assert_eq!(fs::read(folder.path().join(GUEST)).unwrap(), b"{");
        fs::write(folder.path().join(HOST_IDENTITY), "-----BEGIN").unwrap();
        let error = Store::new(folder.path()).host_identity().unwrap_err().to_string();
        assert!(error.contains(HOST_IDENTITY) && error.contains("delete it"), "{error}");
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
