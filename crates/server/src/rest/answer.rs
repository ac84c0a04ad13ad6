//! The envelope of every answer: status 200, `{"Response": {..., "RequestId": ...}}`.

use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::signature::AuthError;
use crate::attempts::TooOften;

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

impl From<TooOften> for RestError {
    fn from(often: TooOften) -> RestError {
        RestError::new("RequestLimitExceeded.IPLimitExceeded", often.to_string())
    }
}

/// Puts a result into the envelope.
///
/// The content type carries no charset: with one, the official Python SDK takes an error for a
/// success.
pub(crate) fn envelope(result: Result<Map<String, Value>, RestError>) -> Response {
    let id = Uuid::new_v4().to_string();
    let mut members = result.unwrap_or_else(|error| {
        let error = json!({ "Code": error.code, "Message": error.message });
        Map::from_iter([("Error".to_owned(), error)])
    });
    members.insert("RequestId".to_owned(), Value::String(id));
    let body = json!({ "Response": members });
    let mut response = Response::new(body.to_string().into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
