//! Where PulseAudio's server is, as its clients find it.

/// Whether something listens there, whatever it answers.
#[cfg(target_os = "linux")]
pub(super) fn takes_connections() -> bool {
    use std::os::unix::net::UnixStream;
    place(|name| std::env::var(name).ok()).is_some_and(|socket| UnixStream::connect(socket).is_ok())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn takes_connections() -> bool {
    false
}

/// The server's socket by the environment; a server elsewhere has none here.
#[cfg(target_os = "linux")]
fn place(variable: impl Fn(&str) -> Option<String>) -> Option<std::path::PathBuf> {
    let variable = |name| variable(name).filter(|text| !text.is_empty());
    if let Some(server) = variable("PULSE_SERVER") {
        let path = server.strip_prefix("unix:").unwrap_or(&server);
        return path.starts_with('/').then(|| path.into());
    }
    let own = variable("PULSE_RUNTIME_PATH").map(|folder| std::path::PathBuf::from(folder).join("native"));
    own.or_else(|| Some(std::path::PathBuf::from(variable("XDG_RUNTIME_DIR")?).join("pulse/native")))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_where_the_environment_says() {
        let of = |name: &'static str, value: &'static str| {
            let place = place(|asked| (asked == name).then(|| value.to_owned()));
            place.map(|place| place.display().to_string())
        };
        assert_eq!(of("PULSE_SERVER", "unix:/tmp/native").as_deref(), Some("/tmp/native"));
        assert_eq!(of("PULSE_SERVER", "/tmp/native").as_deref(), Some("/tmp/native"));
        assert_eq!(of("PULSE_SERVER", "tcp:elsewhere"), None);
        assert_eq!(of("PULSE_RUNTIME_PATH", "/run/pulse").as_deref(), Some("/run/pulse/native"));
        assert_eq!(of("XDG_RUNTIME_DIR", "/run/user/1").as_deref(), Some("/run/user/1/pulse/native"));
        assert_eq!(of("OTHER", "/x"), None);
    }
}
