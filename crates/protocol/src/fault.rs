//! Failures as they are told to programs and to people.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Code;

/// The one form in which a failure crosses a seam: a TRTC code, perhaps a closer one, and a
/// sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[error("{message} ({code})")]
pub struct Fault {
    /// One of [`Code`].
    pub code: i32,
    /// A closer code where there is one, e.g. -70001 behind -100018.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional = nullable)]
    pub detail: Option<i32>,
    /// What happened and what to do, in plain words.
    pub message: String,
}

impl Fault {
    /// A failure with the code's own sentence.
    pub fn new(code: Code) -> Self {
        Self { code: code.0, detail: None, message: code.sentence().to_owned() }
    }

    /// A request that cannot be read.
    pub fn unreadable(why: impl std::fmt::Display) -> Self {
        Self::new(Code::INVALID_PARAMETER).with_message(format!("This request cannot be read: {why}."))
    }

    /// The refusal in an answer with these, or None for code 0; the code's own sentence where there is none.
    pub(crate) fn of_answer(code: i32, detail: Option<i32>, message: Option<&str>) -> Option<Self> {
        let said = || message.unwrap_or(Code(code).sentence()).to_owned();
        (code != Code::OK.0).then(|| Self { code, detail, message: said() })
    }

    /// The same with another sentence.
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// The same with a closer code.
    pub fn with_detail(mut self, detail: Code) -> Self {
        self.detail = Some(detail.0);
        self
    }
}

impl From<Code> for Fault {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}
