//! TC3-HMAC-SHA256: who signed a Tencent Cloud request, from the request and the time alone.
//!
//! Source: Tencent Cloud API 3.0 signature v3; service `trtc`.

use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use time::OffsetDateTime;

use super::{AuthError, seconds};

const ALGORITHM: &str = "TC3-HMAC-SHA256";
const SERVICE: &str = "trtc";
const TERMINATOR: &str = "tc3_request";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// Without these a signature could be carried to another server or read in another format.
const MUST_BE_SIGNED: [&str; 2] = ["content-type", "host"];

/// The parts of a request that a signature covers. The path is always `/`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// As it was sent, without the question mark.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// The SecretId whose key signed `request`; `now` is Unix time in seconds.
pub(crate) fn verify(
    request: Request<'_>,
    key_of: impl Fn(&str) -> Option<String>,
    now: u64,
) -> Result<String, AuthError> {
    let text = header(request.headers, "authorization").ok_or(AuthError::Missing("Authorization"))?;
    let claim = Authorization::parse(text)?;
    let stamp = header(request.headers, "x-tc-timestamp").ok_or(AuthError::Missing("X-TC-Timestamp"))?;
    let seconds = seconds(stamp, now)?;
    let date = date_of(seconds).ok_or(AuthError::Timestamp)?;
    if claim.date != date {
        return Err(AuthError::Malformed("the credential's date is not the timestamp's"));
    }
    let key = key_of(claim.id).ok_or(AuthError::UnknownId)?;
    let canonical = canonical_request(request, claim.signed)?;
    let to_sign = string_to_sign(stamp, &date, &canonical);
    let expected = hex(&hmac(&signing_key(&key, &date), to_sign.as_bytes()));
    if bool::from(expected.as_bytes().ct_eq(claim.signature.as_bytes())) {
        Ok(claim.id.to_owned())
    } else {
        Err(AuthError::Mismatch)
    }
}

/// The parts of an `Authorization` header.
struct Authorization<'a> {
    id: &'a str,
    date: &'a str,
    signed: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(text: &'a str) -> Result<Authorization<'a>, AuthError> {
        let rest = text
            .trim()
            .strip_prefix(ALGORITHM)
            .and_then(|rest| rest.strip_prefix(' '))
            .ok_or(AuthError::Malformed("only TC3-HMAC-SHA256 is accepted"))?;
        let part = |name: &str| {
            rest.split(',')
                .filter_map(|part| part.trim().split_once('='))
                .find_map(|(key, value)| (key == name).then_some(value))
        };
        let credential = part("Credential").ok_or(AuthError::Malformed("Credential is missing"))?;
        let signed = part("SignedHeaders").ok_or(AuthError::Malformed("SignedHeaders is missing"))?;
        let signature = part("Signature").ok_or(AuthError::Malformed("Signature is missing"))?;
        let mut scope = credential.split('/');
        let (id, date, service, end) = (scope.next(), scope.next(), scope.next(), scope.next());
        let (Some(id), Some(date), None) = (id, date, scope.next()) else {
            return Err(AuthError::Malformed("Credential must be ID/DATE/trtc/tc3_request"));
        };
        if service != Some(SERVICE) || end != Some(TERMINATOR) {
            return Err(AuthError::Malformed("Credential must be ID/DATE/trtc/tc3_request"));
        }
        if MUST_BE_SIGNED.iter().any(|must| !signed.split(';').any(|name| name == *must)) {
            return Err(AuthError::Malformed("content-type and host must be signed"));
        }
        Ok(Authorization { id, date, signed, signature })
    }
}

/// The text whose hash is signed; header names and order come from `signed`.
fn canonical_request(request: Request<'_>, signed: &str) -> Result<String, AuthError> {
    let mut headers = String::new();
    for name in signed.split(';') {
        let value = header(request.headers, name).ok_or(AuthError::Mismatch)?.trim();
        // Tencent's own samples put the action into the text in lower case, whatever was sent.
        let value = if name == "x-tc-action" { value.to_lowercase() } else { value.to_owned() };
        headers.push_str(&format!("{name}:{value}\n"));
    }
    let payload = match header(request.headers, "x-tc-content-sha256") {
        Some(UNSIGNED) => UNSIGNED.as_bytes(),
        _ => request.body,
    };
    let hash = hex(&Sha256::digest(payload));
    Ok(format!("{}\n/\n{}\n{headers}\n{signed}\n{hash}", request.method, request.query))
}

fn string_to_sign(stamp: &str, date: &str, canonical: &str) -> String {
    let hash = hex(&Sha256::digest(canonical.as_bytes()));
    format!("{ALGORITHM}\n{stamp}\n{date}/{SERVICE}/{TERMINATOR}\n{hash}")
}

fn signing_key(key: &str, date: &str) -> Vec<u8> {
    let date = hmac(format!("TC3{key}").as_bytes(), date.as_bytes());
    hmac(&hmac(&date, SERVICE.as_bytes()), TERMINATOR.as_bytes())
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    // HMAC takes keys of every length, so the error cannot occur; an empty result matches nothing.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The UTC date of a Unix time as `YYYY-MM-DD`.
fn date_of(seconds: u64) -> Option<String> {
    let at = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    Some(format!("{:04}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day()))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// What a client puts into `Authorization`; tests of the whole server sign with it.
#[cfg(test)]
pub(crate) fn sign(request: Request<'_>, signed: &str, id: &str, key: &str, seconds: u64) -> String {
    let date = date_of(seconds).unwrap();
    let canonical = canonical_request(request, signed).unwrap();
    let to_sign = string_to_sign(&seconds.to_string(), &date, &canonical);
    let signature = hex(&hmac(&signing_key(key, &date), to_sign.as_bytes()));
    format!(
        "{ALGORITHM} Credential={id}/{date}/{SERVICE}/{TERMINATOR}, SignedHeaders={signed}, Signature={signature}"
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn vectors() -> Vec<Value> {
        let file: Value = serde_json::from_str(include_str!("tc3_vectors.json")).unwrap();
        file["vectors"].as_array().unwrap().clone()
    }

    fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
        vector[name].as_str().unwrap()
    }

    fn headers(vector: &Value) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("host", text(vector, "host").parse().unwrap());
        headers.insert("content-type", text(vector, "content_type").parse().unwrap());
        headers.insert("x-tc-timestamp", vector["timestamp"].to_string().parse().unwrap());
        headers.insert("x-tc-action", text(vector, "action").parse().unwrap());
        headers.insert("authorization", text(vector, "authorization").parse().unwrap());
        headers
    }

    fn request<'a>(vector: &'a Value, headers: &'a HeaderMap) -> Request<'a> {
        Request {
            method: text(vector, "method"),
            query: text(vector, "query"),
            headers,
            body: text(vector, "body").as_bytes(),
        }
    }

    fn key_of(id: &str) -> Option<String> {
        (id == "AKIDEXAMPLE").then(|| "secretEXAMPLE".to_owned())
    }

    #[test]
    fn every_vector_is_reproduced_step_by_step() {
        let vectors = vectors();
        assert_eq!(vectors.len(), 3);
        for vector in &vectors {
            let headers = headers(vector);
            let request = request(vector, &headers);
            let canonical = canonical_request(request, "content-type;host").unwrap();
            assert_eq!(canonical, text(vector, "canonical_request"));
            assert_eq!(
                string_to_sign("1700000000", "2023-11-14", &canonical),
                text(vector, "string_to_sign")
            );
            assert_eq!(hex(&signing_key("secretEXAMPLE", "2023-11-14")), text(vector, "signing_key_hex"));
            assert_eq!(verify(request, key_of, NOW), Ok("AKIDEXAMPLE".to_owned()));
        }
    }

    #[test]
    fn the_clock_may_be_off_by_five_minutes_and_no_more() {
        let vector = &vectors()[0];
        let headers = headers(vector);
        let at = |now| verify(request(vector, &headers), key_of, now);
        assert!(at(NOW + 300).is_ok());
        assert!(at(NOW - 300).is_ok());
        assert_eq!(at(NOW + 301), Err(AuthError::Expired));
        assert_eq!(at(NOW - 301), Err(AuthError::Expired));
    }

    #[test]
    fn any_change_of_body_host_query_or_key_is_noticed() {
        let vector = &vectors()[0];
        let sent = headers(vector);
        let good = request(vector, &sent);
        assert_eq!(verify(Request { body: b"{}", ..good }, key_of, NOW), Err(AuthError::Mismatch));
        assert_eq!(verify(Request { query: "a=b", ..good }, key_of, NOW), Err(AuthError::Mismatch));
        assert_eq!(verify(Request { method: "GET", ..good }, key_of, NOW), Err(AuthError::Mismatch));
        assert_eq!(verify(good, |_| Some("other".to_owned()), NOW), Err(AuthError::Mismatch));
        assert_eq!(verify(good, |_| None, NOW), Err(AuthError::UnknownId));
        let mut moved = sent.clone();
        moved.insert("host", "127.0.0.1:9".parse().unwrap());
        assert_eq!(verify(Request { headers: &moved, ..good }, key_of, NOW), Err(AuthError::Mismatch));
    }

    #[test]
    fn the_action_is_signed_in_lower_case_and_a_charset_as_sent() {
        let mut headers = HeaderMap::new();
        headers.insert("host", "example.com".parse().unwrap());
        headers.insert("content-type", "application/json; charset=utf-8".parse().unwrap());
        headers.insert("x-tc-action", "DismissRoom".parse().unwrap());
        headers.insert("x-tc-timestamp", "1700000000".parse().unwrap());
        let request = Request { method: "POST", query: "", headers: &headers, body: b"{}" };
        let canonical = canonical_request(request, "content-type;host;x-tc-action").unwrap();
        let wanted =
            "content-type:application/json; charset=utf-8\nhost:example.com\nx-tc-action:dismissroom\n";
        assert!(canonical.contains(wanted), "{canonical}");
        let authorization =
            sign(request, "content-type;host;x-tc-action", "AKIDEXAMPLE", "secretEXAMPLE", NOW);
        let mut signed = headers.clone();
        signed.insert("authorization", authorization.parse().unwrap());
        assert!(verify(Request { headers: &signed, ..request }, key_of, NOW).is_ok());
        signed.insert("x-tc-action", "RemoveUser".parse().unwrap());
        assert_eq!(verify(Request { headers: &signed, ..request }, key_of, NOW), Err(AuthError::Mismatch));
    }

    #[test]
    fn an_unsigned_payload_is_taken_only_when_the_header_was_there_at_signing() {
        let mut headers = HeaderMap::new();
        headers.insert("host", "h".parse().unwrap());
        headers.insert("content-type", "application/json".parse().unwrap());
        headers.insert("x-tc-timestamp", "1700000000".parse().unwrap());
        headers.insert("x-tc-content-sha256", UNSIGNED.parse().unwrap());
        let request = Request { method: "POST", query: "", headers: &headers, body: b"{\"a\":1}" };
        let authorization = sign(request, "content-type;host", "AKIDEXAMPLE", "secretEXAMPLE", NOW);
        let mut signed = headers.clone();
        signed.insert("authorization", authorization.parse().unwrap());
        assert!(verify(Request { headers: &signed, body: b"other", ..request }, key_of, NOW).is_ok());
        signed.remove("x-tc-content-sha256");
        assert_eq!(verify(Request { headers: &signed, ..request }, key_of, NOW), Err(AuthError::Mismatch));
    }

    #[test]
    fn a_malformed_header_says_what_is_wrong() {
        let vector = &vectors()[0];
        let mut headers = headers(vector);
        let good = text(vector, "authorization").to_owned();
        let mut with = |value: &str| {
            headers.insert("authorization", value.parse().unwrap());
            verify(request(vector, &headers), key_of, NOW).unwrap_err()
        };
        for bad in [
            "",
            "Bearer x",
            "TC3-HMAC-SHA256",
            "TC3-HMAC-SHA256 nonsense",
            "TC3-HMAC-SHA256 Credential=a, SignedHeaders=content-type;host, Signature=00",
            &good.replace("/trtc/", "/cvm/"),
            &good.replace("/tc3_request", "/tc3_request/x"),
            &good.replace("SignedHeaders=content-type;host", "SignedHeaders=content-type"),
            &good.replace("2023-11-14", "2023-11-15"),
            &good.replace("Signature=", "Sign="),
        ] {
            assert!(matches!(with(bad), AuthError::Malformed(_)), "{bad}");
        }
        assert_eq!(
            with(&good.replace("content-type;host,", "content-type;host;x-absent,")),
            AuthError::Mismatch
        );
        headers.remove("authorization");
        assert_eq!(verify(request(vector, &headers), key_of, NOW), Err(AuthError::Missing("Authorization")));
        headers.insert("authorization", good.parse().unwrap());
        headers.insert("x-tc-timestamp", "soon".parse().unwrap());
        assert_eq!(verify(request(vector, &headers), key_of, NOW), Err(AuthError::Timestamp));
        headers.insert("x-tc-timestamp", u64::MAX.to_string().parse().unwrap());
        assert_eq!(verify(request(vector, &headers), key_of, NOW), Err(AuthError::Expired));
    }

    proptest! {
        #[test]
        fn any_header_is_refused_without_a_panic(
            text in "[ -~]{0,200}", parts in "TC3-HMAC-SHA256 [CredentialSignatureSignedHeaders=;,/ a-z0-9]{0,200}",
            stamp in "[ -~]{0,24}", now in any::<u64>(),
        ) {
            for authorization in [text, parts] {
                let mut headers = HeaderMap::new();
                headers.insert("authorization", authorization.parse().unwrap());
                headers.insert("x-tc-timestamp", stamp.parse().unwrap());
                let request = Request { method: "POST", query: "", headers: &headers, body: b"" };
                prop_assert!(verify(request, key_of, now).is_err());
            }
        }

        #[test]
        fn what_was_signed_is_believed(
            body in any::<Vec<u8>>(), query in "[!-~]{0,60}", key in ".{1,40}",
            seconds in 0_u64..250_000_000_000, off in 0_u64..=300,
        ) {
            let mut headers = HeaderMap::new();
            headers.insert("host", "h:1".parse().unwrap());
            headers.insert("content-type", "text/plain".parse().unwrap());
            headers.insert("x-tc-timestamp", seconds.to_string().parse().unwrap());
            let unsigned = Request { method: "POST", query: &query, headers: &headers, body: &body };
            let authorization = sign(unsigned, "content-type;host", "ID", &key, seconds);
            let mut signed = headers.clone();
            signed.insert("authorization", authorization.parse().unwrap());
            let request = Request { headers: &signed, ..unsigned };
            let believed = verify(request, |_| Some(key.clone()), seconds + off);
            prop_assert_eq!(believed, Ok("ID".to_owned()));
        }
    }
}
