//! What clients ask for: register, list, remove, try out, look at messages, send one again.

use chrono::Utc;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::error::WebhookError;
use super::seal::{SecretsKeys, SecretsState};
use super::signature;
use crate::domain::webhook::{NewMessage, Webhook, WebhookDelivery, WebhookEvent};
use crate::files::Sender;
use crate::store::Store;

/// Webhooks of one database: each end of a job makes a message for every one.
const WEBHOOKS_MAX: u64 = 20;

/// A webhook that is to be registered.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// Where messages go.
    pub url: String,
    /// What they are signed with; `None` for a new secret.
    pub secret: Option<String>,
    /// Of what it is notified.
    pub events: Vec<WebhookEvent>,
    /// Only of this dataset.
    pub dataset: Option<String>,
    /// Who registers it.
    pub created_by: Option<String>,
}

/// All webhooks; cheap to clone.
#[derive(Debug, Clone)]
pub struct Webhooks {
    store: Store,
    sender: Sender,
    secrets: SecretsKeys,
    runtime: Handle,
}

impl Webhooks {
    /// What asks the database on the runtime of the caller.
    #[must_use]
    pub fn new(store: Store, sender: Sender, secrets: SecretsKeys) -> Self {
        Self { store, sender, secrets, runtime: Handle::current() }
    }

    /// Seals the secrets that do not lie as this server stores them: those of a time without a key, and
    /// those of an older key. Gives how they stand then.
    ///
    /// # Errors
    /// The store's; `Sealed` when the system has no random bytes.
    pub async fn seal_stored(&self) -> Result<SecretsState, WebhookError> {
        let secrets = self.secrets.clone();
        self.on_runtime(move |store| async move {
            for webhook in store.webhooks().await? {
                let is_to_be_sealed = !secrets.is_empty() && !secrets.is_as_sealed_now(&webhook);
                if is_to_be_sealed && let Ok(secret) = secrets.open(&webhook) {
                    let sealed = secrets.seal(webhook.id, &secret)?;
                    store.replace_secret(&webhook, &sealed).await?;
                }
            }
            Ok(secrets.state_of(&store.webhooks().await?))
        })
        .await
    }

    /// True of a secret that messages can be signed with.
    #[must_use]
    pub fn is_secret(text: &str) -> bool {
        signature::secret(text).is_some()
    }

    /// Registers a webhook; gives it with its secret as messages are signed with it.
    ///
    /// # Errors
    /// `Address` when nothing may be sent there, `TooMany`; else the store's.
    pub async fn add(&self, new: NewWebhook) -> Result<Webhook, WebhookError> {
        self.sender.check(&new.url).map_err(WebhookError::Address)?;
        let secret = match &new.secret {
            Some(text) => signature::secret(text),
            None => signature::new_secret(),
        };
        let (id, secret) = (Uuid::new_v4(), secret.ok_or(WebhookError::Secret)?);
        let webhook = Webhook {
            id,
            url: new.url,
            secret: self.secrets.seal(id, &secret)?,
            events: new.events,
            dataset: new.dataset,
            is_enabled: true,
            disabled_reason: None,
            created_by: new.created_by,
            created_at: Utc::now(),
        };
        self.on_runtime(move |store| async move {
            let added = store.add_webhook(&webhook, WEBHOOKS_MAX).await?;
            let added = added.ok_or(WebhookError::TooMany(WEBHOOKS_MAX))?;
            Ok(Webhook { secret, ..added })
        })
        .await
    }

    /// All of them, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self) -> Result<Vec<Webhook>, WebhookError> {
        self.on_runtime(|store| async move { Ok(store.webhooks().await?) }).await
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`; else the store's.
    pub async fn get(&self, id: Uuid) -> Result<Webhook, WebhookError> {
        self.on_runtime(move |store| async move { found(&store, id).await }).await
    }

    /// Removes one with its messages; gives it as it was.
    ///
    /// # Errors
    /// `NotFound`; else the store's.
    pub async fn remove(&self, id: Uuid) -> Result<Webhook, WebhookError> {
        self.on_runtime(move |store| async move {
            let webhook = found(&store, id).await?;
            if store.remove_webhook(id).await? {
                Ok(webhook)
            } else {
                Err(WebhookError::NotFound(id))
            }
        })
        .await
    }

    /// Lets one be notified again that was disabled.
    ///
    /// # Errors
    /// `NotFound`; else the store's.
    pub async fn enable(&self, id: Uuid) -> Result<Webhook, WebhookError> {
        self.on_runtime(move |store| async move {
            store.enable_webhook(id).await?.ok_or(WebhookError::NotFound(id))
        })
        .await
    }

    /// Sends a message that says nothing; gives it as it stands before the first attempt.
    ///
    /// # Errors
    /// `NotFound`; else the store's.
    pub async fn test(&self, id: Uuid) -> Result<WebhookDelivery, WebhookError> {
        self.on_runtime(move |store| async move {
            let webhook = found(&store, id).await?;
            let message = NewMessage::test(id, Uuid::new_v4(), Utc::now());
            store.add_message(&webhook, &message).await?;
            let newest = store.deliveries(id, None, 20).await?;
            let made = newest.into_iter().find(|delivery| delivery.subject == message.subject);
            made.ok_or(WebhookError::NotFound(id))
        })
        .await
    }

    /// Its messages, newest first, behind the one numbered `before`.
    ///
    /// # Errors
    /// `NotFound`; else the store's.
    pub async fn deliveries(
        &self,
        id: Uuid,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<WebhookDelivery>, WebhookError> {
        self.on_runtime(move |store| async move {
            found(&store, id).await?;
            Ok(store.deliveries(id, before, limit).await?)
        })
        .await
    }

    /// Sends a message again.
    ///
    /// # Errors
    /// `NotFound`, `NoDelivery`; else the store's.
    pub async fn redeliver(
        &self,
        id: Uuid,
        delivery: i64,
    ) -> Result<WebhookDelivery, WebhookError> {
        self.on_runtime(move |store| async move {
            found(&store, id).await?;
            let again = store.redeliver(id, delivery).await?;
            again.ok_or(WebhookError::NoDelivery { webhook: id, delivery })
        })
        .await
    }

    /// No call of the database is cut off half-way by a client that goes away.
    async fn on_runtime<T, F>(
        &self,
        work: impl FnOnce(Store) -> F + Send + 'static,
    ) -> Result<T, WebhookError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, WebhookError>> + Send + 'static,
    {
        let store = self.store.clone();
        let work = self.runtime.spawn(async move { work(store).await });
        work.await.unwrap_or(Err(WebhookError::Panicked))
    }
}

async fn found(store: &Store, id: Uuid) -> Result<Webhook, WebhookError> {
    store.webhook(id).await?.ok_or(WebhookError::NotFound(id))
}
