//! `GET /join`: the page behind an invitation's address. It opens the app by the link that says the same,
//! and tells people what to do where that does not happen. The page is the same for everybody: what the
//! address says is read by its script alone, so nothing of it passes into HTML or into a log here.

use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const HTML: &str = include_str!("join_page/page.html");
const STYLE: &str = include_str!("join_page/page.css");
const SCRIPT: &str = include_str!("join_page/page.js");

/// The whole page.
static PAGE: LazyLock<String> = LazyLock::new(|| HTML.replace("{style}", STYLE).replace("{script}", SCRIPT));

/// The script and the style that stand in the page, the link to the app, and nothing from anywhere.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; frame-src confab:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        digest(SCRIPT),
        digest(STYLE)
    )
});

/// Answers the page. Whoever looks at it may have a passcode in the address, which goes nowhere else.
pub(super) async fn page() -> Response {
    let policy = HeaderValue::from_str(&POLICY).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, Html(PAGE.as_str())).into_response()
}

fn digest(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::server::Server;

    #[tokio::test]
    async fn everybody_gets_the_same_page_whatever_the_address_says() {
        let server = Server::start(Config {
            http: ([127, 0, 0, 1], 0).into(),
            media: ([127, 0, 0, 1], 0).into(),
            workers: Some(1),
            ..Config::default()
        });
        let server = server.await.unwrap();
        let base = format!("http://{}/join", server.http());
        let plain = reqwest::get(&base).await.unwrap();
        let header = |name: &str| plain.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("x-content-type-options"), "nosniff");
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        let plain = plain.text().await.unwrap();
        for hostile in [
            "?room=%3Cscript%3Ealert(1)%3C/script%3E&server=%22onload=%22",
            "?room=</script><script>alert(1)</script>",
            "?room=%ff%00&%=%",
            "?passcode=planted&room=1",
        ] {
            let answer = reqwest::get(format!("{base}{hostile}")).await.unwrap();
            assert_eq!(
                (answer.status().as_u16(), answer.text().await.unwrap()),
                (200, plain.clone()),
                "{hostile}"
            );
        }
        server.stop(confab_protocol::ExitCause::HostStopped).await;
    }

    #[test]
    fn the_policy_lets_in_exactly_what_stands_in_the_page() {
        let between = |start: &str, end: &str| {
            let (_, rest) = PAGE.split_once(start).unwrap();
            rest.split_once(end).unwrap().0.to_owned()
        };
        assert!(
            POLICY.contains(&format!("script-src 'sha256-{}'", digest(&between("<script>", "</script>"))))
        );
        assert!(POLICY.contains(&format!("style-src 'sha256-{}'", digest(&between("<style>", "</style>")))));
        assert_eq!((PAGE.matches("<script").count(), PAGE.matches("<style").count()), (1, 1));
        for outside in ["src=", "http-equiv", "innerHTML", "document.write", "eval", " style=", "onclick"] {
            assert!(!PAGE.contains(outside), "{outside}");
        }
    }
}
