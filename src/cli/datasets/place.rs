//! Which database and which definitions the commands of datasets are about.

use clap::Args;

use crate::config::Config;
use crate::dataset::Datasets;
use crate::definitions::read_definitions;

/// Where definitions and tables are, if not where the environment and `.env` say.
#[derive(Debug, Args)]
pub(super) struct PlaceArgs {
    /// The database, instead of `DATABASE_URL`. Others on this machine see flags: a password belongs
    /// into the environment.
    #[arg(long, visible_alias = "database-url", value_name = "URL")]
    database: Option<String>,
    /// The folder of the definitions, instead of `LOADBAY_DATASETS_DIR`.
    #[arg(long, value_name = "FOLDER")]
    datasets_dir: Option<String>,
    /// The data directory, instead of `LOADBAY_DATA_DIR`.
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<String>,
}

impl PlaceArgs {
    /// The settings.
    pub(super) fn read(&self) -> anyhow::Result<Config> {
        Ok(Config::read_beside(&[
            ("DATABASE_URL", self.database.as_deref()),
            ("LOADBAY_DATASETS_DIR", self.datasets_dir.as_deref()),
            ("LOADBAY_DATA_DIR", self.data_dir.as_deref()),
        ])?)
    }
}

/// The definitions that the settings name.
pub(super) fn definitions(config: &Config) -> anyhow::Result<Datasets> {
    Ok(read_definitions(&config.built_in, config.datasets_dir.as_deref())?)
}
