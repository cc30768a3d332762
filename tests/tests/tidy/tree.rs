//! What the village device is built of when it is built alone: ring and nothing of AWS-LC, whose C
//! code would not fit its budget, nor its processors.

use std::process::Command;

use crate::sources::root;

#[test]
fn the_edge_node_built_alone_holds_ring_and_no_aws_lc() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let words = ["tree", "--locked", "--offline", "--package", "edge-node"];
    let listed = Command::new(cargo)
        .args(words)
        .args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
        .current_dir(root())
        .output()
        .expect("cargo is there: it runs this test");
    let errors = String::from_utf8_lossy(&listed.stderr);
    assert!(listed.status.success(), "cargo tree: {errors}");
    let tree = String::from_utf8_lossy(&listed.stdout);
    let holds = |name: &str| tree.lines().any(|line| line.starts_with(name));
    assert!(holds("ring v"), "the tree was read:\n{tree}");
    assert!(!holds("aws-lc"), "AWS-LC is in the tree of edge-node:\n{tree}");
}
