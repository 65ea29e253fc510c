//! The order in which waiting jobs are claimed, as `claim` has it: the highest priority first, then
//! clients in turns, then the oldest job.

use chrono::DateTime;
use sea_orm::{ConnectionTrait, Statement};

use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};

/// Each client's jobs of a priority take turns with those of the others; the client that was served
/// least recently begins. When it was served is looked up once for each client. Parameter: how many
/// jobs are wanted.
const WAITING: &str = "WITH waiting AS (SELECT id, priority, coalesce(created_by, '') AS client, \
     row_number() OVER (PARTITION BY priority, created_by ORDER BY id) AS turn \
     FROM import_log WHERE import_status = 'PENDING'), \
     clients AS (SELECT client, (SELECT max(served.claimed_at) FROM import_log served \
     WHERE served.created_by = one.client) AS served \
     FROM (SELECT DISTINCT client FROM waiting) one) \
     SELECT waiting.id AS id FROM waiting JOIN clients ON clients.client = waiting.client \
     ORDER BY waiting.priority DESC, waiting.turn, coalesce(clients.served, $1), waiting.id LIMIT $2";

impl Store {
    /// The first waiting jobs in the order in which they are claimed, as long as every dataset has a
    /// free slot.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn waiting(&self, limit: i64) -> Result<Vec<i64>, StoreError> {
        let action = "look at the queue";
        let never = DateTime::<chrono::Utc>::UNIX_EPOCH;
        let values = [never.into(), limit.into()];
        let statement = Statement::from_sql_and_values(self.backend(), WAITING, values);
        let rows = self.read.query_all_raw(statement).await.context(action)?;
        rows.iter().map(|row| row.try_get("", "id").context(action)).collect()
    }
}
