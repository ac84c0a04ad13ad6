//! What is read as an invitation, what is refused and in which words, and that every one survives its text.

use proptest::prelude::*;

use super::*;
use crate::Fingerprint;

const FINGERPRINT: &str = "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff";

fn read(text: &str) -> Invitation {
    text.parse().unwrap()
}

fn said(text: &str) -> String {
    text.parse::<Invitation>().unwrap_err().to_string()
}

fn tea() -> Invitation {
    Invitation {
        server: server_address(Some("192.168.1.20:7880")).unwrap(),
        room: RoomId::text("tea: at four, please.").unwrap(),
        scene: Scene::VoiceChatRoom,
        app: None,
        user: None,
        sig: None,
        passcode: None,
        ticket: None,
    }
}

#[test]
fn both_forms_say_the_same() {
    let query = "server=192.168.1.20:7880&room=tea:%20at%20four%2C%20please.&kind=text&scene=voiceChatRoom";
    assert_eq!(tea().to_string(), format!("confab://join?{query}"));
    assert_eq!(tea().page(), format!("https://192.168.1.20:7880/join?{query}"));
    assert_eq!(read(&tea().to_string()), tea());
    assert_eq!(read(&tea().page()), tea());
    assert_eq!(read(&tea().message()), tea());
}

#[test]
fn a_page_is_encrypted_unless_the_server_is_known_not_to_be() {
    let page = |server: &str| {
        let server = server_address(Some(server)).unwrap();
        Invitation { server, ..tea() }.page()
    };
    assert!(page("http://host:80").starts_with("http://host:80/join?server=http://host:80&"));
    assert!(page("127.0.0.1").starts_with("http://127.0.0.1:7880/join?"));
    assert!(page("https://meet.example/base").starts_with("https://meet.example/base/join?"));
    assert!(page(&format!("10.0.0.1#{}", Fingerprint([7; 32]))).starts_with("https://10.0.0.1:7880/join?"));
}

#[test]
fn the_certificate_is_named_by_its_digits_and_held_to() {
    let trust = Trust::Certificate(Fingerprint(std::array::from_fn(|at| if at % 2 == 0 { 0 } else { 255 })));
    let invitation = read(&format!("confab://join?server=10.0.0.1&room=5&fingerprint={FINGERPRINT}"));
    assert_eq!(invitation.server.trust, trust);
    assert!(invitation.to_string().contains(&format!("fingerprint={FINGERPRINT}")), "{invitation}");
    let raw = RawEnterParams::from(invitation.clone());
    assert_eq!(server_address(raw.server.as_deref()).unwrap(), invitation.server);
    let upper = format!("confab://join?server=10.0.0.1&room=5&fingerprint={}", FINGERPRINT.to_uppercase());
    assert_eq!(read(&upper), invitation);
}

#[test]
fn a_page_needs_no_server_and_may_keep_secrets_from_it() {
    let invitation = read("https://meet.example/join?room=5#passcode=open%20sesame");
    assert_eq!(
        (invitation.server.to_string().as_str(), invitation.scene),
        ("https://meet.example", Scene::VideoCall)
    );
    assert_eq!(invitation.passcode, Some(Passcode("open sesame".into())));
    assert_eq!(read("http://10.0.0.1:7880/join?room=5").server.trust, Trust::Plain);
}

#[test]
fn a_number_and_the_same_digits_as_text_are_two_rooms() {
    let room = |query: &str| read(&format!("confab://join?server=h&{query}")).room;
    let (number, text) = (RoomId::number(123).unwrap(), RoomId::text("123").unwrap());
    assert_eq!((room("room=123"), room("room=123&kind=number")), (number.clone(), number));
    assert_eq!(room("room=123&kind=text"), text);
}

#[test]
fn lines_are_read_too_and_may_carry_a_signature_by_hand() {
    let text = "Join my meeting.\r\n\r\nServer: 10.0.0.9:7880\r\nRoom: tea: at four\r\nRoom kind: text\r\n\
        Scene: live\r\nSDKAppID: 1400000001\r\nUser ID: bo\r\nUserSig: eJx-_sig*\r\n";
    let invitation = read(text);
    assert_eq!((invitation.room, invitation.scene), (RoomId::text("tea: at four").unwrap(), Scene::Live));
    assert_eq!(
        (invitation.app, invitation.user),
        (Some(SdkAppId(1_400_000_001)), Some("bo".parse().unwrap()))
    );
    assert_eq!(invitation.sig, Some(UserSigText("eJx-_sig*".into())));
    let forwarded = read("Server: 10.0.0.9\nRoom: 1\nRoom: 2");
    assert_eq!(forwarded.room, RoomId::number(2).unwrap());
    assert_eq!(said("192.168.1.20:7880"), said("http://host:7880"));
    assert!(said("Room: tea").contains("no invitation"));
}

#[test]
fn what_is_wrong_is_named_by_its_part() {
    let long = "p".repeat(257);
    for (query, sentence) in [
        ("room=5", "The invitation does not say which server."),
        ("server=h", "The invitation does not say which room."),
        ("server=h&room=", "The invitation does not say which room."),
        ("server=h&room=5&room=6", "The invitation says its room twice."),
        (
            "server=h&room=%f",
            "The invitation's room is broken: behind each % belong two hexadecimal digits, and all of it \
             makes text in UTF-8.",
        ),
        (
            "server=h&room=tea",
            "The invitation's room \"tea\" is no number. A room that has a name needs kind=text.",
        ),
        (
            "server=h&room=0",
            "The invitation's room cannot be entered. The room number 0 is not possible; it must be between \
             1 and 4294967294.",
        ),
        ("server=h&room=5&kind=name", "The invitation's kind of room is \"name\"; it is number or text."),
        (
            "server=h&room=5&scene=tv",
            "The invitation's scene is unknown. The scene \"tv\" does not exist; it is 0 to 3 or videoCall, \
             live, audioCall, voiceChatRoom.",
        ),
        (
            "server=h&room=5&app=x",
            "The invitation's SDKAppID \"x\" is not possible; it is a number from 1 to 4294967295.",
        ),
        (
            "server=h&room=5&user=a%20b",
            "The invitation's user ID cannot be used. The user id has the character ' ' at place 2; only \
             A-Z a-z 0-9 _ and - are allowed.",
        ),
        (
            "server=a%20b&room=5",
            "The invitation's server cannot be used. The server address \"a b\" cannot be read; write it \
             like 192.168.1.20:7880.",
        ),
        (
            &format!("server=h&room=5&passcode={long}"),
            "The invitation's passcode has 257 characters; at most 256 are allowed.",
        ),
        (
            &format!("server=h&room=5&ticket={long}"),
            "The invitation's ticket cannot be used. The ticket has 257 characters; it needs 1 to 256.",
        ),
        (
            &format!("server=h&room=5&fingerprint={}", &FINGERPRINT[1..]),
            "The invitation's fingerprint has 63 of 64 hexadecimal digits.",
        ),
        (
            &format!("server=h&room=5&fingerprint={FINGERPRINT}0"),
            "The invitation's fingerprint has 65 of 64 hexadecimal digits.",
        ),
        (
            "server=h&room=5&fingerprint=0g",
            "The invitation's fingerprint has the character 'g' at place 2, which is no hexadecimal digit.",
        ),
        (
            &format!("server=http://h&room=5&fingerprint={FINGERPRINT}"),
            "The invitation's server cannot be used. An address with http:// has no fingerprint; leave \
             out http://.",
        ),
    ] {
        assert_eq!(said(&format!("confab://join?{query}")), sentence);
    }
    assert_eq!(
        said("confab://leave"),
        "This link is no invitation: behind confab:// it says \"leave\" instead of join."
    );
    assert!(said(&"x".repeat(Invitation::LIMIT + 1)).contains("65537 bytes"));
}

#[test]
fn keys_of_newer_versions_are_passed_over() {
    assert_eq!(read("confab://join?server=h&colour=red&room=5&&x"), read("confab://join?server=h&room=5"));
}

#[test]
fn secrets_are_carried_and_never_printed() {
    let link = "confab://join?server=h&room=5&passcode=planted-a&ticket=planted-b&user=bo&sig=planted-c";
    let invitation = read(link);
    assert!(!format!("{invitation:?}").contains("planted"), "{invitation:?}");
    let raw = RawEnterParams::from(invitation);
    assert_eq!((raw.passcode.as_deref(), raw.ticket.as_deref()), (Some("planted-a"), Some("planted-b")));
    assert!(!format!("{raw:?}").contains("planted"));
    for broken in
        [format!("{link}&ticket=x"), format!("{link}&passcode=planted"), link.replace("bo", "b%20o")]
    {
        let error = broken.parse::<Invitation>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("planted"), "{error:?}");
    }
}

#[test]
fn an_invitation_cannot_be_made_to_a_room_that_cannot_be() {
    let made = |raw: RawEnterParams| Invitation::try_from(raw).map_err(|fault| fault.code);
    assert_eq!(made(RawEnterParams::default()), Err(-3318));
    let room = || RawEnterParams { room_id: Some(5), ..RawEnterParams::default() };
    assert_eq!(made(RawEnterParams { ticket: Some("t".repeat(257)), ..room() }), Err(-2));
    assert_eq!(made(RawEnterParams { server: Some("a b".into()), ..room() }), Err(-2));
    assert_eq!(made(room()).unwrap().server.to_string(), crate::DEFAULT_SERVER);
}

fn any_invitation() -> impl Strategy<Value = Invitation> {
    let server = prop_oneof![
        Just("192.168.1.20".to_owned()),
        Just("[fd00::2]:7".to_owned()),
        Just("http://h".to_owned()),
        Just("https://meet.example/base".to_owned()),
        any::<[u8; 32]>().prop_map(|bytes| format!("10.0.0.1:9#{}", Fingerprint(bytes))),
        any::<[u8; 32]>().prop_map(|bytes| format!("https://meet.example#{}", Fingerprint(bytes))),
    ];
    let room = prop_oneof![
        (1..=RoomId::MAX_NUMBER).prop_map(|number| RoomId::number(number).unwrap()),
        "[A-Za-z0-9 !#$%&()+:;<=.>?@\\[\\]^_{}|~,-]{1,64}".prop_map(|text| RoomId::text(&text).unwrap()),
    ];
    let scene = (0..4_i64).prop_map(|number| Scene::try_from(number).unwrap());
    let app = proptest::option::of((1..=u32::MAX).prop_map(SdkAppId));
    let secret = || proptest::option::of("\\PC{1,40}");
    let user = proptest::option::of("[A-Za-z0-9_-]{1,32}");
    (server, room, scene, app, user, secret(), secret(), secret()).prop_map(
        |(server, room, scene, app, user, sig, passcode, ticket)| Invitation {
            server: server_address(Some(&server)).unwrap(),
            room,
            scene,
            app,
            user: user.map(|user| user.parse().unwrap()),
            sig: sig.map(UserSigText),
            passcode: passcode.map(Passcode),
            ticket: ticket.map(|ticket| ticket.try_into().unwrap()),
        },
    )
}

proptest! {
    #[test]
    fn an_invitation_survives_every_form_of_it(invitation in any_invitation()) {
        prop_assert_eq!(&read(&invitation.to_string()), &invitation);
        prop_assert_eq!(&read(&invitation.page()), &invitation);
        prop_assert_eq!(&read(&invitation.message()), &invitation);
        let raw = RawEnterParams::from(invitation.clone());
        prop_assert_eq!(Invitation::try_from(raw).unwrap(), invitation);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*", query in "[a-z=&%#?/:0-9]{0,60}") {
        for text in [
            text.clone(),
            format!("confab://join?{query}"),
            format!("https://{text}/join?{query}#{text}"),
            format!("confab:{text}"),
            format!("Server: {text}\nRoom: {query}"),
            format!("confab://join?server=h&room=5&fingerprint={text}"),
        ] {
            if let Ok(invitation) = text.parse::<Invitation>() {
                prop_assert_eq!(read(&invitation.to_string()), invitation);
            }
        }
    }
}
