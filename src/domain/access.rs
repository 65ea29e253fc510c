//! Who may do what: scopes, keys and the callers that they make. No secret is known here.

use std::fmt;

use chrono::{DateTime, Utc};

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Look at datasets, limits and one's own jobs.
    Read,
    /// Import, and control one's own jobs.
    Import,
    /// Everything, also jobs of others.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Read, Self::Import, Self::Admin];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Import => "import",
            Self::Admin => "admin",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The scopes of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Reads words with commas between them.
    ///
    /// # Errors
    /// The word that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut scopes = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let scope = Scope::parse(word).ok_or_else(|| {
                format!("`{word}` is not a scope; the scopes are read, import and admin")
            })?;
            scopes.push(scope);
        }
        scopes.sort();
        scopes.dedup();
        if scopes.is_empty() {
            return Err("a key has at least one scope of read, import and admin".to_owned());
        }
        Ok(Self(scopes))
    }

    /// True when this is allowed; an administrator may everything.
    #[must_use]
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope) || self.0.contains(&Scope::Admin)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.0.iter().map(|scope| scope.as_str()).collect();
        f.write_str(&words.join(","))
    }
}

/// A key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// Its number.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// The part by which it is found.
    pub public_part: String,
    /// What it allows.
    pub scopes: Scopes,
    /// The datasets that it may use; `None` for all.
    pub datasets: Option<Vec<String>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// When a person ended it.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The address that used it last.
    pub last_used_from: Option<String>,
}

impl AccessKey {
    /// True while it opens anything.
    #[must_use]
    pub fn is_valid(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }

    /// The name under which jobs are created with it.
    #[must_use]
    pub fn client_name(&self) -> String {
        format!("key:{}", self.name)
    }
}

/// Checks a name for a key.
///
/// # Errors
/// What is wrong with it.
pub fn check_key_name(name: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=64).contains(&name.len()) && name.chars().all(is_plain) {
        return Ok(());
    }
    Err("a name of a key has 1 to 64 letters, digits, hyphens, underscores and dots".to_owned())
}

/// Who sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Anybody: there are no keys.
    Anybody,
    /// The user of this process, by its own socket.
    OwnUser,
    /// The holder of a key.
    Holder(Box<AccessKey>),
}

impl Caller {
    /// True when this is allowed.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        match self {
            Self::Anybody | Self::OwnUser => true,
            Self::Holder(key) => key.scopes.allow(scope),
        }
    }

    /// True when the dataset may be used.
    #[must_use]
    pub fn may_use(&self, dataset: &str) -> bool {
        match self {
            Self::Anybody | Self::OwnUser => true,
            Self::Holder(key) => {
                key.datasets.as_ref().is_none_or(|all| all.iter().any(|name| name == dataset))
            }
        }
    }

    /// The client whose jobs are the only ones that the caller sees; `None` for all jobs.
    #[must_use]
    pub fn sees_only(&self) -> Option<String> {
        match self {
            Self::Holder(key) if !key.scopes.allow(Scope::Admin) => Some(key.client_name()),
            _ => None,
        }
    }

    /// The name under which its jobs are created; `None` when the request may say one.
    #[must_use]
    pub fn client_name(&self) -> Option<String> {
        match self {
            Self::Holder(key) => Some(key.client_name()),
            Self::Anybody | Self::OwnUser => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_words_and_an_administrator_may_everything() {
        let scopes = Scopes::parse(" import, read,import").unwrap();
        assert_eq!(scopes.to_string(), "read,import");
        assert!(scopes.allow(Scope::Read) && !scopes.allow(Scope::Admin));
        let admin = Scopes::parse("admin").unwrap();
        assert!(Scope::ALL.into_iter().all(|scope| admin.allow(scope)));
        for text in ["", ",", "write", "Read"] {
            assert!(Scopes::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_of_keys_are_plain() {
        assert!(check_key_name("nightly-prices.2").is_ok());
        for name in ["", "two words", "a/b", &"x".repeat(65)] {
            assert!(check_key_name(name).is_err(), "{name}");
        }
    }
}
