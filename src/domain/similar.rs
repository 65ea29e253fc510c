//! How alike two names are: which known name a wrong one was probably meant to be.

use super::row_error::shown;

/// Enough for a slip of the finger, too little for a guess.
const SIMILARITY_MIN: f64 = 0.6;

/// How alike two names are, whatever the letter case, from 0.6 to 1; `None` when they are not.
#[must_use]
pub fn similarity(one: &str, other: &str) -> Option<f64> {
    // A text of a client may be long; no name is, and comparing takes the square of the length.
    let (one, other) = (shown(one).to_lowercase(), shown(other).to_lowercase());
    let score = strsim::normalized_damerau_levenshtein(&one, &other);
    (score >= SIMILARITY_MIN).then_some(score)
}

/// The first of the `candidates` that `name` is most like, if it is like any.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = candidates.into_iter().filter_map(|known| Some((known, similarity(known, name)?)));
    let better =
        |best: (&'a str, f64), next: (&'a str, f64)| if next.1 > best.1 { next } else { best };
    scored.reduce(better).map(|(known, _)| known)
}

/// Many names that others are compared with, such as those of a table.
#[derive(Debug, Default)]
pub struct SimilarNames(Vec<(String, LetterCounts)>);

impl SimilarNames {
    /// Prepares the names.
    pub fn new<T: Into<String>>(names: impl IntoIterator<Item = T>) -> Self {
        let prepared = names.into_iter().map(|name| {
            let name = name.into();
            let letters = LetterCounts::of(&name);
            (name, letters)
        });
        Self(prepared.collect())
    }

    /// The first of the names that `name` is most like, and how alike they are.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<(&str, f64)> {
        let letters = LetterCounts::of(name);
        let mut best: Option<(&str, f64)> = None;
        for (known, known_letters) in &self.0 {
            let least = best.map_or(SIMILARITY_MIN, |(_, score)| score);
            // Most names have other letters, which is seen without a comparison.
            if letters.similarity_at_most(known_letters) < least {
                continue;
            }
            if let Some(score) = similarity(known, name)
                && best.is_none_or(|(_, before)| score > before)
            {
                best = Some((known, score));
            }
        }
        best
    }
}

/// How often a name has which letters; several letters share a count.
#[derive(Debug, Clone, Copy)]
struct LetterCounts {
    counts: [u16; 32],
    all: u16,
}

impl LetterCounts {
    fn of(name: &str) -> Self {
        let mut letters = Self { counts: [0; 32], all: 0 };
        for letter in shown(name).chars().flat_map(char::to_lowercase) {
            if let Some(count) = letters.counts.get_mut(letter as usize % 32) {
                *count += 1;
            }
            letters.all += 1;
        }
        letters
    }

    /// More alike than this the names cannot be: each letter that only one of them has is a change.
    fn similarity_at_most(&self, other: &Self) -> f64 {
        let pairs = || self.counts.iter().zip(&other.counts);
        let extra: u16 = pairs().map(|(here, there)| here.saturating_sub(*there)).sum();
        let lacking: u16 = pairs().map(|(here, there)| there.saturating_sub(*here)).sum();
        let longer = f64::from(self.all.max(other.all).max(1));
        1.0 - f64::from(extra.max(lacking)) / longer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_nearly_right_finds_the_right_one() {
        let names = ["dealers", "products", "transactions"];
        for (name, near) in [
            ("product", Some("products")),
            ("Dealers", Some("dealers")),
            ("customers", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, names), near, "{name}");
            let found = SimilarNames::new(names).nearest(name).map(|(known, _)| known.to_owned());
            assert_eq!(found.as_deref(), near, "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn letters_rule_out_no_name_that_is_alike(one in "[a-cä ]{0,9}", other in "[a-cÄ ]{0,9}") {
            let most = LetterCounts::of(&one).similarity_at_most(&LetterCounts::of(&other));
            let score = strsim::normalized_damerau_levenshtein(
                &shown(&one).to_lowercase(), &shown(&other).to_lowercase());
            proptest::prop_assert!(score <= most + 1e-9, "{one:?} {other:?}: {score} > {most}");
        }
    }
}
