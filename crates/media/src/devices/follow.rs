//! Which device is used as devices come and go. Owns no device and no clock.

use super::{Device, DeviceKind, choose};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// All is as it should be.
    Stay,
    /// Another device is to be opened.
    Switch { to: Device, why: Why },
    /// The one in use is gone and there is no other: the first that comes is taken.
    Wait,
}

/// What led to another device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The one in use is gone.
    Gone,
    /// The one that was chosen is back.
    Back,
    /// The system prefers another one, and none was chosen.
    Default,
    /// There was none before.
    Found,
    /// It stopped although it is there.
    Again,
}

/// The device in use.
#[derive(Clone, Copy, Debug)]
pub struct Now<'a> {
    /// As it was listed when it was opened.
    pub device: &'a Device,
    /// It has not stopped by itself.
    pub works: bool,
}

/// Which of the devices `there` is used where `wish` was chosen (nothing: the system's default) and
/// `now` is open. `there` are the devices of the kind.
pub fn follow(kind: DeviceKind, wish: Option<&str>, now: Option<Now<'_>>, there: &[Device]) -> Step {
    let Ok(fallback) = choose(kind, there, None) else {
        return if now.is_some() { Step::Wait } else { Step::Stay };
    };
    let chosen = wish.and_then(|wish| choose(kind, there, Some(wish)).ok());
    let held = now.and_then(|now| there.iter().position(|device| device.id == now.device.id));
    // Systems have no default camera: the first is only the first, and a picture is not exchanged
    // because another camera was plugged in.
    let target = match (chosen, held) {
        (Some(chosen), _) => chosen,
        (None, Some(held)) if kind == DeviceKind::Camera => held,
        (None, _) => fallback,
    };
    let why = match (now, held) {
        (Some(now), Some(held)) if held == target && now.works => return Step::Stay,
        (Some(_), Some(held)) if held == target => Why::Again,
        (None, _) => Why::Found,
        (Some(_), None) => Why::Gone,
        (Some(_), Some(_)) if chosen.is_some() => Why::Back,
        (Some(_), Some(_)) => Why::Default,
    };
    match there.get(target) {
        Some(to) => Step::Switch { to: to.clone(), why },
        None => Step::Stay,
    }
}

/// How a device is announced to people.
pub fn words(why: Why, before: Option<&str>, to: &Device) -> String {
    let (kind, to) = (to.kind, &to.name);
    match (why, before) {
        (Why::Gone, Some(before)) => {
            format!("The {kind} “{before}” was unplugged; “{to}” is used now.")
        }
        (Why::Gone, None) => format!("The {kind} was unplugged; “{to}” is used now."),
        (Why::Back, _) => format!("The {kind} “{to}” is back and used again."),
        (Why::Default, _) => format!("Your computer prefers the {kind} “{to}” now, and it is used."),
        (Why::Again, _) => format!("The {kind} “{to}” stopped and was started again."),
        (Why::Found, _) => format!("The {kind} “{to}” was found and is used now."),
    }
}

/// How it is said that a chosen device is away from the start.
pub fn words_for_away(kind: DeviceKind, chosen: &str, instead: &str) -> String {
    format!("The {kind} “{chosen}” is not connected; “{instead}” is used.")
}

/// How it is said that the one in use is gone and there is no other.
pub fn words_for_none(kind: DeviceKind, before: Option<&str>) -> String {
    let named = before.map(|name| format!(" “{name}”")).unwrap_or_default();
    format!("The {kind}{named} was unplugged, and there is no other; connect one, and it is used at once.")
}

/// Something that happened to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// As it is listed now; as it was listed last where it is gone.
    pub device: Device,
    /// What happened.
    pub what: What,
}

/// What happened to it; the numbers are TRTC's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It was not there before.
    Added = 0,
    /// It is there no longer.
    Removed = 1,
    /// The system's default is this one now.
    DefaultChanged = 3,
}

/// What happened between two looks, those that went first.
pub fn changes(before: &[Device], after: &[Device]) -> Vec<Change> {
    let in_list = |list: &[Device], device: &Device| list.iter().any(|other| other.is(device));
    let changed = |what| move |device: &Device| Change { device: device.clone(), what };
    let gone = before.iter().filter(|device| !in_list(after, device)).map(changed(What::Removed));
    let come = after.iter().filter(|device| !in_list(before, device)).map(changed(What::Added));
    let default = DeviceKind::ALL.into_iter().filter_map(|kind| {
        let of =
            |list: &[Device]| list.iter().find(|device| device.kind == kind && device.is_default).cloned();
        of(after).filter(|now| of(before).is_none_or(|was| !was.is(now)))
    });
    // Systems have no default camera.
    let default = default.filter(|now| now.kind != DeviceKind::Camera);
    gone.chain(come).chain(default.map(|device| Change { device, what: What::DefaultChanged })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIC: DeviceKind = DeviceKind::Microphone;

    fn device(kind: DeviceKind, id: &str, is_default: bool) -> Device {
        Device { kind, id: id.to_owned(), name: format!("The {id}"), is_default }
    }

    fn mic(id: &str, is_default: bool) -> Device {
        device(MIC, id, is_default)
    }

    fn on(device: &Device) -> Option<Now<'_>> {
        Some(Now { device, works: true })
    }

    fn switch(to: &Device, why: Why) -> Step {
        Step::Switch { to: to.clone(), why }
    }

    #[test]
    fn the_default_takes_over_when_the_device_in_use_is_gone_and_gives_it_back() {
        let (own, headset) = (mic("own", true), mic("headset", false));
        let both = [own.clone(), headset.clone()];
        assert_eq!(follow(MIC, Some("headset"), on(&headset), &both), Step::Stay);
        let alone = [own.clone()];
        assert_eq!(follow(MIC, Some("headset"), on(&headset), &alone), switch(&own, Why::Gone));
        assert_eq!(follow(MIC, Some("headset"), on(&own), &alone), Step::Stay);
        assert_eq!(follow(MIC, Some("headset"), on(&own), &both), switch(&headset, Why::Back));
    }

    #[test]
    fn the_systems_default_is_followed_unless_another_was_chosen() {
        let was = [mic("own", true), mic("headset", false)];
        let is = [mic("own", false), mic("headset", true)];
        assert_eq!(follow(MIC, None, on(&was[0]), &is), switch(&is[1], Why::Default));
        assert_eq!(follow(MIC, Some("own"), on(&was[0]), &is), Step::Stay);
        // What stands in for a chosen one that is away is the default, whichever that is.
        assert_eq!(follow(MIC, Some("away"), on(&was[0]), &is), switch(&is[1], Why::Default));
    }

    #[test]
    fn the_first_that_comes_is_taken_where_there_was_none() {
        let own = mic("own", true);
        assert_eq!(follow(MIC, None, on(&own), &[]), Step::Wait);
        assert_eq!(follow(MIC, None, None, &[]), Step::Stay);
        assert_eq!(follow(MIC, Some("headset"), None, std::slice::from_ref(&own)), switch(&own, Why::Found));
    }

    #[test]
    fn a_device_that_stops_although_it_is_there_is_started_again() {
        let (own, headset) = (mic("own", true), mic("headset", false));
        let stopped = Some(Now { device: &own, works: false });
        assert_eq!(follow(MIC, None, stopped, &[own.clone(), headset.clone()]), switch(&own, Why::Again));
        assert_eq!(follow(MIC, None, stopped, std::slice::from_ref(&headset)), switch(&headset, Why::Gone));
        assert_eq!(follow(MIC, None, stopped, &[]), Step::Wait);
    }

    #[test]
    fn a_running_camera_is_not_exchanged_for_one_that_stands_before_it() {
        let camera = |id, first| device(DeviceKind::Camera, id, first);
        let (old, new) = (camera("old", true), camera("new", true));
        let both = [new.clone(), camera("old", false)];
        assert_eq!(follow(DeviceKind::Camera, None, on(&old), &both), Step::Stay);
        assert_eq!(follow(DeviceKind::Camera, Some("new"), on(&old), &both), switch(&new, Why::Back));
        assert_eq!(
            follow(DeviceKind::Camera, None, on(&old), std::slice::from_ref(&new)),
            switch(&new, Why::Gone)
        );
    }

    #[test]
    fn people_are_told_in_whole_sentences() {
        let own = mic("own", true);
        assert_eq!(
            words(Why::Gone, Some("Headset"), &own),
            "The microphone “Headset” was unplugged; “The own” is used now."
        );
        assert_eq!(words(Why::Back, None, &own), "The microphone “The own” is back and used again.");
        assert_eq!(
            words_for_none(MIC, Some("Headset")),
            "The microphone “Headset” was unplugged, and there is no other; connect one, and it is used at \
             once."
        );
        for why in [Why::Gone, Why::Back, Why::Default, Why::Found, Why::Again] {
            let said = words(why, None, &own);
            assert!(said.starts_with("The microphone") || said.contains("the microphone"), "{said}");
            assert!(said.ends_with('.') && said.contains("“The own”"), "{said}");
        }
    }

    #[test]
    fn changes_tell_what_went_what_came_and_what_is_preferred_now() {
        let before = [mic("own", true), mic("headset", false)];
        let after = [mic("own", false), mic("table", true)];
        let told: Vec<(String, What)> =
            changes(&before, &after).into_iter().map(|change| (change.device.id, change.what)).collect();
        let wanted = [("headset", What::Removed), ("table", What::Added), ("table", What::DefaultChanged)];
        assert_eq!(told, wanted.map(|(id, what)| (id.to_owned(), what)));
        assert_eq!(changes(&after, &after), []);
    }

    #[test]
    fn a_speaker_is_not_taken_for_a_microphone_of_the_same_id() {
        let (microphone, speaker) = (mic("card", true), device(DeviceKind::Speaker, "card", true));
        let told = changes(&[microphone.clone(), speaker], &[microphone]);
        assert_eq!((told.len(), told[0].device.kind, told[0].what), (1, DeviceKind::Speaker, What::Removed));
    }
}
