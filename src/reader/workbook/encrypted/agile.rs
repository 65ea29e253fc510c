//! The agile encryption of Excel 2010 and later ([MS-OFFCRYPTO] 2.3.4.10 to 2.3.4.15).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::cipher::{Hash, PackageCipher, decrypt_value};

/// Rounds that a description may ask for ([MS-OFFCRYPTO] 2.3.4.10).
const SPINS_MAX: u32 = 10_000_000;

/// What each key is for is hashed into it ([MS-OFFCRYPTO] 2.3.4.13).
const VERIFIER_INPUT: [u8; 8] = [0xFE, 0xA7, 0xD2, 0x76, 0x3B, 0x4B, 0x9E, 0x79];
const VERIFIER_HASH: [u8; 8] = [0xD7, 0xAA, 0x0F, 0x6D, 0x30, 0x61, 0x34, 0x4E];
const KEY_VALUE: [u8; 8] = [0x14, 0x6E, 0x0B, 0xE7, 0xAB, 0xAC, 0xD0, 0xD6];

/// The cipher of the package, if `password` opens it.
pub(super) fn package_cipher(description: &[u8], password: &str) -> Option<PackageCipher> {
    let text = std::str::from_utf8(description).ok()?;
    let data = element(text, "keyData")?;
    let key = element(text, "encryptedKey")?;
    let (hash, salt) = (Hash::named(&of(&key, "hashAlgorithm")?)?, bytes(&key, "saltValue")?);
    let spins: u32 = of(&key, "spinCount")?.parse().ok()?;
    if spins > SPINS_MAX {
        return None;
    }
    let key_bytes = of(&key, "keyBits")?.parse::<usize>().ok()? / 8;
    let password = hash.of_password(&salt, password, spins);
    let decrypted = |purpose: [u8; 8], name: &str| {
        let mut derived = hash.of(&[&password, &purpose]);
        derived.resize(key_bytes.min(64), 0x36);
        decrypt_value(&derived, &salt, &bytes(&key, name)?)
    };
    let input = decrypted(VERIFIER_INPUT, "encryptedVerifierHashInput")?;
    let expected = decrypted(VERIFIER_HASH, "encryptedVerifierHashValue")?;
    let found = hash.of(&[input.get(..salt.len()).unwrap_or(&input)]);
    if !expected.starts_with(&found) {
        return None;
    }
    let mut value = decrypted(KEY_VALUE, "encryptedKeyValue")?;
    value.truncate(key_bytes);
    let chained = (Hash::named(&of(&data, "hashAlgorithm")?)?, bytes(&data, "saltValue")?);
    PackageCipher::new(&value, Some(chained))
}

fn element(text: &str, name: &str) -> Option<BytesStart<'static>> {
    let mut xml = Reader::from_str(text);
    loop {
        match xml.read_event().ok()? {
            Event::Start(element) | Event::Empty(element)
                if element.local_name().as_ref() == name =>
            {
                return Some(element.into_owned());
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn of(element: &BytesStart<'_>, name: &str) -> Option<String> {
    Some(element.try_get_attribute(name).ok()??.value.into_owned())
}

fn bytes(element: &BytesStart<'_>, name: &str) -> Option<Vec<u8>> {
    STANDARD.decode(of(element, name)?.trim()).ok()
}
