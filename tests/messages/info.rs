//! What a node tells about itself: traffic counters, and the JSON of `PeerInfo` and `NodeInfo`

use std::time::Duration;

use devp2p_proto::{Action, Direction, ProtocolId};
use devp2p_testing::{ALPHA, BETA, Pair};

#[test]
fn messages_are_counted() {
    let mut pair = Pair::running();
    let payload = vec![7; 1_000];
    let sent = pair.initiator.link.write(pair.now, BETA, 2, &payload).unwrap();
    let wire_size = sent.wire_size;
    assert_eq!((sent.direction, sent.protocol, sent.code, sent.size), (Direction::Sent, BETA, 2, 1_000));
    assert_eq!(wire_size, pair.initiator.link.unsent().len());
    assert!(wire_size < 200, "{wire_size}");
    let Some(Action::Send(bytes)) = pair.initiator.link.poll() else { panic!("nothing to send") };
    let bytes = bytes.to_vec();
    pair.initiator.link.sent(pair.now, bytes.len()).unwrap();
    assert_eq!(pair.recipient.link.receive(pair.now, &bytes), bytes.len());
    let received = pair.recipient.link.poll().unwrap().message_event();
    let mut expected = sent;
    expected.direction = Direction::Received;
    assert_eq!(received, Some(expected));
    let out = pair.initiator.link.traffic(BETA).unwrap();
    let came = pair.recipient.link.traffic(BETA).unwrap();
    assert_eq!((out.egress.messages, out.egress.payload_bytes, out.egress.wire_bytes), (1, 1_000, wire_size as u64));
    assert_eq!((came.ingress, came.egress.messages, out.ingress.messages), (out.egress, 0, 0));
    assert_eq!(pair.initiator.link.traffic(ALPHA), Some(Default::default()));
    assert_eq!(pair.initiator.link.traffic(ProtocolId(2)), None);
    pair.advance(Duration::from_secs(20));
    assert_eq!(pair.initiator.link.traffic(BETA), Some(out), "Pings belong to no protocol");
    assert_eq!(pair.initiator.link.age(pair.now), Duration::from_secs(20));
}

#[cfg(feature = "serde")]
mod json {
    use devp2p_proto::Network;
    use devp2p_testing::{ALPHA, BETA, PROTOCOLS, Pair, config, key};
    use serde_json::json;

    /// The shape of geth's `admin_peers`
    #[test]
    fn peer_info_is_what_geth_shows() {
        let pair = Pair::running();
        let network = Network {
            local_address: "10.0.0.1:30303",
            remote_address: "10.0.0.2:54321",
            trusted: true,
            is_static: false,
        };
        let part = |shared: devp2p_proto::SharedProtocol| (shared.protocol == ALPHA).then(|| json!({ "version": 1 }));
        let id = key(1).node_id();
        let info = pair.recipient.link.peer_info(network, part).unwrap();
        let expected = json!({
            "enode": format!("enode://{id}@10.0.0.2:54321"),
            "id": id.hash().to_string(),
            "name": "test/1",
            "caps": ["alpha/1", "beta/2"],
            "network": {
                "localAddress": "10.0.0.1:30303",
                "remoteAddress": "10.0.0.2:54321",
                "inbound": true,
                "trusted": true,
                "static": false,
            },
            "protocols": { "alpha": { "version": 1 }, "beta": "handshake" },
        });
        assert_eq!(serde_json::to_value(info).unwrap(), expected);
    }

    /// The shape of geth's `admin_nodeInfo`
    #[test]
    fn node_info_is_what_geth_shows() {
        let config = config(1, PROTOCOLS).with_listen_port(30303);
        let part = |protocol, _| (protocol == BETA).then(|| json!({ "head": 7 }));
        let info = config.node_info("10.0.0.1", "10.0.0.1:30303", part);
        let id = key(1).node_id();
        let expected = json!({
            "id": id.hash().to_string(),
            "name": "test/1",
            "enode": format!("enode://{id}@10.0.0.1:30303"),
            "ip": "10.0.0.1",
            "ports": { "discovery": 0, "listener": 30303 },
            "listenAddr": "10.0.0.1:30303",
            "protocols": { "alpha": "handshake", "beta": { "head": 7 } },
        });
        assert_eq!(serde_json::to_value(info).unwrap(), expected);
    }
}
