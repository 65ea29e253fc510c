//! Names that contain a text, whatever the letter case: to choose one of many. Knows no table.

/// Some of the names that were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundNames {
    /// First those that begin with the text, each part in the order of letters.
    pub names: Vec<String>,
    /// There are others.
    pub more: bool,
}

impl FoundNames {
    /// Those `names` that contain `text`, at most `limit`.
    #[must_use]
    pub fn among(names: Vec<String>, text: &str, limit: usize) -> Self {
        let text = text.trim().to_lowercase();
        let mut found: Vec<(bool, String, String)> = names
            .into_iter()
            .filter_map(|name| {
                let small = name.to_lowercase();
                let is_inside = small.find(&text)? > 0;
                Some((is_inside, small, name))
            })
            .collect();
        found.sort_unstable();
        // Where records differ in another column, several have the same name.
        found.dedup();
        let more = found.len() > limit;
        found.truncate(limit);
        Self { names: found.into_iter().map(|(_, _, name)| name).collect(), more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, limit: usize) -> (Vec<String>, bool) {
        let names = ["Élan", "elan vital", "Other", "Elan", "Other", "Plan"].map(str::to_owned);
        let found = FoundNames::among(names.to_vec(), text, limit);
        (found.names, found.more)
    }

    #[test]
    fn names_are_found_by_a_part_whatever_the_letter_case() {
        assert_eq!(found(" ÉLAN", 9).0, ["Élan"]);
        assert_eq!(found("lan", 9).0, ["Elan", "elan vital", "Plan", "Élan"]);
        assert_eq!(found("EL", 9).0, ["Elan", "elan vital"]);
        assert_eq!(found("x", 9), (Vec::new(), false));
    }

    #[test]
    fn no_more_are_listed_than_are_asked_for() {
        assert_eq!(found("", 2), (vec!["Elan".to_owned(), "elan vital".to_owned()], true));
        assert!(!found("", 5).1);
    }
}
