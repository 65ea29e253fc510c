//! `import_webhook_deliveries`: which message is due, what became of an attempt, and the log of both.

use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::import_webhook_delivery::{self, Column as C};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, TransactionTrait,
};
use uuid::Uuid;

use crate::domain::trace::TraceContext;
use crate::domain::webhook::{DeliveryStatus, Webhook, WebhookDelivery};
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::{signed, unsigned};
use crate::store::webhooks::{all, disable};

/// How long an attempt may take before another server takes it for lost.
const ATTEMPT: Duration = Duration::from_mins(1);

/// How long the messages that were delivered or given up are listed.
const LISTED: Duration = Duration::from_hours(30 * 24);

/// A message that is sent now, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDelivery {
    /// To whom.
    pub webhook: Webhook,
    /// What.
    pub delivery: WebhookDelivery,
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptEnd {
    /// The status of HTTP, if there was an answer.
    pub answer: Option<u16>,
    /// Why it failed; `None` when the receiver took the message.
    pub error: Option<String>,
    /// How long it took.
    pub millis: u64,
    /// After what time the next one is due; `None` when there is none.
    pub next: Option<Duration>,
    /// Why the receiver wants no messages any more.
    pub gone: Option<String>,
}

impl Store {
    /// Takes messages that are due, at most `most`; no other server sends them meanwhile.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn take_deliveries(&self, most: u64) -> Result<Vec<DueDelivery>, StoreError> {
        let action = "look for messages to webhooks";
        let mut due = Query::select()
            .column(C::Id)
            .from(import_webhook_delivery::Entity)
            .and_where(C::Status.eq(DeliveryStatus::Pending.as_str()))
            .and_where(Expr::col(C::NextAttemptAt).lte(self.now()))
            .order_by(C::NextAttemptAt, sea_orm::Order::Asc)
            .limit(most)
            .to_owned();
        if self.read.query_one(&due).await.context(action)?.is_none() {
            return Ok(Vec::new());
        }
        self.skip_locked(&mut due);
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        let taken = import_webhook_delivery::Entity::update_many()
            .col_expr(C::Attempts, Expr::col(C::Attempts).add(1))
            .col_expr(C::NextAttemptAt, self.lease_end(ATTEMPT))
            .filter(C::Id.in_subquery(due))
            .exec_with_returning(&transaction)
            .await
            .context(action)?;
        let webhooks = all(&transaction).await?;
        transaction.commit().await.context(action)?;
        let due = taken.into_iter().filter_map(delivery).filter_map(|delivery| {
            let webhook = webhooks.iter().find(|it| it.id == delivery.webhook)?.clone();
            Some(DueDelivery { webhook, delivery })
        });
        Ok(due.collect())
    }

    /// Stores what an attempt came to, unless another one began since.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn end_attempt(
        &self,
        sent: &WebhookDelivery,
        end: &AttemptEnd,
    ) -> Result<(), StoreError> {
        let action = "store what became of a message to a webhook";
        let status = match (&end.error, end.next) {
            (None, _) => DeliveryStatus::Delivered,
            (Some(_), Some(_)) => DeliveryStatus::Pending,
            (Some(_), None) => DeliveryStatus::Failed,
        };
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        let mut update = import_webhook_delivery::Entity::update_many()
            .col_expr(C::Status, Expr::value(status.as_str()))
            .col_expr(C::Answer, Expr::value(end.answer.map(i32::from)))
            .col_expr(C::Error, Expr::value(end.error.clone()))
            .col_expr(C::Millis, Expr::value(signed(end.millis)));
        update = match end.next {
            Some(next) => update.col_expr(C::NextAttemptAt, self.lease_end(next)),
            None => update
                .col_expr(C::NextAttemptAt, Expr::value(None::<DateTime<Utc>>))
                .col_expr(C::CompletedAt, self.now()),
        };
        update
            .filter(C::Id.eq(sent.id))
            .filter(C::Attempts.eq(i64::from(sent.attempts)))
            .exec(&transaction)
            .await
            .context(action)?;
        if let Some(reason) = &end.gone {
            disable(&transaction, sent.webhook, reason).await.context(action)?;
            self.give_up(&transaction, sent.webhook, reason).await?;
        }
        transaction.commit().await.context(action)
    }

    /// Gives the messages up that wait for a webhook.
    async fn give_up(
        &self,
        transaction: &DatabaseTransaction,
        webhook: Uuid,
        reason: &str,
    ) -> Result<(), StoreError> {
        import_webhook_delivery::Entity::update_many()
            .col_expr(C::Status, Expr::value(DeliveryStatus::Failed.as_str()))
            .col_expr(C::Error, Expr::value(reason))
            .col_expr(C::NextAttemptAt, Expr::value(None::<DateTime<Utc>>))
            .col_expr(C::CompletedAt, self.now())
            .filter(C::WebhookId.eq(webhook.to_string()))
            .filter(C::Status.eq(DeliveryStatus::Pending.as_str()))
            .exec(transaction)
            .await
            .context("give the messages of a webhook up")?;
        Ok(())
    }

    /// The messages to a webhook, newest first, behind the one numbered `before`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn deliveries(
        &self,
        webhook: Uuid,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<WebhookDelivery>, StoreError> {
        let mut find = import_webhook_delivery::Entity::find()
            .filter(C::WebhookId.eq(webhook.to_string()))
            .order_by_desc(C::Id)
            .limit(limit);
        if let Some(before) = before {
            find = find.filter(C::Id.lt(before));
        }
        let rows = find.all(&self.read).await.context("read the messages of a webhook")?;
        Ok(rows.into_iter().filter_map(delivery).collect())
    }

    /// Sends a message once more, now, as if it were new; `None` when the webhook has no such message.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn redeliver(
        &self,
        webhook: Uuid,
        id: i64,
    ) -> Result<Option<WebhookDelivery>, StoreError> {
        let _guard = self.lock_writes().await;
        let again = import_webhook_delivery::Entity::update_many()
            .col_expr(C::Status, Expr::value(DeliveryStatus::Pending.as_str()))
            .col_expr(C::Attempts, Expr::value(0))
            .col_expr(C::NextAttemptAt, self.now())
            .col_expr(C::CompletedAt, Expr::value(None::<DateTime<Utc>>))
            .filter(C::Id.eq(id))
            .filter(C::WebhookId.eq(webhook.to_string()))
            .exec_with_returning(&self.write)
            .await
            .context("send a message to a webhook once more")?;
        Ok(again.into_iter().next().and_then(delivery))
    }

    /// Removes messages whose end is long ago.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn prune_deliveries(&self) -> Result<(), StoreError> {
        let _guard = self.lock_writes().await;
        import_webhook_delivery::Entity::delete_many()
            .filter(Expr::col(C::CompletedAt).lt(self.ago(LISTED)))
            .exec(&self.write)
            .await
            .context("remove old messages to webhooks")?;
        Ok(())
    }
}

/// `None` of a row that Loadbay did not write.
fn delivery(row: import_webhook_delivery::Model) -> Option<WebhookDelivery> {
    Some(WebhookDelivery {
        id: row.id,
        webhook: Uuid::parse_str(&row.webhook_id).ok()?,
        message_id: row.message_id,
        event: row.event,
        subject: row.subject,
        job: row.import_log_id,
        trace: row.traceparent.as_deref().and_then(TraceContext::parse),
        body: row.body,
        status: DeliveryStatus::parse(&row.status)?,
        attempts: u32::try_from(row.attempts).ok()?,
        next_attempt_at: row.next_attempt_at,
        answer: row.answer.and_then(|it| u16::try_from(it).ok()),
        error: row.error,
        millis: row.millis.map(unsigned),
        created_at: row.created_at,
        completed_at: row.completed_at,
    })
}
