//! Leaves out of what ships the tables by which a panic would unwind: there it ends the process
//! (profile `edge`), and they are an eighth of the program. Other builds stay as they are.

fn main() {
    println!("cargo::rerun-if-changed=without-unwinding.ld");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|set| set == value);
    let is_for_size = is("OPT_LEVEL", "z") && is("CARGO_CFG_PANIC", "abort");
    if is_for_size && is("CARGO_CFG_TARGET_OS", "linux") {
        let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{folder}/without-unwinding.ld");
    }
}
