//! Calls that must be refused and change nothing

use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};

use devp2p::*;

use crate::Input;
use crate::memory::{LinkBuffers, Memory};
use crate::side::{Side, entropy, protocols, settings};

/// One of them
pub(crate) fn call(input: &mut Input<'_>, now: u64, side: &mut Side) {
    match input.byte() % 5 {
        0 => without_a_link(now),
        4 => enode(input),
        1 => without_results(now, side),
        2 => bad_memory(input, now, side),
        _ => bad_settings(input),
    }
}

fn refused(status: Status) {
    assert_eq!(status, Status::NullPointer);
}

/// An enode URL of any text, compared with what the library reads; what was read is written and read again
fn enode(input: &mut Input<'_>) {
    let valid = format!("enode://{}@127.0.0.1:30303?discport=0", "ab".repeat(64));
    let mut url = valid.into_bytes();
    if let Some(place) = url.get_mut(usize::from(input.byte())) {
        *place = input.byte();
    }
    let mut enode = MaybeUninit::uninit();
    // SAFETY: the text is there
    let status = unsafe { devp2p_enode_parse(url.as_ptr().cast(), url.len(), Some(&mut enode)) };
    let expected = std::str::from_utf8(&url).ok().and_then(|url| url.parse::<devp2p_proto::Enode>().ok());
    assert_eq!(status == Status::Ok, expected.is_some());
    let Some(expected) = expected else {
        return;
    };
    // SAFETY: the call has written it
    let enode = unsafe { enode.assume_init() };
    let size = usize::from(input.byte());
    let (mut text, mut len) = (vec![1_u8; size], MaybeUninit::uninit());
    // SAFETY: the room is there
    let status = unsafe { devp2p_enode_text(Some(&enode), text.as_mut_ptr().cast(), size, Some(&mut len)) };
    if size == 0 {
        return;
    }
    // SAFETY: it is written whether or not there was enough room
    let len = unsafe { len.assume_init() };
    let whole = expected.to_string();
    assert_eq!((len, status == Status::Ok), (whole.len(), len < size));
    assert_eq!(text.iter().position(|byte| *byte == 0), Some(len.min(size - 1)));
    assert_eq!(text[..len.min(size - 1)], whole.as_bytes()[..len.min(size - 1)]);
    // SAFETY: NULL is what is tested
    refused(unsafe { devp2p_enode_text(None, text.as_mut_ptr().cast(), size, None) });
    // SAFETY: NULL is what is tested
    refused(unsafe { devp2p_enode_parse(null(), 5, Some(&mut MaybeUninit::uninit())) });
    // SAFETY: the text is there
    refused(unsafe { devp2p_enode_parse(url.as_ptr().cast(), url.len(), None) });
    let odd = Enode { address_len: 5, ..enode };
    // SAFETY: the room is there
    let status = unsafe { devp2p_enode_text(Some(&odd), text.as_mut_ptr().cast(), size, None) };
    assert_eq!(status, Status::InvalidEnodeAddress);
}

/// NULL instead of the link
fn without_a_link(now: u64) {
    let (mut len, mut flag) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    refused(devp2p_link_poll(None, Some(&mut MaybeUninit::uninit())));
    refused(devp2p_link_receive_closed(None, now));
    refused(devp2p_link_hold_input(None, now, true));
    refused(devp2p_link_handle_timeout(None, now));
    refused(devp2p_link_sent(None, now, 1));
    refused(devp2p_link_send_failed(None, now));
    refused(devp2p_link_ping(None, now));
    refused(devp2p_link_protocol_returned(None, now, 0, 0, 0));
    refused(devp2p_link_disconnect(None, now, 0));
    refused(devp2p_link_end(None));
    refused(devp2p_link_wants_input(None, Some(&mut flag)));
    refused(devp2p_link_write_capacity(None, 0, Some(&mut len)));
    refused(devp2p_config_receive_len(None, Some(&mut len)));
    refused(devp2p_config_end(None));
    // SAFETY: NULL is what is tested, and no bytes are given
    refused(unsafe { devp2p_link_receive(None, now, null(), 0, Some(&mut len)) });
    // SAFETY: as above
    refused(unsafe { devp2p_link_write(None, now, 0, 0, null(), 0, None) });
    // SAFETY: as above
    refused(unsafe { devp2p_link_write_with(None, now, 0, 0, 0, None, null_mut(), None) });
    // SAFETY: as above
    refused(unsafe { devp2p_link_cause_text(None, null_mut(), 0, None) });
    devp2p_settings_init(None);
}

/// NULL instead of results and bytes
fn without_results(now: u64, side: &mut Side) {
    refused(devp2p_link_poll(side.link(), None));
    refused(devp2p_link_wants_input(side.observed(), None));
    refused(devp2p_link_unsent(side.observed(), None, Some(&mut MaybeUninit::uninit())));
    refused(devp2p_link_unsent(side.observed(), Some(&mut MaybeUninit::uninit()), None));
    refused(devp2p_link_next_timeout(side.observed(), None));
    refused(devp2p_link_stage(side.observed(), None));
    refused(devp2p_link_cause(side.observed(), None));
    refused(devp2p_link_remote_hello(side.observed(), None));
    refused(devp2p_link_shared(side.observed(), 0, None));
    refused(devp2p_link_traffic(side.observed(), 0, None));
    refused(devp2p_config_id(side.config(), None));
    let mut taken = MaybeUninit::new(99);
    // SAFETY: NULL is what is tested
    refused(unsafe { devp2p_link_receive(side.link(), now, null(), 5, Some(&mut taken)) });
    // SAFETY: it was initialized above
    assert_eq!(unsafe { taken.assume_init() }, 99);
    let bytes = [0; 5];
    // SAFETY: the bytes are there
    refused(unsafe { devp2p_link_receive(side.link(), now, bytes.as_ptr(), bytes.len(), None) });
    // SAFETY: NULL is what is tested
    refused(unsafe { devp2p_link_write(side.link(), now, 0, 0, null(), 5, None) });
    // SAFETY: as above
    refused(unsafe { devp2p_link_write_with(side.link(), now, 0, 0, 5, None, null_mut(), None) });
    // SAFETY: as above; an item is smaller than the address space, and a million of them are not
    let too_long = unsafe { devp2p_link_receive(side.link(), now, bytes.as_ptr(), usize::MAX, Some(&mut taken)) };
    assert_eq!(too_long, Status::TooShort);
}

/// Memory that is too short, not aligned, or not there, for a link that is then not made
fn bad_memory(input: &mut Input<'_>, now: u64, side: &mut Side) {
    let memory = Memory::for_link();
    let (size, entropy) = (memory.size(), entropy(9, 9));
    let config = side.config();
    let open = |at: *mut u8, size, entropy: Option<&Entropy>, buffers: Option<&Buffers>| {
        let mut link = MaybeUninit::new(null_mut());
        // SAFETY: the memory is there, or the pointer is NULL
        let status = unsafe { devp2p_link_recipient(at.cast(), size, now, config, entropy, buffers, Some(&mut link)) };
        // SAFETY: it was initialized above
        assert!(status == Status::Ok || unsafe { link.assume_init() }.is_null());
        status
    };
    let start = memory.start::<u8>();
    assert_eq!(open(null_mut(), size, Some(&entropy), None), Status::NullPointer);
    assert_eq!(
        open(start.wrapping_add(1 + usize::from(input.byte() % 15)), size - 16, Some(&entropy), None),
        Status::Misaligned
    );
    assert_eq!(open(start, usize::from(input.byte()), Some(&entropy), None), Status::TooShort);
    assert_eq!(open(start, size, None, None), Status::NullPointer);
    assert_eq!(open(start, size, Some(&Entropy { bytes: [0; DEVP2P_ENTROPY_SIZE] }), None), Status::WeakEntropy);
    bad_buffers(input, side, |buffers| open(start, size, Some(&entropy), Some(buffers)));
    // SAFETY: NULL is what is tested
    refused(unsafe { devp2p_link_recipient(memory.start(), size, now, None, Some(&entropy), None, None) });
    let nowhere = Id { bytes: [0; DEVP2P_ID_SIZE] };
    let mut link = MaybeUninit::uninit();
    // SAFETY: the memory is there
    let status = unsafe {
        devp2p_link_initiator(memory.start(), size, now, config, Some(&nowhere), Some(&entropy), None, Some(&mut link))
    };
    assert_eq!(status, Status::InvalidRemote);
}

fn bad_buffers(input: &mut Input<'_>, side: &Side, open: impl Fn(&Buffers) -> Status) {
    let (mut receive, mut transmit) = (MaybeUninit::new(0), MaybeUninit::new(0));
    assert_eq!(devp2p_config_receive_len(side.config(), Some(&mut receive)), Status::Ok);
    assert_eq!(devp2p_config_transmit_len(side.config(), Some(&mut transmit)), Status::Ok);
    // SAFETY: both were initialized above
    let memory = unsafe { LinkBuffers::new(receive.assume_init(), transmit.assume_init(), 2) };
    let right = memory.given();
    let less = 1 + usize::from(input.byte());
    let cases = [
        (Buffers { receive_len: right.receive_len - less, ..right }, Status::ReceiveBufferTooSmall),
        (Buffers { transmit_len: right.transmit_len - less, ..right }, Status::TransmitBufferTooSmall),
        (Buffers { slots_size: right.slots_size - less.min(DEVP2P_SLOT_SIZE), ..right }, Status::TooFewSlots),
        (Buffers { receive: null_mut(), ..right }, Status::NullPointer),
        (Buffers { transmit: null_mut(), ..right }, Status::NullPointer),
        (Buffers { table: null_mut(), ..right }, Status::NullPointer),
        (Buffers { slots: null_mut(), ..right }, Status::NullPointer),
        (
            Buffers { table: right.table.wrapping_byte_add(1), table_len: right.table_len - 1, ..right },
            Status::Misaligned,
        ),
        (
            Buffers { slots: right.slots.wrapping_byte_add(1), slots_size: right.slots_size - 1, ..right },
            Status::Misaligned,
        ),
    ];
    for (buffers, status) in cases {
        assert_eq!(open(&buffers), status, "{buffers:?}");
    }
}

/// Settings that make no configuration
fn bad_settings(input: &mut Input<'_>) {
    let mut offers = protocols(1);
    let mut changed = settings(1, &offers);
    let expected = match input.byte() % 12 {
        0 => {
            changed.secret_key = [0; DEVP2P_KEY_SIZE];
            Status::InvalidSecretKey
        }
        1 => {
            changed.client_id = [b'x' as _; DEVP2P_CLIENT_ID_SIZE];
            Status::InvalidClientId
        }
        2 => {
            changed.client_id[0] = 0xff_u8 as _;
            Status::InvalidClientId
        }
        3 => {
            changed.protocols = null();
            Status::NullPointer
        }
        4 => {
            changed.max_message = DEVP2P_MIN_MESSAGE - 1;
            Status::InvalidMessageLimit
        }
        5 => {
            changed.max_send = DEVP2P_MAX_MESSAGE + 1;
            Status::InvalidMessageLimit
        }
        6 => {
            changed.timeouts.handshake = 0;
            Status::ZeroTimeout
        }
        7 => {
            changed.timeouts.read = changed.timeouts.ping;
            Status::ReadBeforePing
        }
        8 => {
            offers[1] = offers[0];
            Status::DuplicateProtocol
        }
        9 => {
            offers[1].name = [0; DEVP2P_NAME_SIZE];
            Status::InvalidName
        }
        10 => {
            offers[1].name = [b'x' as _; DEVP2P_NAME_SIZE];
            Status::InvalidName
        }
        _ => {
            offers[1].code_limit_count = DEVP2P_MAX_CODE_LIMITS + 1;
            Status::TooManyCodeLimits
        }
    };
    // As many limits as the last case needs
    let limits = [CodeLimit { code: 0, max_message: 64 }; DEVP2P_MAX_CODE_LIMITS + 1];
    if expected == Status::TooManyCodeLimits {
        offers[1].code_limits = limits.as_ptr();
    }
    if !changed.protocols.is_null() {
        changed.protocols = offers.as_ptr();
    }
    let memory = Memory::for_config();
    let mut config = MaybeUninit::new(null_mut());
    // SAFETY: the memory and what the settings point to are there
    let status = unsafe { devp2p_config_init(memory.start(), memory.size(), Some(&changed), Some(&mut config)) };
    assert_eq!(status, expected);
    // SAFETY: it was initialized above
    assert!(unsafe { config.assume_init() }.is_null());
    // SAFETY: as above
    let short = unsafe { devp2p_config_init(memory.start(), 100, Some(&changed), Some(&mut config)) };
    assert_eq!(short, Status::TooShort);
}
