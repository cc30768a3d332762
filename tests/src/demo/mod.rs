//! The story that `cargo xtask demo` tells.
