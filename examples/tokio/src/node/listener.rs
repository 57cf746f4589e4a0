//! The task that accepts links

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::sleep;

use super::builder::Shared;
use super::link::{Done, Origin, open};
use super::member::Permits;
use super::tasks::Tasks;

/// How long to wait after a failed accept
const PAUSE: Duration = Duration::from_millis(100);

pub async fn listen(listener: TcpListener, shared: Arc<Shared>, tasks: Weak<Tasks>) {
    loop {
        // Nobody closes these semaphores.
        let handshake = Arc::clone(&shared.handshakes).acquire_owned().await.ok();
        let (socket, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // The process may have reached its limit of sockets. Some of them will be closed.
                tracing::debug!(%error, "cannot accept");
                sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(inbound) = Arc::clone(&shared.inbound).try_acquire_owned() else {
            tracing::debug!(%address, "too many inbound links");
            continue;
        };
        // The link itself puts frames together, so TCP need not wait for more bytes.
        _ = socket.set_nodelay(true);
        let permits = Permits { _inbound: Some(inbound), handshake };
        open(&shared, &tasks, socket, Origin::Accepted(Some(address), permits), Done::new().0);
    }
}
