//! The table `import_mappings`: what the headers of files mean, by dataset and name.

use entity::import_mapping;
use import_mapping::Column as C;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, TransactionTrait,
};

use crate::domain::limits::SAVED_MAPPINGS_MAX;
use crate::domain::saved_mapping::{MappingName, NewMapping, SavedMapping};
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::as_json;

const READ: &str = "read the saved mappings";
const SAVE: &str = "save a mapping";

impl Store {
    /// The saved mappings of a dataset, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn saved_mappings(&self, dataset: &str) -> Result<Vec<SavedMapping>, StoreError> {
        let rows = import_mapping::Entity::find()
            .filter(C::Dataset.eq(dataset))
            .order_by_asc(C::Name)
            .limit(SAVED_MAPPINGS_MAX)
            .all(&self.lists)
            .await
            .context(READ)?;
        rows.into_iter().map(saved).collect()
    }

    /// The mapping of a dataset with this name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn saved_mapping(
        &self,
        dataset: &str,
        name: &MappingName,
    ) -> Result<Option<SavedMapping>, StoreError> {
        let key = (dataset.to_owned(), name.as_str().to_owned());
        let found = import_mapping::Entity::find_by_id(key).one(&self.read).await;
        found.context(READ)?.map(saved).transpose()
    }

    /// The mapping of a dataset for these headers: the last one that was saved for them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn mapping_of_headers(
        &self,
        dataset: &str,
        fingerprint: &str,
    ) -> Result<Option<SavedMapping>, StoreError> {
        let found = import_mapping::Entity::find()
            .filter(C::Dataset.eq(dataset))
            .filter(C::Fingerprint.eq(fingerprint))
            .order_by_desc(C::UpdatedAt)
            .order_by_asc(C::Name)
            .one(&self.read)
            .await;
        found.context(READ)?.map(saved).transpose()
    }

    /// Remembers a mapping in place of an earlier one of the same name. `None` when the dataset has as many
    /// as there may be.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn save_mapping(&self, new: &NewMapping) -> Result<Option<SavedMapping>, StoreError> {
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(SAVE)?;
        let others = import_mapping::Entity::find()
            .filter(C::Dataset.eq(&new.dataset))
            .filter(C::Name.ne(new.name.as_str()))
            .count(&transaction)
            .await
            .context(SAVE)?;
        if others >= SAVED_MAPPINGS_MAX {
            transaction.rollback().await.context(SAVE)?;
            return Ok(None);
        }
        let now = self.time(&transaction).await?;
        let row = import_mapping::ActiveModel {
            dataset: Set(new.dataset.clone()),
            name: Set(new.name.as_str().to_owned()),
            fingerprint: Set(new.fingerprint.clone()),
            headers: Set(as_json(&new.headers)),
            mapping: Set(as_json(&new.mapping)),
            created_by: Set(new.created_by.clone()),
            created_at: Set(now),
            updated_at: Set(now),
            last_used_at: Set(None),
        };
        let replace = OnConflict::columns([C::Dataset, C::Name])
            .update_columns([C::Fingerprint, C::Headers, C::Mapping, C::UpdatedAt])
            .to_owned();
        let stored = import_mapping::Entity::insert(row)
            .on_conflict(replace)
            .exec_with_returning(&transaction)
            .await
            .context(SAVE)?;
        transaction.commit().await.context(SAVE)?;
        saved(stored).map(Some)
    }

    /// Notes that a file was read with the mapping.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn use_mapping(&self, dataset: &str, name: &MappingName) -> Result<(), StoreError> {
        let _guard = self.lock_writes().await;
        import_mapping::Entity::update_many()
            .col_expr(C::LastUsedAt, self.now())
            .filter(C::Dataset.eq(dataset))
            .filter(C::Name.eq(name.as_str()))
            .exec(&self.write)
            .await
            .context(SAVE)?;
        Ok(())
    }

    /// Forgets a mapping; false when there is none of this name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_mapping(
        &self,
        dataset: &str,
        name: &MappingName,
    ) -> Result<bool, StoreError> {
        let _guard = self.lock_writes().await;
        let key = (dataset.to_owned(), name.as_str().to_owned());
        let deleted = import_mapping::Entity::delete_by_id(key).exec(&self.write).await;
        Ok(deleted.context("forget a mapping")?.rows_affected > 0)
    }
}

fn saved(row: import_mapping::Model) -> Result<SavedMapping, StoreError> {
    let unreadable = |_| StoreError::UnreadableMapping { name: row.name.clone() };
    Ok(SavedMapping {
        saved: NewMapping {
            headers: serde_json::from_value(row.headers).map_err(unreadable)?,
            mapping: serde_json::from_value(row.mapping).map_err(unreadable)?,
            dataset: row.dataset,
            fingerprint: row.fingerprint,
            created_by: row.created_by,
            name: MappingName::of_stored(row.name),
        },
        created_at: row.created_at,
        updated_at: row.updated_at,
        last_used_at: row.last_used_at,
    })
}
