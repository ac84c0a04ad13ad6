//! What the window can be started with.

use std::convert::Infallible;

use confab_app::{Flags, InvitationText};

/// Meet people in a room, with picture and sound.
#[derive(Debug, clap::Parser)]
#[command(name = "confab", version)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) app: Flags,
    /// Read one JSON request a line from stdin, as confab-headless does: `--script -`
    #[arg(long, value_name = "-", value_parser = ["-"])]
    pub(crate) script: Option<String>,
    /// An invitation to open: confab://join?... or the address of its page. A window that is open
    /// already takes it, and this program ends
    #[arg(value_name = "INVITATION", value_parser = invitation)]
    pub(crate) invitation: Option<InvitationText>,
}

/// The page says what is wrong with one: there people see it.
fn invitation(text: &str) -> Result<InvitationText, Infallible> {
    Ok(InvitationText(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use confab_app::ReceiveFlag;

    use super::*;

    #[test]
    fn a_script_comes_from_stdin_only() {
        assert!(CommandLine::try_parse_from(["confab"]).unwrap().script.is_none());
        assert!(CommandLine::try_parse_from(["confab", "--script", "-"]).unwrap().script.is_some());
        assert!(CommandLine::try_parse_from(["confab", "--script", "meeting.json"]).is_err());
    }

    #[test]
    fn an_invitation_needs_no_flag_and_is_never_printed() {
        let link = "confab://join?server=h&room=5&passcode=planted";
        for arguments in
            [&["confab", link][..], &["confab", "--", link], &["confab", "--camera", "test", link]]
        {
            let line = CommandLine::try_parse_from(arguments).unwrap();
            assert_eq!(line.invitation, Some(InvitationText(link.into())));
            assert!(!format!("{line:?}").contains("planted"));
        }
        let menu = CommandLine::try_parse_from(["confab", "--"]).unwrap();
        assert_eq!(menu.invitation, None, "as the menu starts it");
    }

    #[test]
    fn devices_are_those_of_the_app_without_a_window() {
        let flags =
            CommandLine::try_parse_from(["confab", "--camera", "test", "--microphone", "none"]).unwrap();
        let options = flags.app.options("confab", ReceiveFlag::Shown).unwrap();
        assert!(options.camera.is_some() && options.microphone.is_none());
        assert!(CommandLine::try_parse_from(["confab", "--camera", "nonsense"]).is_err());
    }
}
