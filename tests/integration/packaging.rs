//! The files that deploy a server.

use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
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

#[test]
fn the_package_takes_files_that_are_there() {
    let manifest = std::fs::read_to_string(format!("{ROOT}/Cargo.toml")).unwrap();
    let package = manifest.split("[package.metadata.deb]").nth(1).unwrap();
    let assets = package.split("assets = [").nth(1).unwrap().split("\n]").next().unwrap();
    let sources: Vec<&str> = assets.lines().filter_map(|line| line.split('"').nth(1)).collect();
    assert!(sources.len() > 3, "{assets}");
    for source in sources.into_iter().filter(|it| !it.starts_with("target/")) {
        let path = source.trim_end_matches('*');
        assert!(Path::new(ROOT).join(path).exists(), "{source}");
    }
    for script in ["postinst", "postrm"] {
        let path = format!("{FOLDER}/debian/{script}");
        let checked = Command::new("sh").args(["-n", &path]).output().unwrap();
        assert!(checked.status.success(), "{checked:?}");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("\n#DEBHELPER#\n"), "cargo-deb adds what starts the service: {text}");
    }
}
