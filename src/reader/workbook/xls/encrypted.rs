//! XLS workbooks under Excel's default password ([MS-XLS] 2.2.10, [MS-OFFCRYPTO] 2.3.5 and 2.3.6):
//! the bodies of their records are encrypted with RC4.

use md5::Md5;
use sha1::Sha1;
use sha2::Digest;

/// `FilePass`: how the records behind it are encrypted.
pub(super) const FILE_PASS: u16 = 0x002F;

/// `BoundSheet8`, of which the place of the sheet is not encrypted.
const SHEET: u16 = 0x0085;

/// Records that are never encrypted.
const PLAIN: [u16; 7] = [0x0809, FILE_PASS, 0x0194, 0x0195, 0x00E1, 0x0196, 0x0138];

/// Bytes of the stream under one key.
const KEY_BYTES: usize = 1024;

enum Key {
    Md5([u8; 5]),
    /// The hash of the password, and the length of a key.
    Sha1(Vec<u8>, usize),
}

impl Key {
    /// Reads `FilePass`; none when the password is another one.
    fn of(file_pass: &[u8], password: &str) -> Option<Self> {
        let password: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let (head, rest) = file_pass.split_first_chunk::<6>()?;
        match head {
            [1, 0, 1, 0, 1, 0] => {
                let (salt, verifier) = (rest.get(..16)?, rest.get(16..48)?);
                let password = Md5::digest(&password);
                let mut hash = Md5::new();
                for _ in 0..16 {
                    hash.update(password.get(..5)?);
                    hash.update(salt);
                }
                let key = Self::Md5(*hash.finalize().first_chunk()?);
                key.opens(verifier, 16).then_some(key)
            }
            [1, 0, 2..=4, 0, 2, 0] => {
                let header_bytes = number(rest, 4)?;
                let header = rest.get(8..)?.get(..header_bytes)?;
                let bits = match number(header, 16)? {
                    0 => 40,
                    bits => bits,
                };
                let verifier = rest.get(8 + header_bytes..)?;
                let salt = verifier.get(4..20)?;
                let hash = Sha1::new().chain_update(salt).chain_update(&password).finalize();
                let key = Self::Sha1(hash.to_vec(), bits / 8);
                let mut both = verifier.get(20..36)?.to_vec();
                both.extend(verifier.get(40..60)?);
                key.opens(&both, 20).then_some(key)
            }
            _ => None,
        }
    }

    /// The key stream of one part of the workbook's stream.
    fn cipher(&self, part: u32) -> Rc4 {
        match self {
            Self::Md5(key) => {
                Rc4::new(&Md5::new().chain_update(key).chain_update(part.to_le_bytes()).finalize())
            }
            Self::Sha1(hash, bytes) => {
                let key =
                    Sha1::new().chain_update(hash).chain_update(part.to_le_bytes()).finalize();
                let mut key = key.get(..*bytes).unwrap_or(&key).to_vec();
                if *bytes == 5 {
                    key.resize(16, 0);
                }
                Rc4::new(&key)
            }
        }
    }

    /// True when the key decrypts the 16 bytes that begin `verifier` and their hash behind them.
    fn opens(&self, verifier: &[u8], hash_bytes: usize) -> bool {
        let mut bytes = verifier.to_vec();
        self.cipher(0).apply(&mut bytes);
        let Some((input, hash)) = bytes.split_at_checked(16) else { return false };
        let expected = match self {
            Self::Md5(_) => Md5::digest(input).to_vec(),
            Self::Sha1(..) => Sha1::digest(input).to_vec(),
        };
        hash.get(..hash_bytes) == Some(expected.as_slice())
    }
}

/// Decrypts the records of a workbook's stream and takes its mark as encrypted away; none when
/// `password` does not open it.
pub(super) fn decrypt(stream: &mut [u8], password: &str) -> Option<()> {
    let mut key = None;
    let mut at = 0;
    while let Some((kind, length)) = record(stream, at) {
        let body = at + 4..at + 4 + length;
        if kind == FILE_PASS && key.is_none() {
            key = Some(Key::of(stream.get(body.clone())?, password)?);
            // A record that no reader knows stays without effect.
            stream.get_mut(at..at + 2)?.copy_from_slice(&u16::MAX.to_le_bytes());
        } else if let Some(key) = key.as_ref().filter(|_| !PLAIN.contains(&kind)) {
            let plain = if kind == SHEET { 4.min(length) } else { 0 };
            decrypt_body(stream, body.start + plain..body.end, key)?;
        }
        at = body.end;
    }
    key.map(|_| ())
}

/// The kind and the length of the record at `at`.
fn record(stream: &[u8], at: usize) -> Option<(u16, usize)> {
    let [kind_low, kind_high, low, high] = *stream.get(at..)?.first_chunk::<4>()?;
    let length = usize::from(u16::from_le_bytes([low, high]));
    let kind = u16::from_le_bytes([kind_low, kind_high]);
    (at + 4 + length <= stream.len()).then_some((kind, length))
}

/// The place in the stream decides the key and the place in its key stream.
fn decrypt_body(stream: &mut [u8], body: std::ops::Range<usize>, key: &Key) -> Option<()> {
    let mut start = body.start;
    while start < body.end {
        let part = start / KEY_BYTES;
        let end = body.end.min((part + 1) * KEY_BYTES);
        let mut cipher = key.cipher(u32::try_from(part).ok()?);
        cipher.skip(start % KEY_BYTES);
        cipher.apply(stream.get_mut(start..end)?);
        start = end;
    }
    Some(())
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let number = bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))?;
    usize::try_from(number).ok()
}

/// The key stream of RC4.
struct Rc4 {
    state: [u8; 256],
    i: u8,
    j: u8,
}

impl Rc4 {
    fn new(key: &[u8]) -> Self {
        let mut state = [0; 256];
        state.iter_mut().zip(0..=u8::MAX).for_each(|(entry, index)| *entry = index);
        let mut rc4 = Self { state, i: 0, j: 0 };
        for (index, key) in (0..=u8::MAX).zip(key.iter().cycle()) {
            rc4.j = rc4.j.wrapping_add(rc4.at(index)).wrapping_add(*key);
            rc4.state.swap(usize::from(index), usize::from(rc4.j));
        }
        rc4.j = 0;
        rc4
    }

    fn at(&self, index: u8) -> u8 {
        self.state.get(usize::from(index)).copied().unwrap_or_default()
    }

    fn next(&mut self) -> u8 {
        self.i = self.i.wrapping_add(1);
        self.j = self.j.wrapping_add(self.at(self.i));
        self.state.swap(usize::from(self.i), usize::from(self.j));
        self.at(self.at(self.i).wrapping_add(self.at(self.j)))
    }

    fn skip(&mut self, bytes: usize) {
        for _ in 0..bytes {
            self.next();
        }
    }

    fn apply(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte ^= self.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_stream_is_that_of_rfc_6229() {
        let mut bytes = [0; 8];
        Rc4::new(&[1, 2, 3, 4, 5]).apply(&mut bytes);
        assert_eq!(bytes, [0xB2, 0x39, 0x63, 0x05, 0xF0, 0x3D, 0xC0, 0x27]);
    }

    #[test]
    fn a_stream_without_encryption_or_with_a_broken_one_stays_shut() {
        for stream in [&[][..], &[9, 8, 0, 0, 10, 0, 0, 0], &[0x2F, 0, 2, 0, 1, 0, 10, 0, 0, 0]] {
            assert_eq!(decrypt(&mut stream.to_vec(), "VelvetSweatshop"), None);
        }
    }
}
