//! stub
use crate::peer::PeerState;
use crate::time::Instant;
/// x
pub fn receive<'a, 'buf: 'a, K>(
    now: Instant,
    links: impl IntoIterator<Item = (K, &'a mut PeerState<'buf>, &'a [u8])>,
    mut done: impl FnMut(K, usize),
) {
    for (k, l, b) in links {
        let n = l.receive(now, b);
        done(k, n)
    }
}
