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
        }
    }
}
