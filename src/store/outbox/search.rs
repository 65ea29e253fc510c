//! `import_search`: which server passes the records of a dataset on, by lease and epoch, and the
//! collection that it fills or builds anew.

use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::import_search;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
    TransactionTrait, UpdateMany,
};

use serde::Deserialize as _;

use crate::domain::job::Job;
use crate::domain::search_sync::{CollectionBuild, DocumentTally};
use crate::faults::fault;
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::as_json;
use import_search::Column as C;

/// How long a server that fell silent stays the one that passes records on: longer than a request
/// to the search engine may take.
const LEASE: Duration = Duration::from_mins(1);

/// The right to pass the records of a dataset on, and what is known of its collection.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchLease {
    /// The dataset's name.
    pub dataset: String,
    /// Fences off an owner that lost it.
    epoch: i64,
    /// The collection behind the alias, if there is one.
    pub collection: Option<String>,
    /// The schema that it was built with.
    pub shape: Option<String>,
    /// The collection that is built now.
    pub build: Option<CollectionBuild>,
    /// It is to be built anew.
    pub build_requested: bool,
    /// The last one that was built.
    pub last_build: Option<CollectionBuild>,
}

impl Store {
    /// Takes the right to pass the records of a dataset on; `None` while another has it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn lease_search(
        &self,
        dataset: &str,
        owner: &str,
    ) -> Result<Option<SearchLease>, StoreError> {
        let action = "take the lease of a search collection";
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        add_row(&transaction, dataset).await?;
        let free = Condition::any()
            .add(C::LeaseExpiresAt.is_null())
            .add(Expr::col(C::LeaseExpiresAt).lt(self.now()))
            .add(C::LeaseOwner.eq(owner));
        let taken = import_search::Entity::update_many()
            .col_expr(C::LeaseOwner, Expr::value(owner))
            .col_expr(C::LeaseEpoch, Expr::col(C::LeaseEpoch).add(1))
            .col_expr(C::LeaseExpiresAt, self.lease_end(LEASE))
            .filter(C::Dataset.eq(dataset))
            .filter(free)
            .exec_with_returning(&transaction)
            .await
            .context(action)?;
        transaction.commit().await.context(action)?;
        Ok(taken.into_iter().next().map(lease))
    }

    /// Gives the right back.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn release_search(&self, lease: &SearchLease) -> Result<(), StoreError> {
        let _guard = self.lock_writes().await;
        import_search::Entity::update_many()
            .col_expr(C::LeaseOwner, Expr::value(None::<String>))
            .col_expr(C::LeaseExpiresAt, Expr::value(None::<DateTime<Utc>>))
            .filter(held(lease))
            .exec(&self.write)
            .await
            .context("give back the lease of a search collection")?;
        Ok(())
    }

    /// Asks for a new collection of a dataset.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn request_build(&self, dataset: &str) -> Result<(), StoreError> {
        let action = "ask for a new search collection";
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        add_row(&transaction, dataset).await?;
        import_search::Entity::update_many()
            .col_expr(C::BuildRequested, Expr::value(true))
            .filter(C::Dataset.eq(dataset))
            .exec(&transaction)
            .await
            .context(action)?;
        transaction.commit().await.context(action)
    }

    /// How the collection of a dataset stands, whoever fills it; `None` before anybody did.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn search_state(&self, dataset: &str) -> Result<Option<SearchLease>, StoreError> {
        let row = import_search::Entity::find_by_id(dataset).one(&self.read).await;
        Ok(row.context("read how a search collection stands")?.map(lease))
    }

    /// Keeps the right for longer; false when it is another's by now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn renew_search(&self, lease: &SearchLease) -> Result<bool, StoreError> {
        let _guard = self.lock_writes().await;
        let renewed = self.renewal_of_search(lease).exec(&self.write).await;
        Ok(renewed.context("keep the lease of a search collection")?.rows_affected == 1)
    }

    /// Stores how far a collection is built; false when the right is another's by now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn note_build(
        &self,
        lease: &SearchLease,
        build: &CollectionBuild,
    ) -> Result<bool, StoreError> {
        fault!("search.build", StoreError::busy());
        let _guard = self.lock_writes().await;
        let noted = self
            .renewal_of_search(lease)
            .col_expr(C::Build, Expr::value(Some(as_json(build))))
            // It is being done.
            .col_expr(C::BuildRequested, Expr::value(false))
            .exec(&self.write)
            .await
            .context("store how far a search collection is")?;
        Ok(noted.rows_affected == 1)
    }

    /// Stores that a collection is built and in place, with what became of the changes that it
    /// covers; gives their jobs, or `None` when the right is another's by now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn end_build(
        &self,
        lease: &SearchLease,
        build: &CollectionBuild,
        shape: &str,
        covered: &[(i64, i64, DocumentTally)],
    ) -> Result<Option<Vec<Job>>, StoreError> {
        let action = "store that a search collection is built";
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        let ended = self
            .renewal_of_search(lease)
            .col_expr(C::Collection, Expr::value(Some(build.collection.clone())))
            .col_expr(C::Shape, Expr::value(Some(shape)))
            .col_expr(C::Build, Expr::value(None::<serde_json::Value>))
            .col_expr(C::LastBuild, Expr::value(Some(as_json(&build.report()))))
            .exec(&transaction)
            .await
            .context(action)?;
        if ended.rows_affected == 0 {
            transaction.rollback().await.context(action)?;
            return Ok(None);
        }
        let mut jobs = Vec::new();
        for (change, job, tally) in covered {
            let deleted = entity::import_outbox::Entity::delete_by_id(*change);
            if deleted.exec(&transaction).await.context(action)?.rows_affected == 1 {
                jobs.extend(self.change_sync(&transaction, *job, |sync| sync.add(tally)).await?);
            }
        }
        transaction.commit().await.context(action)?;
        Ok(Some(jobs))
    }

    pub(super) async fn datasets_to_build(&self) -> Result<Vec<String>, StoreError> {
        import_search::Entity::find()
            .select_only()
            .column(C::Dataset)
            .filter(Condition::any().add(C::BuildRequested.eq(true)).add(C::Build.is_not_null()))
            .into_tuple()
            .all(&self.read)
            .await
            .context("look for search collections to build")
    }

    pub(super) async fn renew_within(
        &self,
        transaction: &DatabaseTransaction,
        lease: &SearchLease,
    ) -> Result<bool, StoreError> {
        let renewed = self.renewal_of_search(lease).exec(transaction).await;
        Ok(renewed.context("keep the lease of a search collection")?.rows_affected == 1)
    }

    fn renewal_of_search(&self, lease: &SearchLease) -> UpdateMany<import_search::Entity> {
        import_search::Entity::update_many()
            .col_expr(C::LeaseExpiresAt, self.lease_end(LEASE))
            .filter(held(lease))
    }
}

fn held(lease: &SearchLease) -> Condition {
    Condition::all().add(C::Dataset.eq(&lease.dataset)).add(C::LeaseEpoch.eq(lease.epoch))
}

async fn add_row(transaction: &DatabaseTransaction, dataset: &str) -> Result<(), StoreError> {
    let row = import_search::ActiveModel { dataset: Set(dataset.to_owned()), ..Default::default() };
    import_search::Entity::insert(row)
        .on_conflict(OnConflict::column(C::Dataset).do_nothing().to_owned())
        .exec_without_returning(transaction)
        .await
        .context("note a search collection")?;
    Ok(())
}

fn lease(row: import_search::Model) -> SearchLease {
    SearchLease {
        dataset: row.dataset,
        epoch: row.lease_epoch,
        collection: row.collection,
        shape: row.shape,
        // One that cannot be read is begun anew.
        build_requested: row.build_requested
            || row.build.as_ref().is_some_and(|it| CollectionBuild::deserialize(it).is_err()),
        build: row.build.and_then(|it| serde_json::from_value(it).ok()),
        last_build: row.last_build.and_then(|it| serde_json::from_value(it).ok()),
    }
}
