//! Payloads that resemble those of peers, the same in every run

use devp2p_testing::noise;
use rlp::RlpStream;

/// Makes a payload of so many bytes
type Make = fn(usize) -> Vec<u8>;

/// Each kind of content with its name
pub const ALL: [(&str, Make); 6] = [
    ("random", |len| noise(1, len)),
    ("zeros", |len| vec![0; len]),
    ("JSON", json),
    ("headers", headers),
    ("transactions", transactions),
    ("receipts", receipts),
];

/// Random numbers in the order in which they are drawn
struct Draw(u64);

impl Draw {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        self.0 += 1;
        noise(self.0, N).try_into().expect("as many as asked for")
    }

    fn below(&mut self, end: u64) -> u64 {
        u64::from_le_bytes(self.bytes()) % end
    }
}

/// Items of a list, one after the other, up to this length
fn fill(len: usize, mut item: impl FnMut(&mut Draw, u64) -> Vec<u8>) -> Vec<u8> {
    let (mut bytes, mut draw) = (Vec::with_capacity(len + 1_024), Draw(1_000));
    for index in 0.. {
        if bytes.len() >= len {
            break;
        }
        bytes.extend(item(&mut draw, index));
    }
    bytes.truncate(len);
    bytes
}

fn json(len: usize) -> Vec<u8> {
    fill(len, |draw, index| {
        let (id, price) = (draw.below(1 << 40), draw.below(100_000));
        let name = ["alice", "bob", "carol", "dave", "erin", "frank"][draw.below(6) as usize];
        let active = draw.below(2) == 0;
        format!(r#"{{"index":{index},"id":"{id:012x}","name":"{name}","price":{price},"active":{active},"tags":["a","b"]}},"#)
            .into_bytes()
    })
}

/// Headers of successive blocks after the merge, with the fields of Cancun
fn headers(len: usize) -> Vec<u8> {
    let proposers: Vec<[u8; 20]> = (0..8).map(|seed| noise(seed, 20).try_into().expect("20 bytes")).collect();
    let empty: [u8; 32] = noise(77, 32).try_into().expect("32 bytes");
    fill(len, |draw, index| {
        let mut list = RlpStream::new_list(20);
        list.append(&&draw.bytes::<32>()[..]).append(&&empty[..]);
        list.append(&&proposers[draw.below(8) as usize][..]);
        (0..3).for_each(|_| _ = list.append(&&draw.bytes::<32>()[..]));
        list.append(&&bloom(draw, 120)[..]);
        list.append(&0_u8).append(&(19_000_000 + index)).append(&30_000_000_u64);
        list.append(&(10_000_000 + draw.below(15_000_000))).append(&(1_710_000_000 + 12 * index));
        list.append(&&b"builder.example"[..]).append(&&draw.bytes::<32>()[..]).append(&&[0_u8; 8][..]);
        list.append(&(15_000_000_000 + draw.below(5_000_000_000))).append(&&draw.bytes::<32>()[..]);
        list.append(&(131_072 * draw.below(7))).append(&(131_072 * draw.below(600))).append(&&draw.bytes::<32>()[..]);
        list.out().to_vec()
    })
}

/// A filter with so many bits that are set by chance
fn bloom(draw: &mut Draw, bits: u64) -> [u8; 256] {
    let mut bloom = [0; 256];
    for _ in 0..draw.below(bits + 1) {
        let bit = draw.below(2_048) as usize;
        bloom[bit / 8] |= 1 << (bit % 8);
    }
    bloom
}

/// Transactions of EIP-1559: transfers, transfers of tokens, and calls with some arguments
fn transactions(len: usize) -> Vec<u8> {
    let contracts: Vec<[u8; 20]> = (0..12).map(|seed| noise(100 + seed, 20).try_into().expect("20 bytes")).collect();
    fill(len, |draw, _| {
        let contract = contracts[draw.below(12) as usize];
        let (to, value, gas, data) = match draw.below(10) {
            0..4 => (draw.bytes(), draw.below(1 << 60), 21_000, Vec::new()),
            4..7 => (contract, 0, 65_000, call([0xa9, 0x05, 0x9c, 0xbb], 2, draw)),
            _ => (contract, draw.below(2) * draw.below(1 << 60), 150_000 + draw.below(100_000), swap(draw)),
        };
        let mut list = RlpStream::new_list(12);
        list.append(&1_u8).append(&draw.below(2_000)).append(&(100_000_000 * (1 + draw.below(20))));
        list.append(&(20_000_000_000 + 1_000_000 * draw.below(20_000))).append(&gas).append(&&to[..]).append(&value);
        list.append(&data).begin_list(0).append(&draw.below(2));
        list.append(&&draw.bytes::<32>()[..]).append(&&draw.bytes::<32>()[..]);
        typed(2, &list.out())
    })
}

fn swap(draw: &mut Draw) -> Vec<u8> {
    let arguments = 4 + draw.below(9);
    call([0x04, 0xe4, 0x5a, 0xaf], arguments, draw)
}

/// A call whose arguments are addresses and amounts by turns, each in 32 bytes
fn call(selector: [u8; 4], arguments: u64, draw: &mut Draw) -> Vec<u8> {
    let mut data = selector.to_vec();
    for index in 0..arguments {
        match index % 2 {
            0 => data.extend([&[0; 12][..], &draw.bytes::<20>()].concat()),
            _ => data.extend([&[0; 24][..], &draw.below(1 << 60).to_be_bytes()].concat()),
        }
    }
    data
}

/// Receipts without their filters, as `eth/69` sends them: the transfers of tokens have a log
fn receipts(len: usize) -> Vec<u8> {
    let contracts: Vec<[u8; 20]> = (0..12).map(|seed| noise(100 + seed, 20).try_into().expect("20 bytes")).collect();
    let transfer: [u8; 32] = noise(78, 32).try_into().expect("32 bytes");
    fill(len, |draw, index| {
        let logs = draw.below(4);
        let mut list = RlpStream::new_list(4);
        list.append(&2_u8).append(&1_u8).append(&(21_000 + index * 90_000 % 30_000_000));
        list.begin_list(logs as usize);
        for _ in 0..logs {
            list.begin_list(3).append(&&contracts[draw.below(12) as usize][..]);
            list.begin_list(3).append(&&transfer[..]);
            (0..2).for_each(|_| _ = list.append(&&[&[0; 12][..], &draw.bytes::<20>()].concat()[..]));
            list.append(&&[&[0; 24][..], &draw.below(1 << 60).to_be_bytes()].concat()[..]);
        }
        list.out().to_vec()
    })
}

/// A typed transaction as a string of a list
fn typed(kind: u8, list: &[u8]) -> Vec<u8> {
    rlp::encode(&[&[kind][..], list].concat()).to_vec()
}
