//! Links the test with the table of defmt's texts

fn main() {
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("table.x");
    println!("cargo:rerun-if-changed={}", script.display());
    println!("cargo:rustc-link-arg-tests=-T{}", script.display());
    // The number of a text is its address, which must not depend on where the program is loaded.
    println!("cargo:rustc-link-arg-tests=-no-pie");
}
