//! The jobs that wait, with what decides about their order. The order itself is in
//! `domain::claim_order`; it is that of `claim`.

use sea_orm::{ConnectionTrait, Statement};

use crate::domain::claim_order::WaitingJob;
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};

/// The first jobs of each client come first, so that no client is left out. When a client was served
/// is looked up once for each client, as in `claim`. Parameter: how many jobs are wanted.
const WAITING: &str = "WITH waiting AS (SELECT id, priority, coalesce(created_by, '') AS client, \
     row_number() OVER (PARTITION BY priority, created_by ORDER BY id) AS turn \
     FROM import_log WHERE import_status = 'PENDING'), \
     clients AS (SELECT client, CASE WHEN client = '' THEN \
     (SELECT max(claimed_at) FROM import_log WHERE created_by IS NULL) ELSE \
     (SELECT max(claimed_at) FROM import_log WHERE created_by = one.client) END AS served \
     FROM (SELECT DISTINCT client FROM waiting) one) \
     SELECT id, priority, waiting.client AS client, served FROM waiting \
     JOIN clients ON clients.client = waiting.client \
     ORDER BY priority DESC, turn, id LIMIT $1";

impl Store {
    /// The jobs that wait, at most `limit`. Their order holds as long as every dataset has a free slot.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn waiting(&self, limit: i64) -> Result<Vec<WaitingJob>, StoreError> {
        let action = "look at the queue";
        let statement = Statement::from_sql_and_values(self.backend(), WAITING, [limit.into()]);
        let rows = self.read.query_all_raw(statement).await.context(action)?;
        let waiting = |row: &sea_orm::QueryResult| -> Result<_, sea_orm::DbErr> {
            Ok(WaitingJob {
                id: row.try_get("", "id")?,
                priority: row.try_get("", "priority")?,
                client: row.try_get("", "client")?,
                served: row.try_get("", "served")?,
            })
        };
        rows.iter().map(waiting).collect::<Result<_, _>>().context(action)
    }
}
