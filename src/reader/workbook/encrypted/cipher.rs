//! AES and the hashes, as the encryption of packages uses them.

use aes::cipher::{Block, BlockCipherDecrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

pub(super) const BLOCK_BYTES: usize = 16;

/// A hash function.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// By the name that a description has.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "SHA1" | "SHA-1" => Self::Sha1,
            "SHA256" | "SHA-256" => Self::Sha256,
            "SHA384" | "SHA-384" => Self::Sha384,
            "SHA512" | "SHA-512" => Self::Sha512,
            _ => return None,
        })
    }

    /// The hash of `parts` one after another.
    pub(super) fn of(self, parts: &[&[u8]]) -> Vec<u8> {
        fn hash<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
            let mut hash = D::new();
            for part in parts {
                hash.update(part);
            }
            hash.finalize().to_vec()
        }
        match self {
            Self::Sha1 => hash::<Sha1>(parts),
            Self::Sha256 => hash::<Sha256>(parts),
            Self::Sha384 => hash::<Sha384>(parts),
            Self::Sha512 => hash::<Sha512>(parts),
        }
    }

    /// The hash of the salted password, hashed again `spins` times with a counter.
    pub(super) fn of_password(self, salt: &[u8], password: &str, spins: u32) -> Vec<u8> {
        let password: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut hash = self.of(&[salt, &password]);
        for spin in 0..spins {
            hash = self.of(&[&spin.to_le_bytes(), &hash]);
        }
        hash
    }
}

enum Aes {
    Bits128(Aes128),
    Bits192(Aes192),
    Bits256(Aes256),
}

impl Aes {
    fn new(key: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Self::Bits128(Aes128::new_from_slice(key).ok()?),
            24 => Self::Bits192(Aes192::new_from_slice(key).ok()?),
            32 => Self::Bits256(Aes256::new_from_slice(key).ok()?),
            _ => return None,
        })
    }

    fn decrypt(&self, block: &mut [u8; BLOCK_BYTES]) {
        let mut array: Block<Aes128> = (*block).into();
        match self {
            Self::Bits128(aes) => aes.decrypt_block(&mut array),
            Self::Bits192(aes) => aes.decrypt_block(&mut array),
            Self::Bits256(aes) => aes.decrypt_block(&mut array),
        }
        *block = array.into();
    }
}

/// Decrypts whole blocks that are chained, beginning with `vector`.
fn decrypt_chained(aes: &Aes, vector: [u8; BLOCK_BYTES], bytes: &mut [u8]) {
    let (blocks, _) = bytes.as_chunks_mut::<BLOCK_BYTES>();
    let mut before = vector;
    for block in blocks {
        let encrypted = *block;
        aes.decrypt(block);
        block.iter_mut().zip(before).for_each(|(byte, before)| *byte ^= before);
        before = encrypted;
    }
}

/// The first block of `bytes`, filled up as the specification says.
fn vector(bytes: &[u8]) -> [u8; BLOCK_BYTES] {
    let mut vector = [0x36; BLOCK_BYTES];
    vector.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    vector
}

/// Decrypts a value of a description.
pub(super) fn decrypt_value(key: &[u8], salt: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let mut value = value.to_vec();
    decrypt_chained(&Aes::new(key)?, vector(salt), &mut value);
    Some(value)
}

/// Decrypts a value whose blocks stand for themselves.
pub(super) fn decrypt_blocks(key: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let aes = Aes::new(key)?;
    let mut value = value.to_vec();
    value.as_chunks_mut::<BLOCK_BYTES>().0.iter_mut().for_each(|block| aes.decrypt(block));
    Some(value)
}

/// Decrypts the segments of a package.
pub(super) struct PackageCipher {
    aes: Aes,
    /// The hash and the salt of the vector that each segment begins with; none when the blocks
    /// stand for themselves.
    chained: Option<(Hash, Vec<u8>)>,
}

impl PackageCipher {
    pub(super) fn new(key: &[u8], chained: Option<(Hash, Vec<u8>)>) -> Option<Self> {
        Some(Self { aes: Aes::new(key)?, chained })
    }

    /// Decrypts the whole blocks of segment `index`.
    pub(super) fn decrypt(&self, index: u32, segment: &mut [u8]) {
        if let Some((hash, salt)) = &self.chained {
            let vector = vector(&hash.of(&[salt, &index.to_le_bytes()]));
            decrypt_chained(&self.aes, vector, segment);
        } else {
            let (blocks, _) = segment.as_chunks_mut::<BLOCK_BYTES>();
            for block in blocks {
                self.aes.decrypt(block);
            }
        }
    }
}
