//! Says how programs of the profile `dev` are linked. Of releases it changes nothing.

use std::env;

#[expect(clippy::disallowed_methods, reason = "Cargo says by the environment what is built")]
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|it| it == value);
    let is_gnu_linux = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if is("PROFILE", "debug") && is_gnu_linux {
        // The tests start these programs thousands of times. In a program that may lie anywhere the
        // loader corrects the addresses of some 290,000 places at each start. A release may lie
        // anywhere, because that makes attacks harder.
        println!("cargo:rustc-link-arg=-no-pie");
    }
}
