//! Yes and no in the usual spellings of a few languages.

const YES: &[&str] = &[
    "true",
    "yes",
    "y",
    "1",
    "t",
    "on",
    "active",
    "enabled",
    "ja",
    "j",
    "wahr",
    "aktiv",
    "oui",
    "vrai",
    "actif",
    "si",
    "sí",
    "sì",
    "activo",
    "verdadero",
    "vero",
    "attivo",
    "sim",
    "ativo",
];

const NO: &[&str] = &[
    "false", "no", "n", "0", "f", "off", "inactive", "disabled", "nein", "falsch", "inaktiv",
    "non", "faux", "inactif", "inactivo", "falso", "inattivo", "não", "nao", "inativo",
];

/// Reads `text` (already trimmed), whatever the letter case.
pub(in crate::dataset) fn parse(text: &str) -> Option<bool> {
    let is_in = |words: &[&str]| {
        words.iter().any(|word| word.eq_ignore_ascii_case(text))
            || (!text.is_ascii() && words.contains(&text.to_lowercase().as_str()))
    };
    if is_in(YES) {
        Some(true)
    } else if is_in(NO) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_spellings_are_read_in_any_letter_case() {
        for text in ["true", "TRUE", "Yes", "y", "1", "on", "Active", "JA", "oui", "SÍ", "si"] {
            assert_eq!(parse(text), Some(true), "{text}");
        }
        for text in ["false", "No", "n", "0", "OFF", "inactive", "Nein", "non", "NÃO"] {
            assert_eq!(parse(text), Some(false), "{text}");
        }
        for text in ["", "maybe", "2", "yes!", "1.0", "bin", "-1"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn no_word_means_both() {
        assert!(YES.iter().all(|word| !NO.contains(word)));
    }
}
