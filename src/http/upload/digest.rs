//! `Content-Digest` (RFC 9530): compares the body that arrived with the one that was sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha512};

use crate::domain::error_code::ErrorCode;
use crate::http::problem::Problem;

/// The digest that a client announced, and the one that grows while its body passes.
#[derive(Debug)]
pub(super) struct ExpectedDigest {
    announced: Vec<u8>,
    running: RunningDigest,
}

#[derive(Debug)]
enum RunningDigest {
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl ExpectedDigest {
    /// Reads a header such as `sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:`.
    pub(super) fn parse(header: &str) -> Result<Self, Problem> {
        let of = |wanted: &str, bytes: usize| {
            header
                .split(',')
                .filter_map(|member| member.trim().split_once('='))
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| {
                    let text = value.strip_prefix(':').and_then(|rest| rest.split(':').next());
                    text.and_then(|text| STANDARD.decode(text).ok())
                        .filter(|digest| digest.len() == bytes)
                })
        };
        let (announced, running) = match (of("sha-256", 32), of("sha-512", 64)) {
            (Some(digest), _) => (digest, RunningDigest::Sha256(Sha256::new())),
            (None, Some(digest)) => (digest, RunningDigest::Sha512(Box::new(Sha512::new()))),
            (None, None) => (None, RunningDigest::Sha256(Sha256::new())),
        };
        let announced = announced.ok_or_else(|| {
            Problem::malformed(
                "the Content-Digest is not valid; write it like sha-256=:BASE64: or sha-512=:BASE64:",
            )
        })?;
        Ok(Self { announced, running })
    }

    /// Takes the next bytes of the body.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match &mut self.running {
            RunningDigest::Sha256(hash) => hash.update(bytes),
            RunningDigest::Sha512(hash) => hash.update(bytes),
        }
    }

    /// Compares at the end of the body.
    pub(super) fn check(self) -> Result<(), Problem> {
        let (name, arrived) = match self.running {
            RunningDigest::Sha256(hash) => ("sha-256", hash.finalize().to_vec()),
            RunningDigest::Sha512(hash) => ("sha-512", hash.finalize().to_vec()),
        };
        if arrived == self.announced {
            return Ok(());
        }
        let detail = format!(
            "the body has the digest {name}=:{}:, but Content-Digest announced another one; \
             send the file again",
            STANDARD.encode(arrived)
        );
        Err(Problem::new(ErrorCode::DigestMismatch, detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of RFC 9530, appendix D: the body `{"hello": "world"}` and a line feed.
    const BODY: &[u8] = b"{\"hello\": \"world\"}\n";
    const HEADER: &str = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";

    fn check(header: &str, body: &[u8]) -> Result<(), String> {
        let mut expected = ExpectedDigest::parse(header).map_err(|problem| problem.to_string())?;
        body.chunks(5).for_each(|piece| expected.update(piece));
        expected.check().map_err(|problem| problem.to_string())
    }

    #[test]
    fn the_example_of_the_standard_holds() {
        assert_eq!(check(HEADER, BODY), Ok(()));
        assert_eq!(check(&format!("md5=:AAAA:, {HEADER}"), BODY), Ok(()));
        assert!(check(HEADER, b"other").unwrap_err().starts_with("digest_mismatch"));
    }

    #[test]
    fn a_digest_that_cannot_be_checked_is_refused() {
        for header in ["", "sha-256", "sha-256=abc", "sha-256=:AAAA:", "md5=:AAAA:", "sha-512=::"] {
            assert!(check(header, BODY).unwrap_err().starts_with("malformed_request"), "{header}");
        }
    }
}
