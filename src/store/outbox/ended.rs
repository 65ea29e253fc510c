//! The end of a job in the outbox: behind it nothing more of the job is to be passed on.

use entity::{import_log, import_outbox};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter};

use crate::domain::job::Job;
use crate::domain::search_sync::SearchSync;
use crate::store::Store;
use crate::store::log::job_row::as_json;
use crate::store::outbox::{ENDED, SEARCH};
use crate::store::webhooks::messages::note_for_webhooks;

impl Store {
    /// Notes that a job ended, in the transaction that ends it.
    pub(in crate::store) async fn note_end(
        &self,
        transaction: &DatabaseTransaction,
        job: &mut Job,
    ) -> Result<(), DbErr> {
        note_for_webhooks(transaction, job).await?;
        if job.options.dry_run || !self.noted.contains(&job.dataset) {
            return Ok(());
        }
        let row = import_outbox::ActiveModel {
            topic: Set(SEARCH.to_owned()),
            dataset: Set(job.dataset.clone()),
            import_log_id: Set(job.id),
            kind: Set(ENDED.to_owned()),
            records: Set(0),
            keys: Set(None),
            changed_at: Set(job.updated_at),
            ..Default::default()
        };
        import_outbox::Entity::insert(row).exec_without_returning(transaction).await?;
        if job.sync.is_none() {
            let waiting = SearchSync::default();
            import_log::Entity::update_many()
                .col_expr(import_log::Column::Sync, Expr::value(as_json(&waiting)))
                .filter(import_log::Column::Id.eq(job.id))
                .exec(transaction)
                .await?;
            job.sync = Some(Box::new(waiting));
        }
        Ok(())
    }
}
