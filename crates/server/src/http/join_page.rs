//! `GET /join`: the page behind an invitation's address. It opens the app by the link that says the same,
//! and tells people what to do where that does not happen, or what is wrong with the address. The page is
//! the same for everybody: what the address says is read by its script alone, so nothing of it passes into
//! HTML or into a log here.

use std::sync::{Arc, LazyLock};

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::Shared;

const HTML: &str = include_str!("join_page/page.html");
const STYLE: &str = include_str!("join_page/page.css");
const SCRIPT: &str = include_str!("join_page/page.js");

/// What people are told who have not got the app, where the operator says nowhere to get it.
const BY_HAND: &str = "There is no site to get it at: whoever invited you, or who runs this server, can send \
    you its installer, whose name ends in setup.exe for Windows, in .deb for Debian and Ubuntu and in .rpm \
    for other Linux.";

/// The whole page but for where to get the app.
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
pub(super) async fn page(State(shared): State<Arc<Shared>>) -> Response {
    let policy = HeaderValue::from_str(&POLICY).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    let source = source(shared.config().download_url.as_deref());
    (headers, Html(PAGE.replace("{source}", &source))).into_response()
}

/// Where to get the app, in HTML.
fn source(url: Option<&str>) -> String {
    let Some(url) = url.map(escaped) else { return BY_HAND.to_owned() };
    format!("Get it at <a href=\"{url}\">{url}</a>.")
}

/// A text as it stands in HTML and in its quoted attributes.
fn escaped(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => all.push_str("&amp;"),
            '<' => all.push_str("&lt;"),
            '>' => all.push_str("&gt;"),
            '"' => all.push_str("&quot;"),
            '\'' => all.push_str("&#39;"),
            plain => all.push(plain),
        }
    }
    all
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
        assert!(plain.contains(BY_HAND) && !plain.contains("{source}"), "{plain}");
        server.stop(confab_protocol::ExitCause::HostStopped).await;
    }

    #[tokio::test]
    async fn who_has_not_got_the_app_is_led_to_where_the_operator_says() {
        let server = Server::start(Config {
            http: ([127, 0, 0, 1], 0).into(),
            media: ([127, 0, 0, 1], 0).into(),
            workers: Some(1),
            download_url: Some("https://get.example/?app=confab&v='1'".to_owned()),
            ..Config::default()
        });
        let server = server.await.unwrap();
        let page = reqwest::get(format!("http://{}/join", server.http())).await.unwrap();
        let page = page.text().await.unwrap();
        let url = "https://get.example/?app=confab&amp;v=&#39;1&#39;";
        assert!(page.contains(&format!("Get it at <a href=\"{url}\">{url}</a>.")), "{page}");
        assert!(!page.contains(BY_HAND), "{page}");
        server.stop(confab_protocol::ExitCause::HostStopped).await;
    }

    #[test]
    fn an_address_of_the_operator_cannot_leave_its_place() {
        assert_eq!(escaped(r#"a"><b>'&"#), "a&quot;&gt;&lt;b&gt;&#39;&amp;");
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
