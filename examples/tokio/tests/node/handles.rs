//! What is known of peers and links while they run

use std::time::Duration;

use devp2p_proto::ProtocolInfo;
use devp2p_tokio::{Io, Peer};
use tokio::time::sleep;

use crate::{link, listen, node, noise};

#[tokio::test(start_paused = true)]
async fn peers_and_their_counters() {
    let ours = node(1, async |peer: Peer, mut io: Io| {
        for _ in 0..10 {
            io.send(noise(1000)).await?;
        }
        listen(peer, io).await
    });
    let theirs = node(2, listen);
    assert!(ours.peers().is_empty());
    let (near, _far) = link(&ours, &theirs);
    sleep(Duration::from_secs(1)).await;

    let peers = theirs.peers();
    let [peer] = &peers[..] else { panic!("{peers:?}") };
    assert_eq!((peer.node_id(), peer.client_id(), peer.is_inbound()), (ours.id(), "test/1.0", true));
    assert_eq!((peer.address(), peer.shared().len(), peer.capabilities().len()), (None, 2, 2));
    let (name, protocols) = peer.info(|info| (info.name.to_string(), info.protocols().to_vec())).await.unwrap();
    assert_eq!(name, "test/1.0");
    let ProtocolInfo::Info(traffic) = &protocols[1].1 else { panic!("{protocols:?}") };
    assert_eq!((traffic.ingress.messages, traffic.ingress.payload_bytes), (10, 10_000));

    peer.disconnect(devp2p_proto::DisconnectReason::REQUESTED);
    near.await.unwrap();
    sleep(Duration::from_secs(5)).await;
    assert!(theirs.peers().is_empty());
    assert_eq!(peer.info(|_| ()).await, None);
}
