//! By the functions of the C interface

use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};

use devp2p::*;

use crate::{Pair, entropy, key};

const NOW: u64 = 0;

#[repr(align(16))]
struct LinkMemory([u8; DEVP2P_LINK_SIZE]);

#[repr(align(8))]
struct ConfigMemory([u8; DEVP2P_CONFIG_SIZE]);

/// Two links, in memory that is not freed
pub(crate) struct Links {
    first: *mut Link,
    second: *mut Link,
    wire: Vec<u8>,
}

impl Links {
    pub(crate) fn new() -> Self {
        let [ours, theirs] = [0, 1].map(config);
        let mut remote = MaybeUninit::uninit();
        // SAFETY: the configuration is never freed
        assert_eq!(devp2p_config_id(unsafe { theirs.as_ref() }, Some(&mut remote)), Status::Ok);
        // SAFETY: the call has written it
        let remote = unsafe { remote.assume_init() };
        let mut links = Self { first: open(0, ours, Some(&remote)), second: open(1, theirs, None), wire: Vec::new() };
        for _ in 0..4 {
            carry(links.first, &mut links.wire, links.second);
            carry(links.second, &mut links.wire, links.first);
        }
        links
    }
}

impl Pair for Links {
    fn message(&mut self, payload: &[u8]) -> usize {
        // SAFETY: the link is never freed, and the payload is there
        let status =
            unsafe { devp2p_link_write(self.first.as_mut(), NOW, 0, 3, payload.as_ptr(), payload.len(), None) };
        assert_eq!(status, Status::Ok);
        carry(self.first, &mut self.wire, self.second)
    }
}

fn poll(link: *mut Link) -> Action {
    let mut action = MaybeUninit::uninit();
    // SAFETY: links are never freed
    assert_eq!(devp2p_link_poll(unsafe { link.as_mut() }, Some(&mut action)), Status::Ok);
    // SAFETY: the call has written it
    unsafe { action.assume_init() }
}

/// Gives what the one link sends to the other; returns the length of the last payload
fn carry(from: *mut Link, wire: &mut Vec<u8>, to: *mut Link) -> usize {
    wire.clear();
    loop {
        let action = poll(from);
        match action.kind {
            ActionKind::Send => {
                // SAFETY: the kind says that these are the bytes
                let send = unsafe { action.of.send };
                // SAFETY: the bytes are there until the link changes
                wire.extend_from_slice(unsafe { std::slice::from_raw_parts(send.bytes, send.len) });
                // SAFETY: links are never freed
                assert_eq!(devp2p_link_sent(unsafe { from.as_mut() }, NOW, send.len), Status::Ok);
            }
            ActionKind::None => break,
            _ => {}
        }
    }
    let (mut done, mut delivered) = (0, 0);
    while done < wire.len() {
        let (rest, mut taken) = (&wire[done..], MaybeUninit::uninit());
        // SAFETY: links are never freed, and the bytes are there
        let status = unsafe { devp2p_link_receive(to.as_mut(), NOW, rest.as_ptr(), rest.len(), Some(&mut taken)) };
        assert_eq!(status, Status::Ok);
        // SAFETY: the call has written it
        done += unsafe { taken.assume_init() };
        loop {
            let action = poll(to);
            match action.kind {
                // SAFETY: the kind says that this is the message
                ActionKind::Deliver => delivered = unsafe { action.of.deliver }.len,
                ActionKind::Send | ActionKind::None => break,
                _ => {}
            }
        }
    }
    delivered
}

fn config(number: u8) -> *mut Config {
    let mut settings = MaybeUninit::uninit();
    devp2p_settings_init(Some(&mut settings));
    // SAFETY: the call has written it
    let mut settings = unsafe { settings.assume_init() };
    settings.secret_key = key(number);
    text(&mut settings.client_id, b"overhead");
    let mut echo = Protocol {
        name: [0; DEVP2P_NAME_SIZE],
        version: 2,
        length: 17,
        max_message: 0,
        max_send: 0,
        code_limits: null(),
        code_limit_count: 0,
        skip_larger: 0,
    };
    text(&mut echo.name, b"echo");
    settings.protocols = &raw const echo;
    settings.protocol_count = 1;
    let (memory, mut config) = (Box::leak(Box::new(ConfigMemory([0; _]))), MaybeUninit::new(null_mut()));
    // SAFETY: the memory is never freed
    let status =
        unsafe { devp2p_config_init((&raw mut memory.0).cast(), memory.0.len(), Some(&settings), Some(&mut config)) };
    assert_eq!(status, Status::Ok);
    // SAFETY: it was initialized above
    unsafe { config.assume_init() }
}

fn text<const N: usize>(to: &mut [std::ffi::c_char; N], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from as _;
    }
}

fn open(number: u8, config: *mut Config, remote: Option<&Id>) -> *mut Link {
    let (memory, mut link) = (Box::leak(Box::new(LinkMemory([0; _]))), MaybeUninit::new(null_mut()));
    let (start, size, entropy) = ((&raw mut memory.0).cast(), memory.0.len(), Entropy { bytes: entropy(number) });
    // SAFETY: the configuration is never freed
    let config = unsafe { config.as_ref() };
    let status = match remote {
        // SAFETY: the memory is never freed
        Some(_) => unsafe {
            devp2p_link_initiator(start, size, NOW, config, remote, Some(&entropy), None, Some(&mut link))
        },
        // SAFETY: the memory is never freed
        None => unsafe { devp2p_link_recipient(start, size, NOW, config, Some(&entropy), None, Some(&mut link)) },
    };
    assert_eq!(status, Status::Ok);
    // SAFETY: it was initialized above
    unsafe { link.assume_init() }
}
