//! The search sync of a server, and a collection that is built on demand.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context, bail};

use crate::after::search::{BuildReport, OnJob, SearchConsumer, SearchSettings, SearchWorker};
use crate::config::Config;
use crate::dataset::Datasets;
use crate::definitions::Definitions;
use crate::files::DataDir;
use crate::jobs::Jobs;
use crate::store::{Store, StoreSettings};

/// The datasets whose records go to the search engine.
pub(super) fn synced_datasets(
    config: &Config,
    datasets: &Datasets,
) -> anyhow::Result<BTreeSet<String>> {
    if config.typesense.url.is_none() {
        return Ok(BTreeSet::new());
    }
    let all = || datasets.names().map(str::to_owned).collect();
    let named = config.typesense.datasets.clone().unwrap_or_else(all);
    if let Some(unknown) = named.iter().find(|name| datasets.get(name).is_none()) {
        bail!("TYPESENSE_DATASETS: there is no dataset `{unknown}`");
    }
    Ok(named)
}

/// What passes records on to the search engine, if there is one.
fn search_sync(
    config: &Config,
    store: &Store,
    datasets: &Arc<Definitions>,
    on_job: OnJob,
) -> anyhow::Result<Option<SearchConsumer>> {
    let typesense = &config.typesense;
    let (Some(url), Some(key)) = (&typesense.url, &typesense.api_key) else { return Ok(None) };
    let settings = SearchSettings {
        url: url.clone(),
        api_key: key.reveal().to_owned(),
        prefix: typesense.prefix.clone(),
    };
    Ok(Some(SearchConsumer::new(store.clone(), settings, Arc::clone(datasets), on_job)?))
}

/// Starts it; `None` where there is no search engine.
pub(super) fn start_search(
    config: &Config,
    store: &Store,
    datasets: &Arc<Definitions>,
    jobs: &Jobs,
) -> anyhow::Result<Option<SearchWorker>> {
    let jobs = jobs.clone();
    let sync = search_sync(config, store, datasets, Arc::new(move |job| jobs.passed_on(job)))?;
    Ok(sync.map(SearchWorker::start))
}

/// Builds the search collections of datasets anew: of `names`, or of all that have one. `on_progress`
/// gets a dataset and its documents so far.
///
/// # Errors
/// Whatever keeps one from being built, in words for the one who asked.
pub async fn rebuild_search(
    config: Config,
    names: Vec<String>,
    on_progress: impl Fn(&str, u64) + Send + Sync,
) -> anyhow::Result<Vec<BuildReport>> {
    if config.typesense.url.is_none() {
        bail!("TYPESENSE_URL is not set: there is no search engine to fill");
    }
    let settings = StoreSettings {
        database_url: config.database_url.as_ref().map(|url| url.reveal().to_owned()),
        sqlite_path: DataDir::sqlite_in(&config.data_dir),
        schema: config.schema.clone(),
        lease: config.lease,
    };
    if settings.database_url.is_none() && !settings.sqlite_path.exists() {
        bail!("LOADBAY_DATA_DIR: there is no database in `{}`", config.data_dir.display());
    }
    let store = Store::connect(&settings).await?;
    let (built_in, folder) = (config.built_in.clone(), config.datasets_dir.clone());
    let datasets = Arc::new(Definitions::load(built_in, folder, store.clone()).await?);
    let synced = synced_datasets(&config, &datasets.current())?;
    let names = if names.is_empty() { synced.iter().cloned().collect() } else { names };
    if let Some(other) = names.iter().find(|name| !synced.contains(*name)) {
        let known = synced.iter().cloned().collect::<Vec<_>>().join(", ");
        bail!("dataset `{other}` does not go to the search engine; these do: {known}");
    }
    let sync = search_sync(&config, &store, &datasets, Arc::new(drop))?;
    let sync = sync.context("TYPESENSE_API_KEY is not set")?;
    let mut reports = Vec::new();
    for name in &names {
        let dataset = datasets.get(name).context("the dataset is known")?;
        let report = sync.rebuild(&dataset, |documents| on_progress(name, documents)).await;
        reports.push(report.with_context(|| {
            format!("dataset `{name}` is not built; a running server goes on with it")
        })?);
    }
    store.close().await;
    Ok(reports)
}
