use confab_app::Flags;

/// Meet people in a room, with picture and sound.
#[derive(Debug, clap::Parser)]
#[command(name = "confab", version)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) app: Flags,
    /// Read one JSON request a line from stdin, as confab-headless does: `--script -`
    #[arg(long, value_name = "-", value_parser = ["-"])]
    pub(crate) script: Option<String>,
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
    fn devices_are_those_of_the_app_without_a_window() {
        let flags =
            CommandLine::try_parse_from(["confab", "--camera", "test", "--microphone", "none"]).unwrap();
        let options = flags.app.options("confab", ReceiveFlag::Shown).unwrap();
        assert!(options.camera.is_some() && options.microphone.is_none());
        assert!(CommandLine::try_parse_from(["confab", "--camera", "nonsense"]).is_err());
    }
}
