//! What a program's log complains about.

use anyhow::{Result, ensure};

/// What the programs log in a test: what they tell of themselves, and every complaint that people
/// see. The transport's crates complain about packets that anybody may send.
pub const LOG: &str = "info,confab=debug,confab_app=debug,confab_media=debug,confab_session=debug,\
confab_server=debug,webrtc=off,rtc=off,str0m=error";

/// The lines of a log that are warnings or errors, ours or a library's. A log without any line of
/// ours is an error: it proves nothing.
pub fn complaints(log: &str) -> Result<Vec<String>> {
    let level = |line: &&str| line.split_whitespace().nth(1).map(str::to_owned).unwrap_or_default();
    ensure!(log.lines().any(|line| ["DEBUG", "INFO"].contains(&level(&line).as_str())), "nothing is logged");
    let bad = |line: &&str| {
        ["WARN", "ERROR"].contains(&level(line).as_str())
            || ["panicked", "-WARNING **", "-CRITICAL **"].iter().any(|word| line.contains(word))
    };
    Ok(log.lines().filter(bad).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_found_whoever_has_them() {
        let log = "2026-01-02T03:04:05Z  INFO confab_server: WARN is a word\n\
            2026-01-02T03:04:05Z  WARN confab_session: late\n\
            2026-01-02T03:04:05Z ERROR confab_app: gone\n\
            (confab:7): Gtk-WARNING **: 03:04:05.678: no theme\n\
            thread 'stage' panicked at src/stage.rs:1:1:";
        let found = complaints(log).unwrap();
        assert_eq!(found, log.lines().skip(1).collect::<Vec<_>>());
    }

    #[test]
    fn an_empty_log_proves_nothing() {
        assert!(complaints("").is_err() && complaints("libEGL: no GPU").is_err());
    }
}
