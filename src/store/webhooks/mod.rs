//! `import_webhooks`: who is notified. Their messages are in `deliveries`.

mod deliveries;
pub(in crate::store) mod messages;

use entity::import_webhook::{self, Column as C};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, TransactionTrait,
};
use uuid::Uuid;

pub use deliveries::{AttemptEnd, DueDelivery};

use crate::domain::webhook::{Webhook, WebhookEvent, WebhookSecret};
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::as_json;

impl Store {
    /// Registers a webhook, unless there are `most` already: `None` then.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn add_webhook(
        &self,
        webhook: &Webhook,
        most: u64,
    ) -> Result<Option<Webhook>, StoreError> {
        let action = "register a webhook";
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        if import_webhook::Entity::find().count(&transaction).await.context(action)? >= most {
            transaction.rollback().await.context(action)?;
            return Ok(None);
        }
        let words: Vec<&str> = webhook.events.iter().map(|event| event.as_str()).collect();
        let created_at = self.time(&transaction).await?;
        let row = import_webhook::ActiveModel {
            id: Set(webhook.id.to_string()),
            url: Set(webhook.url.clone()),
            secret: Set(webhook.secret.0.clone()),
            events: Set(as_json(&words)),
            dataset: Set(webhook.dataset.clone()),
            enabled: Set(true),
            disabled_reason: Set(None),
            created_by: Set(webhook.created_by.clone()),
            created_at: Set(created_at),
        };
        import_webhook::Entity::insert(row)
            .exec_without_returning(&transaction)
            .await
            .context(action)?;
        transaction.commit().await.context(action)?;
        Ok(Some(Webhook { created_at, ..webhook.clone() }))
    }

    /// All webhooks, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        all(&self.read).await
    }

    /// A webhook.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn webhook(&self, id: Uuid) -> Result<Option<Webhook>, StoreError> {
        let row = import_webhook::Entity::find_by_id(id.to_string()).one(&self.read).await;
        Ok(row.context("read a webhook")?.and_then(webhook))
    }

    /// Removes a webhook with its messages; false when there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn remove_webhook(&self, id: Uuid) -> Result<bool, StoreError> {
        let _guard = self.lock_writes().await;
        let removed = import_webhook::Entity::delete_by_id(id.to_string()).exec(&self.write).await;
        Ok(removed.context("remove a webhook")?.rows_affected == 1)
    }

    /// Stores another form of the secret of a webhook, unless somebody else did since it was read.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn replace_secret(
        &self,
        webhook: &Webhook,
        secret: &WebhookSecret,
    ) -> Result<(), StoreError> {
        let _guard = self.lock_writes().await;
        import_webhook::Entity::update_many()
            .col_expr(C::Secret, Expr::value(secret.0.clone()))
            .filter(C::Id.eq(webhook.id.to_string()))
            .filter(C::Secret.eq(webhook.secret.0.clone()))
            .exec(&self.write)
            .await
            .context("seal the secret of a webhook")?;
        Ok(())
    }

    /// Lets a webhook be notified again; `None` when there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn enable_webhook(&self, id: Uuid) -> Result<Option<Webhook>, StoreError> {
        let guard = self.lock_writes().await;
        import_webhook::Entity::update_many()
            .col_expr(C::Enabled, Expr::value(true))
            .col_expr(C::DisabledReason, Expr::value(None::<String>))
            .filter(C::Id.eq(id.to_string()))
            .exec(&self.write)
            .await
            .context("enable a webhook")?;
        drop(guard);
        self.webhook(id).await
    }
}

/// Stops notifying a webhook.
async fn disable(
    transaction: &DatabaseTransaction,
    id: Uuid,
    reason: &str,
) -> Result<(), sea_orm::DbErr> {
    import_webhook::Entity::update_many()
        .col_expr(C::Enabled, Expr::value(false))
        .col_expr(C::DisabledReason, Expr::value(reason))
        .filter(C::Id.eq(id.to_string()))
        .exec(transaction)
        .await
        .map(drop)
}

async fn all(connection: &impl ConnectionTrait) -> Result<Vec<Webhook>, StoreError> {
    let rows = import_webhook::Entity::find()
        .order_by_asc(C::CreatedAt)
        .order_by_asc(C::Id)
        .all(connection)
        .await
        .context("read the webhooks")?;
    Ok(rows.into_iter().filter_map(webhook).collect())
}

/// `None` of a row that Loadbay did not write.
fn webhook(row: import_webhook::Model) -> Option<Webhook> {
    let words: Vec<String> = serde_json::from_value(row.events).ok()?;
    Some(Webhook {
        id: Uuid::parse_str(&row.id).ok()?,
        url: row.url,
        secret: WebhookSecret(row.secret),
        events: words.iter().filter_map(|word| WebhookEvent::parse(word)).collect(),
        dataset: row.dataset,
        is_enabled: row.enabled,
        disabled_reason: row.disabled_reason,
        created_by: row.created_by,
        created_at: row.created_at,
    })
}
