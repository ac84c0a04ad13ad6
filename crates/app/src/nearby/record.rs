//! What a computer tells of its server, and what is believed of what others tell. Pure.

use confab_protocol::{Fingerprint, is_unseen};

/// The form of what is told.
const VERSION: &str = "1";
/// Longest name that is told, bytes: it has to fit into a label of DNS beside other words.
const NAME_BYTES: usize = 40;
/// Longest name that is shown, characters.
const NAME_SHOWN: usize = 40;
/// What a computer is called that tells no name.
const NAMELESS: &str = "A computer";

/// What is told of a server beside its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The computer's name, for people.
    pub(super) name: String,
    /// Of the server's certificate.
    pub(super) fingerprint: Fingerprint,
    /// The application of its rooms.
    pub(super) app: u32,
}

impl Record {
    /// What stands in the TXT record.
    pub(super) fn properties(&self) -> [(&'static str, String); 4] {
        [
            ("v", VERSION.to_owned()),
            ("name", told(&self.name).to_owned()),
            ("fp", self.fingerprint.to_string()),
            ("app", self.app.to_string()),
        ]
    }

    /// What a TXT record says whose values `get` gives; nothing where it is of another form, or names no
    /// certificate: then nobody could tell the server from another.
    pub(super) fn read<'a>(get: impl Fn(&str) -> Option<&'a [u8]>) -> Option<Self> {
        let text = |key: &str| get(key).and_then(|bytes| std::str::from_utf8(bytes).ok());
        if text("v") != Some(VERSION) {
            return None;
        }
        let name = get("name").map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
        Some(Self {
            name: shown(&name),
            fingerprint: text("fp")?.parse().ok()?,
            app: text("app")?.parse().ok()?,
        })
    }

    /// A name of its own in the network, however many computers are called the same.
    pub(super) fn instance(&self, port: u16) -> String {
        format!("{} ({} {port})", told(&self.name), self.mark())
    }

    /// The name under which the addresses stand.
    pub(super) fn host(&self, port: u16) -> String {
        format!("confab-{}-{port}.local.", self.mark())
    }

    /// Enough of the certificate to tell computers apart.
    fn mark(&self) -> String {
        self.fingerprint.0.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// As much of a name as fits.
fn told(name: &str) -> &str {
    let mut end = name.len().min(NAME_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or_default()
}

/// A stranger's name in one short line of its own direction.
fn shown(name: &str) -> String {
    let words: String = name.chars().filter(|c| !is_unseen(*c)).take(NAME_SHOWN).collect();
    let trimmed = words.trim();
    if trimmed.is_empty() { NAMELESS.to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn record(name: &str) -> Record {
        Record { name: name.to_owned(), fingerprint: Fingerprint([0xab; 32]), app: 1_600_000_001 }
    }

    fn read(values: &[(&str, &[u8])]) -> Option<Record> {
        let values: HashMap<&str, &[u8]> = values.iter().copied().collect();
        Record::read(|key| values.get(key).copied())
    }

    #[test]
    fn what_is_told_is_read_back() {
        let told = record("ada's laptop").properties();
        let values: Vec<(&str, &[u8])> = told.iter().map(|(key, value)| (*key, value.as_bytes())).collect();
        assert_eq!(read(&values), Some(record("ada's laptop")));
    }

    #[test]
    fn names_fit_into_dns_and_stay_whole_characters() {
        let long = record(&"é".repeat(100));
        assert!(long.instance(65_535).len() <= 63, "{}", long.instance(65_535));
        assert!(long.properties().iter().all(|(key, value)| key.len() + value.len() < 255));
        assert_eq!(record("ada").instance(7880), "ada (abababab 7880)");
        assert_ne!(record("ada").instance(7880), record("ada").instance(7881));
        assert_eq!(record("ada").host(7880), "confab-abababab-7880.local.");
    }

    #[test]
    fn a_strangers_values_are_refused_or_made_harmless() {
        let fp = Fingerprint([0xab; 32]).to_string();
        let with = |name: &[u8]| {
            read(&[("v", b"1"), ("fp", fp.as_bytes()), ("app", b"7"), ("name", name)]).map(|it| it.name)
        };
        assert_eq!(with(b"ada\r\n\x1b[31m").as_deref(), Some("ada[31m"));
        assert_eq!(with("a\u{202e}b\u{200b}c".as_bytes()).as_deref(), Some("abc"));
        assert_eq!(with(b"\xff\xfe").as_deref(), Some("\u{fffd}\u{fffd}"));
        assert_eq!(with(b"  \x00 ").as_deref(), Some(NAMELESS));
        assert_eq!(with(&b"x".repeat(5_000)).map(|name| name.len()), Some(NAME_SHOWN));
        for wrong in [
            &[("v", &b"1"[..]), ("app", b"7")][..],
            &[("v", b"2"), ("fp", fp.as_bytes()), ("app", b"7")],
            &[("v", b"1"), ("fp", b"short"), ("app", b"7")],
            &[("v", b"1"), ("fp", b"\xff"), ("app", b"7")],
            &[("v", b"1"), ("fp", fp.as_bytes()), ("app", b"-1")],
            &[],
        ] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
