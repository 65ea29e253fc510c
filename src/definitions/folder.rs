//! The folder of definitions: which files there are, what they say, and whether they changed.

use std::fs::DirEntry;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::error::DefinitionsError;
use crate::dataset::{BuiltIn, Datasets};

/// A definition file: how it is shown, and what it says.
pub(super) type DefinitionText = (String, String);

/// The built-in datasets and those of the operator's folder.
///
/// # Errors
/// When a file cannot be read, or is no definition.
pub fn read_definitions(
    built_in: &BuiltIn,
    folder: Option<&Path>,
) -> Result<Datasets, DefinitionsError> {
    let files = folder.map_or_else(|| Ok(Vec::new()), texts)?;
    Datasets::load(built_in, files).map_err(DefinitionsError::Faults)
}

/// Every definition of a folder, in the order of their names.
pub(super) fn texts(folder: &Path) -> Result<Vec<DefinitionText>, DefinitionsError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| DefinitionsError::Unreadable { path, source }
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
        paths.push(entry.map_err(unreadable(folder))?.path());
    }
    paths.retain(|path| is_definition(path));
    paths.sort();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
        files.push((path.display().to_string(), text));
    }
    Ok(files)
}

fn is_definition(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

/// The names of the definitions of a folder, when each changed, and how long it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FolderState(Vec<(PathBuf, Option<SystemTime>, u64)>);

impl FolderState {
    /// How the folder is now. One that cannot be read seems empty: reading it says why.
    pub(super) fn of(folder: &Path) -> Self {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let file = |entry: DirEntry| {
            let path = entry.path();
            // Of the file that a link points to.
            let known = std::fs::metadata(&path).ok();
            let changed = known.as_ref().and_then(|known| known.modified().ok());
            is_definition(&path).then(|| (path, changed, known.map_or(0, |known| known.len())))
        };
        let mut files: Vec<_> = entries.filter_map(file).collect();
        files.sort();
        Self(files)
    }
}
