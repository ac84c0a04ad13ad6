//! HmacSHA1 and HmacSHA256: the older signature, which stands among the parameters it covers.
//!
//! Source: Tencent Cloud API 3.0 signature v1, as its SDKs compute it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{AuthError, seconds};

/// What every request has beside the parameters of its action.
const COMMON: [&str; 11] = [
    "Action",
    "Version",
    "Region",
    "Timestamp",
    "Nonce",
    "SecretId",
    "SignatureMethod",
    "Signature",
    "Language",
    "RequestClient",
    "Token",
];

/// The parts of a request that a signature covers. The path is always `/`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// As the client named it, with the port where it named one.
    pub(crate) host: &'a str,
    /// The query of a GET or the form of a POST, decoded.
    pub(crate) pairs: &'a [(String, String)],
}

impl<'a> Request<'a> {
    /// A parameter of the request.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.pairs.iter().find_map(|(key, value)| (key == name).then_some(value.as_str()))
    }

    /// What belongs to the action alone.
    pub(crate) fn own(&self) -> Vec<(String, String)> {
        self.pairs.iter().filter(|(name, _)| !COMMON.contains(&name.as_str())).cloned().collect()
    }

    /// The text that is signed.
    fn text(&self) -> String {
        let signed = self.pairs.iter().filter(|(name, _)| name != "Signature");
        let mut pairs: Vec<(String, &str)> =
            signed.map(|(name, value)| (name.replace('_', "."), value.as_str())).collect();
        pairs.sort();
        let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{}{}/?{}", self.method, self.host, pairs.join("&"))
    }
}

/// The SecretId whose key signed `request`; `now` is Unix time in seconds.
pub(crate) fn verify(
    request: Request<'_>,
    key_of: impl Fn(&str) -> Option<String>,
    now: u64,
) -> Result<String, AuthError> {
    let need = |name: &'static str| request.get(name).ok_or(AuthError::Missing(name));
    let (id, signature) = (need("SecretId")?, need("Signature")?);
    seconds(need("Timestamp")?, now)?;
    let sign = method(request.get("SignatureMethod"))?;
    let key = key_of(id).ok_or(AuthError::UnknownId)?;
    let expected = BASE64_STANDARD.encode(sign(key.as_bytes(), request.text().as_bytes()));
    if bool::from(expected.as_bytes().ct_eq(signature.as_bytes())) {
        Ok(id.to_owned())
    } else {
        Err(AuthError::Mismatch)
    }
}

type Sign = fn(&[u8], &[u8]) -> Vec<u8>;

/// HmacSHA1 where the request names none.
fn method(name: Option<&str>) -> Result<Sign, AuthError> {
    match name {
        None | Some("HmacSHA1") => Ok(sha1),
        Some("HmacSHA256") => Ok(sha256),
        Some(_) => Err(AuthError::Malformed("SignatureMethod must be HmacSHA1 or HmacSHA256")),
    }
}

fn sha1(key: &[u8], text: &[u8]) -> Vec<u8> {
    // HMAC takes keys of every length, so the error cannot occur; an empty result matches nothing.
    Hmac::<Sha1>::new_from_slice(key)
        .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

fn sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

/// What a client puts into `Signature`; tests of the whole server sign with it.
#[cfg(test)]
pub(crate) fn sign(request: Request<'_>, key: &str) -> String {
    let sign = method(request.get("SignatureMethod")).unwrap();
    BASE64_STANDARD.encode(sign(key.as_bytes(), request.text().as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// What the official Python SDK sends for RemoveUser by this method, with its signature.
    fn sent(method: &str, signature: &str) -> Vec<(String, String)> {
        pairs(&[
            ("SdkAppId", "1400000001"),
            ("RoomId", "1234"),
            ("UserIds.0", "test1"),
            ("UserIds.1", "\u{6d4b}\u{8bd5} a+b"),
            ("Action", "RemoveUser"),
            ("RequestClient", "SDK_PYTHON_3.1.177"),
            ("Nonce", "11886"),
            ("Timestamp", "1700000000"),
            ("Version", "2019-07-22"),
            ("Region", "ap-guangzhou"),
            ("SecretId", "AKIDEXAMPLE"),
            ("SignatureMethod", method),
            ("Language", "zh-CN"),
            ("Signature", signature),
        ])
    }

    fn request<'a>(method: &'a str, pairs: &'a [(String, String)]) -> Request<'a> {
        Request { method, host: "127.0.0.1:8080", pairs }
    }

    fn key_of(id: &str) -> Option<String> {
        (id == "AKIDEXAMPLE").then(|| "secretEXAMPLE".to_owned())
    }

    fn check(method: &str, pairs: &[(String, String)]) -> Result<String, AuthError> {
        verify(request(method, pairs), key_of, NOW)
    }

    const VECTORS: [(&str, &str, &str); 4] = [
        ("POST", "HmacSHA1", "w5tpUICuq4NLlzE7gw8nleZDoj4="),
        ("POST", "HmacSHA256", "2yyp3RoUT1ckJ914tnFn+NeO8fa3PvxRHn7hsRT9ZjU="),
        ("GET", "HmacSHA1", "A3+oz43Jtt9xEqF7iaBZh7h2fw8="),
        ("GET", "HmacSHA256", "eRq/1QMjpofsQHK4JZB/aSmreGNKCBktJ3Zzo6XeuDo="),
    ];

    #[test]
    fn what_the_official_sdk_signs_is_believed() {
        for (method, by, signature) in VECTORS {
            let sent = sent(by, signature);
            assert_eq!(check(method, &sent), Ok("AKIDEXAMPLE".to_owned()), "{method} {by}");
            assert_eq!(sign(request(method, &sent), "secretEXAMPLE"), signature);
            let other = if method == "GET" { "POST" } else { "GET" };
            assert_eq!(check(other, &sent), Err(AuthError::Mismatch));
        }
    }

    #[test]
    fn any_change_of_a_parameter_the_host_or_the_key_is_noticed() {
        let (method, by, signature) = VECTORS[1];
        let good = sent(by, signature);
        for at in 0..good.len() {
            let mut changed = good.clone();
            changed[at].1.push('1');
            assert!(check(method, &changed).is_err(), "{:?}", good[at]);
            let mut fewer = good.clone();
            fewer.remove(at);
            assert!(check(method, &fewer).is_err(), "{:?}", good[at]);
        }
        let mut more = good.clone();
        more.push(("UserIds.2".to_owned(), "x".to_owned()));
        assert_eq!(check(method, &more), Err(AuthError::Mismatch));
        let moved = Request { host: "127.0.0.1:9", ..request(method, &good) };
        assert_eq!(verify(moved, key_of, NOW), Err(AuthError::Mismatch));
        let wrong_key = verify(request(method, &good), |_| Some("x".to_owned()), NOW);
        assert_eq!(wrong_key, Err(AuthError::Mismatch));
        assert_eq!(verify(request(method, &good), |_| None, NOW), Err(AuthError::UnknownId));
    }

    #[test]
    fn the_clock_may_be_off_by_five_minutes_and_no_more() {
        let (method, by, signature) = VECTORS[0];
        let sent = sent(by, signature);
        for (now, well) in [(NOW + 300, true), (NOW + 301, false), (NOW - 300, true), (NOW - 301, false)] {
            let result = verify(request(method, &sent), key_of, now);
            assert_eq!(result, if well { Ok("AKIDEXAMPLE".to_owned()) } else { Err(AuthError::Expired) });
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        assert_eq!(check("GET", &[]), Err(AuthError::Missing("SecretId")));
        let id = [("SecretId", "AKIDEXAMPLE"), ("Signature", "x"), ("Timestamp", "soon")];
        assert_eq!(check("GET", &pairs(&id[..1])), Err(AuthError::Missing("Signature")));
        assert_eq!(check("GET", &pairs(&id[..2])), Err(AuthError::Missing("Timestamp")));
        assert_eq!(check("GET", &pairs(&id)), Err(AuthError::Timestamp));
        let by = sent("md5", "x");
        assert!(matches!(check("GET", &by), Err(AuthError::Malformed(_))));
    }

    #[test]
    fn names_are_sorted_with_points_for_underscores_and_no_method_means_sha1() {
        let pairs = pairs(&[("b_c", "2"), ("b.a", "1"), ("a", "&="), ("Signature", "x"), ("B", "0")]);
        assert_eq!(request("GET", &pairs).text(), "GET127.0.0.1:8080/?B=0&a=&=&b.a=1&b.c=2");
        assert_eq!(method(None).unwrap()(b"k", b"t"), sha1(b"k", b"t"));
    }

    #[test]
    fn the_actions_own_parameters_are_what_is_left() {
        let names: Vec<String> =
            request("GET", &sent("HmacSHA1", "x")).own().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["SdkAppId", "RoomId", "UserIds.0", "UserIds.1"]);
    }

    proptest! {
        #[test]
        fn any_parameters_are_refused_without_a_panic(
            pairs in proptest::collection::vec(("(SecretId|Signature|Timestamp|.{0,9})", ".{0,20}"), 0..9),
            now in any::<u64>(),
        ) {
            prop_assert!(verify(request("GET", &pairs), |_| Some("k".to_owned()), now).is_err());
        }
    }
}
