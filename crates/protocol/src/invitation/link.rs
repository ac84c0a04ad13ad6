//! Finding an invitation's link in a text, and taking it apart.

use percent_encoding::percent_decode_str;

use super::{Invitation, InvitationError, Part};

/// A link, or the address of a page, as it stands in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link<'a> {
    /// The server whose page it is.
    pub(super) page: Option<&'a str>,
    /// What stands behind the question mark.
    query: &'a str,
    /// What stands behind the number sign: browsers keep it from servers.
    fragment: &'a str,
}

impl<'a> Link<'a> {
    /// The first one in a text.
    pub(super) fn find(text: &'a str) -> Option<Result<Self, InvitationError>> {
        let ends = |c: char| c.is_whitespace() || c.is_control() || "<>\"“”«»".contains(c);
        text.split(ends).find_map(|word| {
            let word = word.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
            Self::of_word(word.trim_end_matches(|c: char| ".,;:!?)]}'*".contains(c)))
        })
    }

    fn of_word(word: &'a str) -> Option<Result<Self, InvitationError>> {
        let (scheme, rest) = word.split_once(':')?;
        let (place, query, fragment) = split(rest);
        if scheme.eq_ignore_ascii_case(Invitation::SCHEME) {
            let action = place.trim_matches('/');
            return Some(match action.eq_ignore_ascii_case("join") {
                true => Ok(Self { page: None, query, fragment }),
                false => Err(InvitationError::OtherLink { found: shown(action) }),
            });
        }
        let web = ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
        let server = place.trim_end_matches('/').strip_suffix("/join")?;
        // `scheme:` and the server, as they stand side by side in the word.
        let page = word.get(..scheme.len() + 1 + server.len())?;
        (web && server.starts_with("//") && server.len() > 2).then_some(Ok(Self {
            page: Some(page),
            query,
            fragment,
        }))
    }

    /// Its parts and their values. Keys that are not known may come from a newer version.
    pub(super) fn parts(&self) -> impl Iterator<Item = Result<(Part, String), InvitationError>> {
        let pairs = self.query.split('&').chain(self.fragment.split('&'));
        pairs.filter_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let part = Part::of_key(key)?;
            Some(decoded(value).map(|value| (part, value)).ok_or(InvitationError::Encoding { part }))
        })
    }
}

/// What comes before the question mark, behind it, and behind the number sign.
fn split(rest: &str) -> (&str, &str, &str) {
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    (place, query, fragment)
}

fn decoded(value: &str) -> Option<String> {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = value.as_bytes();
    let whole = bytes
        .iter()
        .enumerate()
        .all(|(at, byte)| *byte != b'%' || (is_digit(bytes.get(at + 1)) && is_digit(bytes.get(at + 2))));
    let text = percent_decode_str(value).decode_utf8().ok().filter(|_| whole)?;
    Some(text.into_owned())
}

/// Enough of something wrong to know it again.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 40;
    let mut shown: String = text.chars().take(MOST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Option<(Option<&str>, &str)> {
        Link::find(text).map(|link| link.unwrap()).map(|link| (link.page, link.query))
    }

    #[test]
    fn a_link_is_found_wherever_a_mail_puts_it() {
        for text in [
            "confab://join?room=1",
            "CONFAB://JOIN?room=1",
            "confab:join?room=1",
            "confab://join/?room=1",
            "Hi,\r\nopen <confab://join?room=1>.",
            "(see confab://join?room=1).",
            "“confab://join?room=1”",
        ] {
            assert_eq!(query(text), Some((None, "room=1")), "{text}");
        }
        let page = Some((Some("https://h:1/base"), "room=1"));
        assert_eq!(query("Look: https://h:1/base/join?room=1"), page);
        assert_eq!(query("https://h:1/base/join/?room=1#passcode=x"), page);
        assert_eq!(query("HTTP://h/join?x"), Some((Some("HTTP://h"), "x")));
    }

    #[test]
    fn other_addresses_are_no_links() {
        for text in
            ["", "https://h/joint?room=1", "https:///join?room=1", "ftp://h/join?room=1", "http:/join"]
        {
            assert_eq!(Link::find(text), None, "{text}");
        }
        let other = Link::find("confab://leave?room=1");
        assert_eq!(other, Some(Err(InvitationError::OtherLink { found: "leave".into() })));
    }

    #[test]
    fn a_value_is_decoded_whole_or_not_at_all() {
        assert_eq!(decoded("a%20b%2Bc+d"), Some("a b+c+d".to_owned()));
        for broken in ["%", "%2", "%zz", "a%ff"] {
            assert_eq!(decoded(broken), None, "{broken}");
        }
    }
}
