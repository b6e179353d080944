//! The listener: one task for each client that connects.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc::Sender;
use tokio::sync::{Semaphore, mpsc};
use tracing::{debug, error, warn};
use wire::Listener;

use crate::connection::{Connection, Limits};
use crate::engine::{Keyed, ToEngine};
use crate::node::Input;
use crate::numbers::requests::Requests;

/// Large requests that are read at the same time, over all connections: each takes its size in
/// memory.
const LARGE_REQUESTS: usize = 8;

/// Accepts clients for ever.
pub async fn listen(
    listener: TcpListener,
    takes: Listener,
    engine: Sender<ToEngine>,
    keyed: Keyed,
    max_request_bytes: usize,
    requests: Option<Arc<Requests>>,
) {
    let large = Arc::new(Semaphore::new(LARGE_REQUESTS));
    for connection in 0.. {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Mostly too many open files: others may close theirs.
                warn!("a client could not be accepted: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let limits = Limits {
            max_request_bytes,
            large: Arc::clone(&large),
            listener: takes,
            keyed: keyed.clone(),
            requests: requests.clone(),
        };
        let engine = engine.clone();
        tokio::spawn(async move {
            debug!(connection, %peer, "connected");
            let (answers, inbox) = mpsc::unbounded_channel();
            if engine.send(ToEngine::Connected { connection, answers }).await.is_err() {
                return;
            }
            let served = Connection::new(connection, stream, peer, engine.clone(), inbox, limits);
            // A task of its own: whatever becomes of it, the engine learns that it is over.
            match tokio::spawn(served.serve()).await {
                Ok(Ok(())) => debug!(connection, %peer, "closed"),
                Ok(Err(error)) if is_usual(&error) => debug!(connection, %peer, "lost: {error}"),
                Ok(Err(error)) => warn!(connection, %peer, "closed: {error}"),
                Err(panic) => error!(connection, %peer, "the broker has a bug: {panic}"),
            }
            let _ = engine.send(ToEngine::Input(Input::Gone { connection })).await;
        });
    }
}

/// Clients go as they like.
fn is_usual(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof
    )
}
