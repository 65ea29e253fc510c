//! The tables of a database, brought up to date without a server.

use super::{open_database, store_settings};
use crate::config::Config;
use crate::definitions::{fitting, read_definitions};
use crate::files::DataDir;
use crate::store::DatabaseState;

/// What is to be done to the tables; changes nothing.
///
/// # Errors
/// When the database does not answer or cannot be used.
pub async fn database_state(config: &Config) -> anyhow::Result<DatabaseState> {
    let settings = store_settings(config, DataDir::sqlite_in(&config.data_dir));
    Ok(DatabaseState::of(&settings).await?)
}

/// Brings all tables up to date: Loadbay's own, and those of the datasets. Gives the migrations that were
/// done.
///
/// # Errors
/// Whatever keeps a server from starting on this database.
pub async fn migrate(config: &Config) -> anyhow::Result<Vec<String>> {
    let before = database_state(config).await?;
    let opened = open_database(config).await?;
    let fitting = async {
        anyhow::Ok(
            fitting(
                read_definitions(&config.built_in, config.datasets_dir.as_deref())?,
                &opened.store,
            )
            .await?,
        )
    };
    let fitting = fitting.await;
    opened.store.close().await;
    fitting?;
    Ok(before.pending)
}
