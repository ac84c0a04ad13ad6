//! A server with a certificate: everything on its port is encrypted.

use serde_json::Value;

use super::{Trial, body, config};
use crate::config::{Config, TlsFiles};
use crate::{Identity, Server, StartError};

fn files(folder: &tempfile::TempDir) -> TlsFiles {
    let files = TlsFiles { certificate: folder.path().join("chain.pem"), key: folder.path().join("key.pem") };
    let pem = Identity::make().unwrap();
    std::fs::write(&files.certificate, &pem).unwrap();
    std::fs::write(&files.key, pem).unwrap();
    files
}

#[tokio::test]
async fn with_a_certificate_everything_is_encrypted_and_clear_text_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let trial = Trial::with(Config { tls: Some(files(&folder)), ..config() }).await;
    assert!(trial.server.url().starts_with("https://127.0.0.1:"), "{}", trial.server.url());
    // Nobody has signed it.
    let client = reqwest::Client::builder().danger_accept_invalid_certs(true).no_proxy().build().unwrap();
    let request = client.post(format!("{}/v1/enter", trial.server.url()));
    let answer: Value = request.body(body("alice").to_string()).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["code"], 0, "{answer}");
    assert_eq!(answer["url"], format!("wss://{}", trial.server.http()));
    let clear = trial.client.get(format!("http://{}/healthz", trial.server.http())).send().await.unwrap();
    assert_eq!(clear.status().as_u16(), 426);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_said_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(&folder);
    std::fs::remove_file(&files.key).unwrap();
    let error = Server::start(Config { tls: Some(files), ..config() }).await.unwrap_err();
    assert!(matches!(error, StartError::Tls(_)), "{error}");
    assert!(error.to_string().contains("key.pem, which cannot be read"), "{error}");
}
