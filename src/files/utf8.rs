//! Is a stream of bytes valid UTF-8 throughout? Sequences may be cut anywhere.

/// Checks bytes as they pass by; a sequence that is cut at the end of a piece waits for the next.
#[derive(Debug, Default)]
pub(super) struct Utf8Check {
    waiting: Vec<u8>,
    broken: bool,
}

impl Utf8Check {
    /// Looks at the next piece.
    pub(super) fn push(&mut self, mut piece: &[u8]) {
        while !self.broken && !self.waiting.is_empty() && !piece.is_empty() {
            let (first, rest) = piece.split_at(1);
            piece = rest;
            self.waiting.extend_from_slice(first);
            match std::str::from_utf8(&self.waiting) {
                Ok(_) => self.waiting.clear(),
                Err(fault) => self.broken = fault.error_len().is_some(),
            }
        }
        if self.broken {
            return;
        }
        if let Err(fault) = std::str::from_utf8(piece) {
            match fault.error_len() {
                Some(_) => self.broken = true,
                None => {
                    self.waiting.extend_from_slice(piece.get(fault.valid_up_to()..).unwrap_or(&[]));
                }
            }
        }
    }

    /// True when everything was valid and nothing is left open.
    pub(super) fn is_valid(&self) -> bool {
        !self.broken && self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(bytes: &[u8], piece: usize) -> bool {
        let mut check = Utf8Check::default();
        bytes.chunks(piece).for_each(|piece| check.push(piece));
        check.is_valid()
    }

    #[test]
    fn where_pieces_are_cut_does_not_matter() {
        let texts: [&[u8]; 7] = [
            b"",
            "Größe, 12 €, 𝄞, 日本".as_bytes(),
            b"caf\xe9, latin",
            b"end cut \xe2\x82",
            b"\xc3\x28",
            b"\xf0\x9f\x98",
            b"\xed\xa0\x80 surrogate",
        ];
        for text in texts {
            for piece in 1..=9 {
                assert_eq!(valid(text, piece), std::str::from_utf8(text).is_ok(), "{text:?}");
            }
        }
    }
}
