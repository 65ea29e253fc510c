//! The datasets of a server, as their definitions are now: read from the folder, made to fit the
//! database, and read again when a file changes. Those that hold stay where the new ones have faults.
//!
//! Knows no job and no HTTP. Whoever took a dataset keeps it as it was.

mod error;
mod fitting;
mod folder;
mod propose;
mod save;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::dataset::model::{Dataset, Run};
use crate::dataset::{BuiltIn, Datasets};
use crate::domain::error_chain::error_chain;
use crate::store::Store;
pub use error::DefinitionsError;
pub use fitting::{fitting, fitting_faults};
use folder::FolderState;
pub use folder::read_definitions;
pub use propose::{FileToSee, ListedTable, TableList, propose, propose_from, see_file};
pub use save::{NewDefinition, SavedDefinition};

/// Between two looks at the folder: other servers and editors change it, too.
const LOOK_PAUSE: Duration = Duration::from_secs(2);

/// The datasets of a server, as their definitions are now.
#[derive(Debug)]
pub struct Definitions {
    built_in: BuiltIn,
    folder: Option<PathBuf>,
    store: Store,
    runtime: Handle,
    current: RwLock<Arc<Datasets>>,
    /// How the folder was when it was read last.
    seen: tokio::sync::Mutex<FolderState>,
}

/// What reading the definitions again changed: names of datasets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Those that are new.
    pub added: Vec<String>,
    /// Those that are another than before.
    pub changed: Vec<String>,
    /// Those that are no more.
    pub removed: Vec<String>,
}

impl Definitions {
    /// Reads the definitions and makes the tables that are asked for.
    ///
    /// # Errors
    /// What keeps a server from starting.
    pub async fn load(
        built_in: BuiltIn,
        folder: Option<PathBuf>,
        store: Store,
    ) -> Result<Self, DefinitionsError> {
        let (seen, datasets) = read(built_in.clone(), folder.clone()).await?;
        let datasets = fitting(datasets, &store).await?;
        let (current, seen) = (RwLock::new(Arc::new(datasets)), tokio::sync::Mutex::new(seen));
        Ok(Self { built_in, folder, store, runtime: Handle::current(), current, seen })
    }

    /// The datasets as they are now.
    #[must_use]
    pub fn current(&self) -> Arc<Datasets> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The dataset called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Dataset>> {
        self.current().get(name).map(Arc::clone)
    }

    /// The names of the datasets whose uploads are answered with their results.
    #[must_use]
    pub fn inline(&self) -> Vec<String> {
        let datasets = self.current();
        let inline = datasets.iter().filter(|it| it.dataset.run == Run::Inline);
        inline.map(|it| it.dataset.name.clone()).collect()
    }

    /// The folder of the user's own definitions.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Reads the definitions again. Those that hold stay where the new ones have faults.
    ///
    /// # Errors
    /// What is wrong with them.
    pub async fn reload(self: &Arc<Self>) -> Result<Reloaded, DefinitionsError> {
        self.on_runtime(|definitions| async move {
            let mut seen = definitions.seen.lock().await;
            let (built_in, folder) = (definitions.built_in.clone(), definitions.folder.clone());
            let (state, datasets) = read(built_in, folder).await?;
            *seen = state;
            Ok(definitions.take(fitting(datasets, &definitions.store).await?))
        })
        .await
    }

    /// Runs `work` to its end where the connections of the database live, also when the caller goes away.
    async fn on_runtime<T, F>(
        self: &Arc<Self>,
        work: impl FnOnce(Arc<Self>) -> F + Send + 'static,
    ) -> Result<T, DefinitionsError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, DefinitionsError>> + Send + 'static,
    {
        let definitions = Arc::clone(self);
        let work = self.runtime.spawn(async move { work(definitions).await });
        work.await.unwrap_or(Err(DefinitionsError::Stopped))
    }

    /// Lets these datasets hold from now on.
    fn take(&self, datasets: Datasets) -> Reloaded {
        let datasets = Arc::new(datasets);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *current, Arc::clone(&datasets));
        drop(current);
        let reloaded = Reloaded::between(&before, &datasets);
        tracing::info!(
            event = "definitions_loaded",
            added = reloaded.added.join(", "),
            changed = reloaded.changed.join(", "),
            removed = reloaded.removed.join(", "),
            "definitions are read again"
        );
        reloaded
    }

    /// Looks at the folder until `stop`, and reads the definitions again when a file changed.
    pub async fn watch(self: &Arc<Self>, stop: CancellationToken) {
        let Some(folder) = self.folder.clone() else { return };
        let mut refused = None;
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_PAUSE)).await.is_some() {
            let looked = folder.clone();
            let look = tokio::task::spawn_blocking(move || FolderState::of(&looked));
            let Ok(now) = look.await else { continue };
            // A state that was refused once is logged once.
            if *self.seen.lock().await == now || refused.as_ref() == Some(&now) {
                continue;
            }
            refused = self.reload_by_itself().await.is_none().then_some(now);
        }
    }

    /// Reads the definitions again because of something that nobody is answered for.
    pub async fn reload_by_itself(self: &Arc<Self>) -> Option<Reloaded> {
        match self.reload().await {
            Ok(reloaded) => Some(reloaded),
            Err(fault) => {
                tracing::error!(
                    event = "definitions_not_loaded",
                    error = error_chain(&fault),
                    "definitions that changed are not taken, the former ones hold"
                );
                None
            }
        }
    }
}

/// The definitions, and how the folder was before they were read: what changes meanwhile is seen by the
/// next look.
async fn read(
    built_in: BuiltIn,
    folder: Option<PathBuf>,
) -> Result<(FolderState, Datasets), DefinitionsError> {
    let reading = tokio::task::spawn_blocking(move || {
        let state = folder.as_deref().map_or_else(FolderState::default, FolderState::of);
        Ok((state, read_definitions(&built_in, folder.as_deref())?))
    });
    reading.await.unwrap_or(Err(DefinitionsError::Stopped))
}

impl Reloaded {
    fn between(before: &Datasets, after: &Datasets) -> Self {
        let names = |datasets: &Datasets| -> BTreeSet<String> {
            datasets.names().map(str::to_owned).collect()
        };
        let (old, new) = (names(before), names(after));
        let changed = |name: &&String| before.get(name) != after.get(name);
        Self {
            added: new.difference(&old).cloned().collect(),
            changed: new.intersection(&old).filter(changed).cloned().collect(),
            removed: old.difference(&new).cloned().collect(),
        }
    }
}
