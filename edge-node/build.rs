//! Links what ships smaller: relocations packed (`DT_RELR`), which glibc reads since 2.36, the one of
//! Debian 12. Only where size is asked for, so that other builds stay as they are.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|set| set == value);
    let is_gnu = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if is_gnu && is("OPT_LEVEL", "z") {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
