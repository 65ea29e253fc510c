//! The standard encryption of Excel 2007 ([MS-OFFCRYPTO] 2.3.4.5 to 2.3.4.9).

use super::cipher::{Hash, PackageCipher, decrypt_blocks};

const SPINS: u32 = 50_000;

/// The cipher of the package, if `password` opens it.
pub(super) fn package_cipher(description: &[u8], password: &str) -> Option<PackageCipher> {
    let header_bytes = number(description, 0)?;
    let header = description.get(4..)?.get(..header_bytes)?;
    let key_bytes = number(header, 16)? / 8;
    let verifier = description.get(4 + header_bytes..)?;
    let salt = verifier.get(4..20)?;
    let key = key(&Hash::Sha1.of_password(salt, password, SPINS), key_bytes)?;
    let input = decrypt_blocks(&key, verifier.get(20..36)?)?;
    let expected = decrypt_blocks(&key, verifier.get(40..72)?)?;
    if !expected.starts_with(&Hash::Sha1.of(&[&input])) {
        return None;
    }
    PackageCipher::new(&key, None)
}

/// The key from the hash of the password ([MS-OFFCRYPTO] 2.3.4.7).
fn key(password: &[u8], key_bytes: usize) -> Option<Vec<u8>> {
    let block = Hash::Sha1.of(&[password, &0_u32.to_le_bytes()]);
    let mixed = |with: u8| {
        let mut bytes = [with; 64];
        bytes.iter_mut().zip(&block).for_each(|(byte, hashed)| *byte ^= hashed);
        Hash::Sha1.of(&[&bytes])
    };
    let mut key = mixed(0x36);
    key.extend(mixed(0x5C));
    Some(key.get(..key_bytes)?.to_vec())
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let number = bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))?;
    usize::try_from(number).ok()
}
