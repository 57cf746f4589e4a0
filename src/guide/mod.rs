//! Guides: how to use the link
//!
//! - [`driver`]: put the link into an event loop of your own
//! - [`subprotocol`]: speak a protocol of your own over it
//! - [`no_alloc`]: run it in memory of your own
//! - [`recipes`]: what drivers of many links need sooner or later
//! - [`many`]: one message to many links, and input for many links, at a lower cost
//! - [`testing`]: test your protocol in virtual time
//! - [`cost`]: what a link costs in memory, stack and time
//! - [`stability`]: what stays the same from version to version
//! - [`geth`]: what corresponds to each part of go-ethereum's `p2p`
//!
//! # The life of a link
//!
//! ```text
#![doc = include_str!("life.txt")]
//! ```
//!
//! # Where the bytes go
//!
//! ```text
#![doc = include_str!("bytes.txt")]
//! ```

pub mod driver {
    #![doc = include_str!("driver.md")]
}

pub mod subprotocol {
    #![doc = include_str!("subprotocol.md")]
}

pub mod no_alloc {
    #![doc = include_str!("no_alloc.md")]
}

pub mod recipes {
    #![doc = include_str!("recipes.md")]
}

pub mod many {
    #![doc = include_str!("many.md")]
}

pub mod testing {
    #![doc = include_str!("testing.md")]
}

pub mod cost {
    #![doc = include_str!("cost.md")]
}

pub mod stability {
    #![doc = include_str!("stability.md")]
}

pub mod geth {
    #![doc = include_str!("geth.md")]
}
