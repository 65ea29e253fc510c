//! Which database this is: a random name of its own, given once. It lies beside the files of jobs as
//! well, so that a server on another database leaves them alone.

use entity::import_database;
use sea_orm::sea_query::OnConflict;
use sea_orm::{DbErr, EntityTrait, Set};
use uuid::Uuid;

use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};

/// The number of the only row.
const ONLY: i32 = 1;

const ACTION: &str = "read the name of the database";

impl Store {
    /// The name of this database; the first server gives it one. A copy has the same.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn identity(&self) -> Result<Uuid, StoreError> {
        if let Some(known) = self.known_identity().await? {
            return Ok(known);
        }
        let row = import_database::ActiveModel {
            number: Set(ONLY),
            uuid: Set(Uuid::new_v4().to_string()),
        };
        let guard = self.lock_writes().await;
        // Another server may be faster: its name is the one.
        let once = OnConflict::column(import_database::Column::Number).do_nothing().to_owned();
        let given = import_database::Entity::insert_many([row])
            .on_conflict(once)
            .exec_with_returning(&self.write)
            .await;
        given.context("give the database a name")?;
        drop(guard);
        let unnamed = || DbErr::RecordNotFound("import_database has no row".to_owned());
        self.known_identity().await?.ok_or_else(unnamed).context(ACTION)
    }

    async fn known_identity(&self) -> Result<Option<Uuid>, StoreError> {
        let row =
            import_database::Entity::find_by_id(ONLY).one(&self.read).await.context(ACTION)?;
        let parse = |row: import_database::Model| {
            Uuid::parse_str(&row.uuid)
                .map_err(|fault| DbErr::Type(fault.to_string()))
                .context(ACTION)
        };
        row.map(parse).transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::store::StoreSettings;

    async fn open(folder: &Path) -> Store {
        let settings = StoreSettings {
            database_url: None,
            sqlite_path: folder.join("loadbay.sqlite"),
            schema: "loadbay".to_owned(),
            lease: Duration::from_secs(30),
        };
        Store::connect(&settings).await.unwrap()
    }

    #[tokio::test]
    async fn a_database_has_one_name_and_no_other_has_it() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = open(one.path()).await;
        let name = store.identity().await.unwrap();
        assert_eq!(store.identity().await.unwrap(), name);
        store.close().await;
        assert_eq!(open(one.path()).await.identity().await.unwrap(), name);
        assert_ne!(open(two.path()).await.identity().await.unwrap(), name);
    }
}
