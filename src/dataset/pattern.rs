//! The pattern of a column: a regular expression that the whole text must match. Its time grows with
//! the length of the text only, whatever the pattern.

use regex::{Regex, RegexBuilder};

/// Bytes that a compiled pattern may have.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// A regular expression for whole texts.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    whole: Regex,
}

impl Pattern {
    /// Compiles the text of a definition; the fault as a sentence.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let compile = |text: &str| RegexBuilder::new(text).size_limit(COMPILED_BYTES_MAX).build();
        // By itself first: what is wrong is said of what stands in the file.
        compile(text).map_err(|fault| why(text, &fault))?;
        let whole = compile(&format!(r"\A(?:{text})\z")).map_err(|fault| why(text, &fault))?;
        Ok(Self { text: text.to_owned(), whole })
    }

    /// As the definition has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// True when all of `text` matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }
}

fn why(text: &str, fault: &regex::Error) -> String {
    match fault {
        regex::Error::CompiledTooBig(most) => {
            format!("`{text}` becomes larger than {most} bytes; repeat less in it")
        }
        fault => {
            // Its last line is the reason; those before it draw where it is.
            let lines = fault.to_string();
            let reason = lines.lines().last().unwrap_or_default().trim();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            format!("`{text}` is no regular expression: {reason}")
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_text_must_match() {
        let pattern = Pattern::new("[A-Z]{2}[0-9]+|x").unwrap();
        assert!(pattern.matches("DE12") && pattern.matches("x"));
        for text in ["", "DE", "aDE12", "DE12 ", "DE12\n", "xx"] {
            assert!(!pattern.matches(text), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_compiled_is_said() {
        for (text, part) in [
            ("(", "unclosed group"),
            ("a)|(?:b", "unopened group"),
            (r"(a)\1", "backreferences are not supported"),
            (r"\w{5000}{5000}", "larger than 1048576 bytes"),
            ("(?x)a # all of it", "unclosed group"),
        ] {
            let fault = Pattern::new(text).unwrap_err();
            assert!(fault.contains(part), "{text}: {fault}");
        }
    }
}
