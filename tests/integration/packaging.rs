//! The files that deploy a server.

use std::process::Command;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy");

#[test]
fn the_unit_exposes_little() {
    let said = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=29", "--no-pager"])
        .arg(format!("{FOLDER}/loadbay.service"))
        .output()
        .expect("systemd-analyze is installed by scripts/test");
    let text = String::from_utf8_lossy(&said.stdout) + String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{text}");
    assert!(text.contains("Overall exposure level"), "{text}");
}
