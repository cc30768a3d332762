//! The golden vectors, read by the vendor's own codec.

use tests::harness::process::run;

use crate::vendor;

#[test]
fn the_golden_vectors_mean_the_same_to_another_vendor() -> anyhow::Result<()> {
    let mut check = vendor::python("check_vectors.py");
    check.arg(vendor::workspace().join("protocols/vectors"));
    let printed = run(&mut check)?;
    assert!(printed.trim_end().ends_with(" 0 faults"), "{printed}");
    Ok(())
}
