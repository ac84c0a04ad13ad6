//! Request bodies, limited in size and time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::StreamExt;

/// How long a whole body may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of a body that is too large is still read, in multiples of its limit: a client that
/// is cut off while it writes would not see the answer.
const DRAIN: usize = 16;

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the body did not arrive within {} seconds", PATIENCE.as_secs())]
    TooSlow,
    #[error("the body broke off")]
    Broken,
}

/// The whole body, if it has at most `limit` bytes and arrives in time.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Bytes, BodyError> {
    read_within(body, limit, PATIENCE).await
}

async fn read_within(body: Body, limit: usize, patience: Duration) -> Result<Bytes, BodyError> {
    tokio::time::timeout(patience, collect(body, limit)).await.unwrap_or(Err(BodyError::TooSlow))
}

async fn collect(body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let mut stream = body.into_data_stream();
    let mut all = Vec::new();
    let mut seen = 0_usize;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| BodyError::Broken)?;
        seen = seen.saturating_add(chunk.len());
        if seen <= limit {
            all.extend_from_slice(&chunk);
        } else if seen > limit.saturating_mul(DRAIN) {
            break;
        }
    }
    if seen > limit { Err(BodyError::TooLarge { limit }) } else { Ok(all.into()) }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_body_up_to_the_limit_is_read_whole() {
        assert_eq!(read(Body::from(vec![7; 100]), 100).await.unwrap(), vec![7; 100]);
        let error = read(Body::from(vec![7; 101]), 100).await.unwrap_err();
        assert_eq!(error, BodyError::TooLarge { limit: 100 });
    }

    #[tokio::test]
    async fn an_endless_body_ends() {
        let endless = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[0; 1024])));
        let error = read(Body::from_stream(endless), 100).await.unwrap_err();
        assert_eq!(error, BodyError::TooLarge { limit: 100 });
    }

    #[tokio::test]
    async fn a_body_that_stalls_is_given_up() {
        let stalled = stream::pending::<Result<Bytes, Infallible>>();
        let read = read_within(Body::from_stream(stalled), 100, Duration::from_millis(1)).await;
        assert_eq!(read, Err(BodyError::TooSlow));
    }
}
