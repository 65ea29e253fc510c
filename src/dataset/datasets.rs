//! All datasets of a server, by name: the embedded ones and those of the user's own folder.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compile::{Compiled, compile};
use super::fault::{DefinitionFault, nearest};
use super::model::Dataset;

/// The definitions that are part of the program, by the name of their file.
const EMBEDDED: [(&str, &str); 1] =
    [("datasets/products.toml", include_str!("../../datasets/products.toml"))];

/// All datasets of a server.
#[derive(Debug, Clone, Default)]
pub struct Datasets {
    by_name: BTreeMap<String, Compiled>,
}

impl Datasets {
    /// The embedded datasets and those of `files` (name and content of each definition file), whose
    /// dataset replaces an embedded one of the same name.
    ///
    /// # Errors
    /// Every fault of every file.
    pub fn load<F, T>(files: impl IntoIterator<Item = (F, T)>) -> Result<Self, Vec<DefinitionFault>>
    where
        F: AsRef<str>,
        T: AsRef<str>,
    {
        let (mut datasets, mut faults) = (Self::default(), Vec::new());
        for (file, text) in EMBEDDED {
            match compile(file, text) {
                Ok(compiled) => datasets.insert(compiled),
                Err(found) => faults.extend(found),
            }
        }
        let mut own: BTreeMap<String, String> = BTreeMap::new();
        for (file, text) in files {
            let compiled = match compile(file.as_ref(), text.as_ref()) {
                Ok(compiled) => compiled,
                Err(found) => {
                    faults.extend(found);
                    continue;
                }
            };
            let name = compiled.dataset.name.clone();
            if let Some(other) = own.get(&name) {
                faults.push(DefinitionFault {
                    file: compiled.file,
                    line: compiled.lines.first(&["name"]),
                    key: "`name`".to_owned(),
                    message: format!("a dataset `{name}` is defined in {other} already"),
                });
                continue;
            }
            own.insert(name, compiled.file.clone());
            datasets.insert(compiled);
        }
        if faults.is_empty() { Ok(datasets) } else { Err(faults) }
    }

    fn insert(&mut self, compiled: Compiled) {
        self.by_name.insert(compiled.dataset.name.clone(), compiled);
    }

    /// The dataset called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Dataset>> {
        self.by_name.get(name).map(|compiled| &compiled.dataset)
    }

    /// Every dataset with its lines, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Compiled> {
        self.by_name.values()
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// The name that is most like `name`, for a client that asks for one that does not exist.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.names())
    }
}

#[cfg(test)]
impl Datasets {
    /// Only the embedded datasets.
    pub(crate) fn embedded() -> Self {
        Self::load::<&str, &str>([]).unwrap()
    }
}
