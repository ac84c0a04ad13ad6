//! Work that would hold the runtime up.

use std::thread;
use tokio::sync::oneshot;

/// Runs work that blocks (devices opening, threads ending) on a thread of its own, which has ended
/// when this returns. The runtime's own pool would keep its threads for a while. Nothing is
/// returned when the thread cannot start or the work panics.
pub(crate) async fn offload<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = oneshot::channel();
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _ = done.send(work());
    });
    let thread = thread.inspect_err(|error| tracing::error!(name, %error, "no thread could start")).ok()?;
    let result = result.await.ok();
    // It has nothing left to do but to end.
    if thread.join().is_err() {
        tracing::error!(name, "the work panicked");
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_result_comes_back_and_a_panic_is_nothing() {
        assert_eq!(offload("test", || 7).await, Some(7));
        assert_eq!(offload("test", || -> u8 { panic!("on purpose") }).await, None);
    }
}
