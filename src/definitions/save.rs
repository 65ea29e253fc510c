//! Saving a definition: checked as a whole with all others, written at once or not at all, and in force
//! from then on.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;

use super::error::DefinitionsError;
use super::fitting::{fitting, fitting_faults};
use super::folder::{DefinitionText, FolderState, texts};
use super::{Definitions, Reloaded};
use crate::dataset::{BuiltIn, Datasets, compile};

/// What is to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDefinition {
    /// The dataset.
    pub name: String,
    /// The definition file.
    pub text: String,
    /// A dataset of the name may be replaced.
    pub overwrite: bool,
}

/// What was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedDefinition {
    /// The file.
    pub path: PathBuf,
    /// What that changed.
    pub reloaded: Reloaded,
}

impl Definitions {
    /// Checks a definition against the database, and makes nothing.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub async fn check(
        self: &Arc<Self>,
        name: String,
        text: String,
    ) -> Result<(), DefinitionsError> {
        self.on_runtime(|definitions| async move {
            definitions.check_alone(&format!("{name}.toml"), &name, &text).await
        })
        .await
    }

    /// Saves a definition in the folder, once it fits the database, and lets it hold. Makes its tables
    /// where it asks for them.
    ///
    /// # Errors
    /// When it has faults, there is such a dataset already, or there is no folder for it.
    pub async fn save(
        self: &Arc<Self>,
        new: NewDefinition,
    ) -> Result<SavedDefinition, DefinitionsError> {
        self.on_runtime(|definitions| async move { definitions.save_alone(new).await }).await
    }

    async fn save_alone(&self, new: NewDefinition) -> Result<SavedDefinition, DefinitionsError> {
        let folder = self.folder.clone().ok_or(DefinitionsError::NoFolder)?;
        // One change at a time.
        let mut seen = self.seen.lock().await;
        let NewDefinition { name, text, overwrite } = new;
        let looked = folder.clone();
        let others = blocking(move || texts(&looked)).await?;
        let own = |(file, text): &&DefinitionText| {
            compile(file, text).is_ok_and(|compiled| compiled.dataset.name == name)
        };
        let former = others.iter().find(own).map(|(file, _)| PathBuf::from(file));
        let path = former.clone().unwrap_or_else(|| folder.join(format!("{name}.toml")));
        let shown = path.display().to_string();
        self.check_alone(&shown, &name, &text).await?;
        if (former.is_some() || self.get(&name).is_some()) && !overwrite {
            return Err(DefinitionsError::Exists(name));
        }
        if former.is_none() && path.exists() {
            return Err(DefinitionsError::FileTaken { path, name });
        }
        let mut files = others;
        files.retain(|(file, _)| *file != shown);
        files.push((shown, text.clone()));
        let all = Datasets::load(&self.built_in, files).map_err(DefinitionsError::Faults)?;
        let (staged_in, staged_for) = (folder.clone(), path.clone());
        let staged = blocking(move || staged(&staged_in, &staged_for, &text)).await?;
        let all = fitting(all, &self.store).await?;
        let (replaces, target) = (former.is_some(), path.clone());
        *seen = blocking(move || {
            put(staged, &target, replaces, &name)?;
            Ok(FolderState::of(&folder))
        })
        .await?;
        Ok(SavedDefinition { path, reloaded: self.take(all) })
    }

    async fn check_alone(
        &self,
        file: &str,
        name: &str,
        text: &str,
    ) -> Result<(), DefinitionsError> {
        let compiled = compile(file, text).map_err(DefinitionsError::Faults)?;
        if compiled.dataset.name != name {
            let (asked, found) = (name.to_owned(), compiled.dataset.name.clone());
            return Err(DefinitionsError::OtherName { asked, found });
        }
        let only = Datasets::load(&BuiltIn::Named(Vec::new()), [(file, text)]);
        let only = only.map_err(DefinitionsError::Faults)?;
        for (_, faults) in fitting_faults(only, &self.store).await? {
            if !faults.is_empty() {
                return Err(DefinitionsError::Faults(faults));
            }
        }
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DefinitionsError> + Send + 'static,
) -> Result<T, DefinitionsError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(DefinitionsError::Stopped))
}

/// The text in a file beside its place, on disk.
fn staged(folder: &Path, path: &Path, text: &str) -> Result<NamedTempFile, DefinitionsError> {
    let write = || -> io::Result<NamedTempFile> {
        let mut file = tempfile::Builder::new().prefix(".definition-").tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    write().map_err(|source| DefinitionsError::Unwritable { path: path.to_owned(), source })
}

/// Moves the file to its place: whoever reads the folder sees the former one or this one.
fn put(
    staged: NamedTempFile,
    path: &Path,
    replaces: bool,
    name: &str,
) -> Result<(), DefinitionsError> {
    use std::os::unix::fs::PermissionsExt;
    let unwritable =
        |source: io::Error| DefinitionsError::Unwritable { path: path.to_owned(), source };
    // Others may read it, as files that people write.
    let readable = std::fs::Permissions::from_mode(0o644);
    staged.as_file().set_permissions(readable).map_err(unwritable)?;
    if replaces {
        staged.persist(path).map_err(|fault| unwritable(fault.error))?;
    } else if let Err(fault) = staged.persist_noclobber(path) {
        if fault.error.kind() == io::ErrorKind::AlreadyExists {
            return Err(DefinitionsError::FileTaken {
                path: path.to_owned(),
                name: name.to_owned(),
            });
        }
        return Err(unwritable(fault.error));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritable)
}
