//! Promises about secrets: no output of `Debug` shows them

use std::fmt::Debug;

use devp2p_proto::{Action, Buffers, Config, DisconnectReason, Entropy, Event, Outbox, SecretKey, Stage, WriteError};
use devp2p_testing::remote::{Scene, body, compressed};
use devp2p_testing::{ALPHA, PROTOCOLS, Pair, entropy, noise, slots};

#[test]
fn secrets_do_not_print() {
    let ((ours, our_key), (theirs, their_key)) = (secret_config(101), secret_config(102));
    let payload = noise(103, 60);
    // The last 17 bytes of entropy are an IV, which is on the wire, and the length of the padding.
    let drawn = |seed| noise(seed, Entropy::SIZE)[..96].to_vec();
    let secrets = Secrets(vec![our_key, their_key, drawn(1), drawn(2), payload.clone()]);
    secrets.look_into(&ours);
    secrets.look_into(&entropy(1));
    secrets.look_into(&SecretKey::from_bytes(noise(101, 32).try_into().unwrap()).unwrap());
    secrets.look_into(&Buffers::growable());
    secrets.look_into(&Buffers::fixed(&mut payload.clone(), &mut payload.clone(), &mut [], slots()));
    let mut outbox = Outbox::new(ALPHA, 1_000);
    outbox.send(0, &payload, |_, _, _| Err::<(), _>(WriteError::Full)).unwrap();
    assert!(!outbox.is_empty());
    secrets.look_into(&outbox);
    secrets.look_into(&Event::Receive(&payload));
    secrets.look_into(&Event::Write { protocol: ALPHA, code: 0, payload: &payload });

    let mut pair = Pair::new(&ours, &theirs);
    let mut stages = vec![pair.initiator.link.stage()];
    while pair.step() {
        secrets.look_into(&pair.initiator.link);
        secrets.look_into(&pair.recipient.link);
        stages.push(pair.initiator.link.stage());
    }
    let event = pair.initiator.link.write(pair.now, ALPHA, 0, &payload).unwrap();
    secrets.look_into(&event);
    secrets.look_into(&pair.initiator.link.poll());
    pair.initiator.link.write(pair.now, ALPHA, 4, &payload).map_err(|error| secrets.look_into(&error)).unwrap_err();
    let Some(Action::Send(bytes)) = pair.initiator.link.poll() else { panic!("nothing to send") };
    let frame = bytes.to_vec();
    assert_eq!(pair.recipient.link.receive(pair.now, &frame), frame.len());
    secrets.look_into(&pair.recipient.link);
    let action = pair.recipient.link.poll().unwrap();
    secrets.look_into(&action);
    let Action::Deliver { payload: delivered, .. } = action else { panic!("no delivery") };
    assert_eq!(*delivered, payload[..], "it was there to be printed");
    secrets.look_into(&delivered);
    pair.initiator.link.disconnect(pair.now, DisconnectReason::REQUESTED);
    secrets.look_into(&pair.initiator.link);
    stages.push(pair.initiator.link.stage());
    assert!(stages.contains(&Stage::Handshake) && stages.contains(&Stage::Running), "{stages:?}");
}

/// The keys of the session, which are known from the scripted remote
#[test]
fn session_keys_do_not_print() {
    let mut scene = Scene::running();
    let keys = scene.session().keys.map(Vec::from).to_vec();
    let secrets = Secrets(keys);
    scene.send_body(&body(0x10, &compressed(&noise(9, 50))));
    let frame = scene.input.log[scene.input.log.len() - scene.input.waiting()..].to_vec();
    _ = scene.node.link.receive(scene.now, &frame);
    secrets.look_into(&scene.node.link);
    secrets.look_into(&scene.node.link.poll());
    scene.node.link.send_failed(scene.now);
    secrets.look_into(&scene.node.link);
}

/// Bytes that must not be printed, in any of the usual formats
struct Secrets(Vec<Vec<u8>>);

impl Secrets {
    fn look_into(&self, what: &dyn Debug) {
        for text in [format!("{what:?}"), format!("{what:#?}"), format!("{what:x?}"), format!("{what:#X?}")] {
            for run in self.0.iter().flat_map(|secret| secret.windows(4)) {
                assert!(!text.contains(&run.escape_ascii().to_string()), "{} in {text}", run.escape_ascii());
            }
            let text: String = text.to_lowercase().replace("0x", "").split_whitespace().collect();
            for run in self.0.iter().flat_map(|secret| secret.windows(4)) {
                let hex: Vec<String> = run.iter().map(|byte| format!("{byte:02x}")).collect();
                let decimal: Vec<String> = run.iter().map(u8::to_string).collect();
                let short: Vec<String> = run.iter().map(|byte| format!("{byte:x}")).collect();
                for form in [hex.concat(), hex.join(","), short.join(","), decimal.join(",")] {
                    assert!(!text.contains(&form), "{form} in {text}");
                }
            }
        }
    }
}

fn secret_config(seed: u64) -> (Config, Vec<u8>) {
    let bytes = noise(seed, 32);
    let key = SecretKey::from_bytes(bytes.clone().try_into().unwrap()).unwrap();
    (Config::new(key, "discreet/1", PROTOCOLS).unwrap(), bytes)
}
