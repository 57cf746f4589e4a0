//! The input that has come for many links

use heapless::Vec;
use zeroize::Zeroize;

use super::Occupancy;
use crate::peer::PeerState;
use crate::peer::ingress::{Complete, Macs};
use crate::peer::state::State;
use crate::rlpx::frame::{MacWork, Tag};
use crate::rlpx::lanes::Lanes;
use crate::time::Instant;
use crate::wipe::{REST, WipesStack};

/// How many links are worked on at the same time: so few that what they need fits into the caches
const GROUP: usize = 32;

/// Gives each link the bytes that have come for it, as [`PeerState::receive`] does
///
/// The MACs of frames that are complete are computed together; everything else is done one after the other. As with
/// `receive`, each link takes at most one message: poll the link's actions, keep the bytes that the link has not taken,
/// and offer them again. `done` is called for each link, in the order of the links, with the key that came with the
/// link and with the number of bytes that were taken. The key is of any type: an index, or a reference to what the
/// caller keeps beside the link.
///
/// The links may be in any stage, and a link with a wrong MAC ends alone. Nothing is allocated except what the links
/// allocate. Returns how many links were worked on side by side.
///
/// If `done` panics, drop the links for which it was not called: nobody knows how many bytes they have taken.
///
/// ```
/// # #[cfg(feature = "alloc")]
/// # fn feed(sockets: &mut [(devp2p_proto::PeerState<'static>, Vec<u8>)]) {
/// # use devp2p_proto::{Instant, batch};
/// # let now = Instant::ZERO;
/// # let mut taken = vec![0; sockets.len()];
/// let links = sockets.iter_mut().enumerate().map(|(index, (link, input))| (index, link, &input[..]));
/// batch::receive(now, links, |index, len| taken[index] = len);
/// for ((link, input), taken) in sockets.iter_mut().zip(taken) {
///     input.drain(..taken);
///     while let Some(action) = link.poll() {
///         // as always
/// #       _ = action;
/// #       break;
///     }
/// }
/// # }
/// ```
pub fn receive<'a, 'buf: 'a, K>(
    now: Instant,
    links: impl IntoIterator<Item = (K, &'a mut PeerState<'buf>, &'a [u8])>,
    mut done: impl FnMut(K, usize),
) -> Occupancy {
    // The keys of the caller make this frame as large as they are, so that a link that ends later would not reach what
    // its MACs have left below.
    let _wipes = WipesStack::<REST>;
    let mut occupancy = Occupancy::default();
    let mut links = links.into_iter().map(|(key, link, bytes)| (key, Receiving::new(link, bytes))).fuse();
    loop {
        let mut group = Vec::<_, GROUP>::new();
        while !group.is_full()
            && let Some(link) = links.next()
        {
            _ = group.push(link);
        }
        if group.is_empty() {
            return occupancy;
        }
        group.iter_mut().for_each(|(_, link)| link.start(now));
        while authenticate(&mut group, &mut occupancy) {
            group.iter_mut().for_each(|(_, link)| link.resume());
        }
        group.reverse(); // the first is taken out first
        while let Some((key, link)) = group.pop() {
            done(key, link.taken);
        }
    }
}

/// Computes the MAC of each header and body that is complete; returns whether there are any
#[inline(never)] // so that what it leaves on the stack is below the caller's frame, which is wiped
fn authenticate<K>(group: &mut [(K, Receiving<'_, '_>)], occupancy: &mut Occupancy) -> bool {
    let mut lanes = Lanes::new(occupancy);
    let mut any = false;
    for (_, link) in group.iter_mut().filter(|(_, link)| link.is_sealed) {
        any = true;
        if let Some(work) = link.work() {
            lanes.push(work);
        }
    }
    any
}

/// A link that takes its input
struct Receiving<'a, 'buf> {
    link: &'a mut PeerState<'buf>,
    bytes: &'a [u8],
    taken: usize,
    /// The length of the frame that was incomplete before
    before: Option<usize>,
    /// Whether a header or a body is complete, and its MAC has to be computed
    is_sealed: bool,
    mac: Tag,
}

impl<'a, 'buf> Receiving<'a, 'buf> {
    fn new(link: &'a mut PeerState<'buf>, bytes: &'a [u8]) -> Self {
        Self { link, bytes, taken: 0, before: None, is_sealed: false, mac: Tag::default() }
    }

    fn start(&mut self, now: Instant) {
        self.link.advance_clock(now);
        match self.link.takes_unread(self.bytes) {
            Some(taken) => self.taken = taken,
            None => {
                self.before = self.link.ingress.frame_under_way();
                self.go_on(None);
            }
        }
    }

    /// Goes on after the MAC was computed
    fn resume(&mut self) {
        if self.is_sealed {
            let mac = self.mac;
            self.mac.zeroize();
            self.go_on(Some(mac));
        }
    }

    /// Takes bytes up to the next MAC, or up to the end
    fn go_on(&mut self, mac: Option<Tag>) {
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        let (taken, complete) = self.link.take(rest, Macs::Caller(mac));
        self.taken = self.taken.saturating_add(taken);
        self.is_sealed = matches!(complete, Ok(Some(Complete::Sealed)));
        if !self.is_sealed {
            self.link.handle_input(self.before, self.taken, complete);
        }
    }

    /// The MAC that has to be computed
    fn work(&mut self) -> Option<MacWork<'_>> {
        let PeerState { state: State::Established { session, .. }, ingress, .. } = &mut *self.link else { return None };
        ingress.mac_work(session, &mut self.mac)
    }
}
