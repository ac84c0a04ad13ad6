//! What a person can do about a device, in the words of their system.

use crate::DeviceKind;

/// The systems whose settings have names of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    Linux,
    MacOs,
    Windows,
}

/// The one that this program was built for.
pub(crate) const HERE: System = if cfg!(target_os = "macos") {
    System::MacOs
} else if cfg!(windows) {
    System::Windows
} else {
    System::Linux
};

/// There is no such device.
pub(crate) fn missing(system: System, kind: DeviceKind) -> String {
    let connect = match kind {
        DeviceKind::Camera => "connect one to be seen, or go on without",
        DeviceKind::Microphone => "connect one and unmute to be heard, or go on without",
        DeviceKind::Speaker => "connect one to hear the others",
    };
    let look = match (system, kind) {
        (System::Linux, DeviceKind::Camera) => "see whether “ls /dev/video*” shows it",
        (System::MacOs, DeviceKind::Camera) => "see whether Photo Booth shows its picture",
        (System::Windows, DeviceKind::Camera) => "enable it in Settings > Bluetooth & devices > Cameras",
        (System::Linux, _) => "choose it in the sound settings",
        (System::MacOs, _) => "choose it in System Settings > Sound",
        (System::Windows, _) => "allow it in Settings > System > Sound",
    };
    format!("{connect}; if one is connected, {look}")
}

/// Another program holds the device.
pub(crate) fn busy(system: System, kind: DeviceKind) -> String {
    let also = match (system, kind) {
        (System::Linux, DeviceKind::Camera) => " (“fuser -v /dev/video*” names it)",
        (System::Linux, _) => " (“fuser -v /dev/snd/*” names it)",
        (System::Windows, DeviceKind::Microphone | DeviceKind::Speaker) => {
            " or take the device's exclusive control from it in Settings > System > Sound"
        }
        (System::Windows, DeviceKind::Camera) | (System::MacOs, _) => "",
    };
    format!("close that program{also}, then start the {kind} again")
}

/// The system says nothing.
pub(crate) fn silent(system: System, kind: DeviceKind) -> String {
    match (system, kind) {
        (_, DeviceKind::Camera) => "disconnect it and connect it again, then start it once more".to_owned(),
        (System::Linux, _) => format!(
            "the computer's sound service may hang: restart it (“systemctl --user restart pipewire-pulse” \
             or “pulseaudio -k”), then choose the {kind} again"
        ),
        (System::MacOs, _) | (System::Windows, _) => format!(
            "the computer's sound service may hang: restart the computer, then choose the {kind} again"
        ),
    }
}

/// The system refuses access.
pub(crate) fn forbidden(system: System, kind: DeviceKind) -> String {
    match (system, kind) {
        (System::Linux, DeviceKind::Camera) => {
            "join the group that may (“sudo usermod -aG video $USER”), then log in again".to_owned()
        }
        (System::Linux, _) => {
            "join the group that may (“sudo usermod -aG audio $USER”), then log in again".to_owned()
        }
        (System::MacOs, DeviceKind::Speaker) | (System::Windows, DeviceKind::Speaker) => {
            "allow it in the system's sound settings".to_owned()
        }
        (System::MacOs, _) => {
            let pane = pane(kind);
            format!("allow it in System Settings > Privacy & Security > {pane}, then start this app again")
        }
        (System::Windows, _) => {
            let pane = pane(kind);
            format!(
                "allow it in Settings > Privacy & security > {pane} > Let desktop apps access your {kind}"
            )
        }
    }
}

fn pane(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Camera => "Camera",
        DeviceKind::Microphone => "Microphone",
        DeviceKind::Speaker => "Sound",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEMS: [System; 3] = [System::Linux, System::MacOs, System::Windows];

    #[test]
    fn every_remedy_goes_on_a_sentence_and_says_what_to_do() {
        for system in SYSTEMS {
            for kind in DeviceKind::ALL {
                let all = [missing, busy, silent, forbidden].map(|remedy| remedy(system, kind));
                for said in all {
                    assert!(said.starts_with(|first: char| first.is_lowercase()), "{said}");
                    assert!(!said.ends_with('.') && said.len() > 20, "{said}");
                }
            }
        }
    }

    #[test]
    fn each_system_is_spoken_of_in_its_own_words() {
        let camera = DeviceKind::Camera;
        let said = SYSTEMS.map(|system| forbidden(system, camera));
        for (said, word) in
            said.iter().zip(["usermod -aG video", "System Settings >", "Let desktop apps access your camera"])
        {
            assert!(said.contains(word), "{said}");
        }
        assert!(forbidden(System::Linux, DeviceKind::Microphone).contains("-aG audio"));
        assert!(busy(System::Windows, DeviceKind::Microphone).contains("exclusive"));
        assert!(busy(System::Linux, camera).contains("/dev/video"));
    }
}
