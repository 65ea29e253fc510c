//! From the outbox to messages: the end of a job becomes a message for each webhook that wants it, once.

use chrono::{DateTime, Utc};
use entity::{import_outbox, import_webhook, import_webhook_delivery};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, TransactionTrait,
};
use uuid::Uuid;

use crate::domain::job::Job;
use crate::domain::webhook::{DeliveryStatus, NewMessage, Webhook};
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::outbox::{ENDED, WEBHOOKS};
use crate::store::webhooks::all;
use import_outbox::Column as C;

/// Rows of the outbox that are read at a time.
const ROWS: u64 = 100;

/// Notes the end of a job, in the transaction that ends it: nothing where nobody is notified.
pub(in crate::store) async fn note_for_webhooks(
    transaction: &DatabaseTransaction,
    job: &Job,
) -> Result<(), DbErr> {
    let is_anybody = Query::select()
        .expr(Expr::value(1))
        .from(import_webhook::Entity)
        .and_where(import_webhook::Column::Enabled.eq(true))
        .to_owned();
    let row = Query::select()
        .expr(Expr::value(WEBHOOKS))
        .expr(Expr::value(job.dataset.clone()))
        .expr(Expr::value(job.id))
        .expr(Expr::value(ENDED))
        .expr(Expr::value(0_i64))
        .expr(Expr::value(job.updated_at))
        .and_where(Expr::exists(is_anybody))
        .to_owned();
    let columns = [C::Topic, C::Dataset, C::ImportLogId, C::Kind, C::Records, C::ChangedAt];
    let insert = Query::insert()
        .into_table(import_outbox::Entity)
        .columns(columns)
        .select_from(row)
        .map_err(|fault| DbErr::Custom(fault.to_string()))?
        .to_owned();
    transaction.execute(&insert).await.map(drop)
}

impl Store {
    /// The numbers of the ends in the outbox that are to become messages, each with its job.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn ends_to_announce(&self) -> Result<Vec<(i64, i64)>, StoreError> {
        import_outbox::Entity::find()
            .select_only()
            .columns([C::Id, C::ImportLogId])
            .filter(C::Topic.eq(WEBHOOKS))
            .order_by_asc(C::Id)
            .limit(ROWS)
            .into_tuple()
            .all(&self.read)
            .await
            .context("read the outbox")
    }

    /// Makes messages of an end, for each webhook that wants them, and takes the end out of the outbox.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn announce(&self, end: i64, messages: &[NewMessage]) -> Result<(), StoreError> {
        let action = "store messages to webhooks";
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        let taken =
            import_outbox::Entity::delete_by_id(end).exec(&transaction).await.context(action)?;
        if taken.rows_affected == 1 {
            let now = self.time(&transaction).await?;
            for webhook in all(&transaction).await? {
                for message in messages.iter().filter(|it| webhook.wants(it.event, &it.dataset)) {
                    add(&transaction, &webhook, message, now).await.context(action)?;
                }
            }
        }
        transaction.commit().await.context(action)
    }

    /// Stores a message to one webhook, whatever it is notified of.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn add_message(
        &self,
        webhook: &Webhook,
        message: &NewMessage,
    ) -> Result<(), StoreError> {
        let action = "store a message to a webhook";
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        let now = self.time(&transaction).await?;
        add(&transaction, webhook, message, now).await.context(action)?;
        transaction.commit().await.context(action)
    }
}

/// The second job of a bulk that ends at the same moment makes the same message: there is one.
async fn add(
    transaction: &DatabaseTransaction,
    webhook: &Webhook,
    message: &NewMessage,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    use import_webhook_delivery::Column as D;
    let row = import_webhook_delivery::ActiveModel {
        webhook_id: Set(webhook.id.to_string()),
        message_id: Set(format!("msg_{}", Uuid::now_v7().simple())),
        event: Set(message.event.as_str().to_owned()),
        subject: Set(message.subject.clone()),
        import_log_id: Set(message.job),
        traceparent: Set(message.trace.map(|trace| trace.to_string())),
        body: Set(message.body.clone()),
        status: Set(DeliveryStatus::Pending.as_str().to_owned()),
        attempts: Set(0),
        next_attempt_at: Set(Some(now)),
        created_at: Set(now),
        ..Default::default()
    };
    import_webhook_delivery::Entity::insert(row)
        .on_conflict(OnConflict::columns([D::WebhookId, D::Subject]).do_nothing().to_owned())
        .exec_without_returning(transaction)
        .await
        .map(drop)
}
