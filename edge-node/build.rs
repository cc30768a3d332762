//! Leaves out of what ships the tables by which a panic would unwind: there it ends the process
//! (profile `edge`), and they are an eighth of the program. Other builds stay as they are.

fn main() {
    println!("cargo::rerun-if-changed=without-unwinding.ld");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|set| set == value);
    println!("cargo::rustc-check-cfg=cfg(without_unwinding)");
    // Cargo tells a build script nothing of `panic`: the program itself refuses to be built so.
    if is("OPT_LEVEL", "z") && is("CARGO_CFG_TARGET_OS", "linux") {
        println!("cargo::rustc-cfg=without_unwinding");
        let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{folder}/without-unwinding.ld");
    }
}
