//! Gives the images the memory map of their board

use std::path::Path;
use std::{env, fs};

fn main() {
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    let out = Path::new(&out);
    let ethernet = env::var_os("CARGO_FEATURE_LM3S6965EVB").is_some();
    let board = if ethernet { "lm3s6965evb" } else { "mps2-an386" };
    let map = format!("memory/{board}.x");
    fs::copy(&map, out.join("memory.x")).expect("the map is there and can be copied");
    println!("cargo:rerun-if-changed={map}");
    // Where cortex-m-rt's script looks for it
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
    println!("cargo:rustc-link-arg-bins=--nmagic");
}
