//! Numbers for what went wrong, with the words for programs and for people.

mod table;

use serde::{Deserialize, Serialize};
use std::fmt;

/// An error or warning code, TRTC's numbers (TXLiteAVCode). Below zero: errors; above: warnings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Code(pub i32);

/// A row of the table: the number, TRTC's newest name, a sentence for people.
struct Row {
    number: i32,
    name: &'static str,
    sentence: &'static str,
}

impl Code {
    /// TRTC's name, e.g. `ERR_TRTC_USER_SIG_CHECK_FAILED`; `ERR_UNKNOWN` for numbers not in the table.
    pub fn name(self) -> &'static str {
        self.row().map_or("ERR_UNKNOWN", |row| row.name)
    }

    /// What happened and what to do, for people.
    pub fn sentence(self) -> &'static str {
        self.row().map_or("Something went wrong; please try again.", |row| row.sentence)
    }

    /// Every code in the table.
    pub fn all() -> impl Iterator<Item = Self> {
        table::ROWS.iter().map(|row| Self(row.number))
    }

    fn row(self) -> Option<&'static Row> {
        table::ROWS.iter().find(|row| row.number == self.0)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_and_names_are_used_once() {
        let numbers: HashSet<i32> = Code::all().map(|code| code.0).collect();
        let names: HashSet<&str> = Code::all().map(Code::name).collect();
        assert_eq!((numbers.len(), names.len()), (table::ROWS.len(), table::ROWS.len()));
    }

    #[test]
    fn every_sentence_is_one_for_people() {
        for code in Code::all() {
            let text = code.sentence();
            assert!(text.ends_with('.') && text.len() > 10, "{code}: {text}");
            assert!(text.starts_with(|c: char| c.is_uppercase()), "{code}: {text}");
            assert!(!text.contains("ERR_"), "{code}: {text}");
        }
    }

    #[test]
    fn the_sign_tells_errors_from_warnings() {
        for code in Code::all().filter(|code| code.0 != 0) {
            let prefix = if code.0 < 0 { "ERR_" } else { "WARNING_" };
            assert!(code.name().starts_with(prefix), "{code} {}", code.name());
        }
    }

    #[test]
    fn codes_a_desktop_client_emits_are_there() {
        let starred = [
            0, -1, -2, -3, -4, -6, -8, -3301, -3302, -3307, -3308, -3316, -3317, -3318, -3319, -3320, -3325,
            -3326, -3327, -3328, -3330, -3340, -1301, -1302, -1303, -1304, -1305, -1308, -1314, -1315, -1316,
            -1317, -1318, -1319, -1320, -1321, -1322, -1323, -1330, -7001, -100006, -100011, -100013,
            -100014, -100018, -102010, -102011, -102013, -102015, -102016, -102018, -102019, -102030,
            -102052, -102055, 1101, 1103, 1107, 1108, 1110, 1111, 1112, 1201, 1202, 1203, 1204, 1205, 1206,
            2101, 2102, 2104, 2105, 2110, 5101, 5102, 5103, 6001, 7001, 7002,
        ];
        let details = [-70001, -70003, -70009, -70013, -70014, -70020];
        for number in starred.into_iter().chain(details) {
            assert!(Code(number).row().is_some(), "{number}");
        }
    }

    #[test]
    fn an_unknown_number_has_a_sentence_too() {
        assert_eq!(Code(-424_242).name(), "ERR_UNKNOWN");
        assert!(Code(-424_242).row().is_none());
        assert!(Code(-424_242).sentence().ends_with('.'));
    }
}
