//! The envelope of every answer: status 200, `{"Response": {..., "RequestId": ...}}`.

use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::json;
use uuid::Uuid;

use super::tc3::AuthError;

/// An error as Tencent's SDKs see it: a stable code and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct RestError {
    /// One of the codes of the action or the common ones.
    pub(crate) code: &'static str,
    /// For the person who calls; holds no secret.
    pub(crate) message: String,
}

impl RestError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> RestError {
        RestError { code, message: message.into() }
    }
}

impl From<AuthError> for RestError {
    fn from(error: AuthError) -> RestError {
        let code = match error {
            AuthError::Missing("Authorization") | AuthError::Malformed(_) => {
                "AuthFailure.InvalidAuthorization"
            }
            AuthError::Missing(_) => "MissingParameter",
            AuthError::Timestamp => "InvalidParameterValue",
            AuthError::Expired => "AuthFailure.SignatureExpire",
            AuthError::UnknownId => "AuthFailure.SecretIdNotFound",
            AuthError::Mismatch => "AuthFailure.SignatureFailure",
        };
        RestError::new(code, error.to_string())
    }
}

/// Puts a result into the envelope.
///
/// The content type carries no charset: with one, the official Python SDK takes an error for a
/// success.
pub(crate) fn envelope(result: &Result<(), RestError>) -> Response {
    let id = Uuid::new_v4().to_string();
    let body = match result {
        Ok(()) => json!({ "Response": { "RequestId": id } }),
        Err(error) => json!({
            "Response": {
                "Error": { "Code": error.code, "Message": error.message },
                "RequestId": id,
            }
        }),
    };
    let mut response = Response::new(body.to_string().into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
