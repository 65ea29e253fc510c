//! The tables of datasets: those of the built-in ones are made when they are first used, beside
//! whatever else the database holds. What other programs made is never touched.

mod built_in;
mod ddl;
mod details;
mod found;
mod joins;

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement, TransactionTrait};

use crate::dataset::model::Dataset;
use crate::store::connection::migrate::MIGRATION_LOCK;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::{Database, Store};

const ACTION: &str = "create the tables of a dataset";

/// What became of the request to make the tables of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TablesCreated {
    /// They were made.
    Created,
    /// All of them are there.
    AllThere,
    /// Some are there and some are not: they may be another program's, so nothing was made.
    SomeThere(Vec<String>),
    /// The database refuses to make them; what it answers.
    Refused(String),
    /// The dataset is not built in.
    NotBuiltIn,
}

impl Store {
    /// Makes the tables of a built-in dataset where none of them is there; all of them or none.
    ///
    /// # Errors
    /// When the database does not answer, or has no room.
    pub async fn create_built_in_tables(
        &self,
        dataset: &Dataset,
    ) -> Result<TablesCreated, StoreError> {
        let Some(statements) = built_in::statements(&dataset.name, self.backend()) else {
            return Ok(TablesCreated::NotBuiltIn);
        };
        let tables = dataset.tables();
        // Most starts find them: these wait for nobody.
        let there = self.own_tables_among(&self.read, &tables).await?;
        if there.len() == tables.len() {
            return Ok(TablesCreated::AllThere);
        }
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(ACTION)?;
        self.lock_migrations(&transaction).await?;
        let there = self.own_tables_among(&transaction, &tables).await?;
        if there.len() == tables.len() {
            return Ok(TablesCreated::AllThere);
        }
        if !there.is_empty() {
            return Ok(TablesCreated::SomeThere(there));
        }
        match transaction.execute_unprepared(statements).await.context(ACTION) {
            Ok(_) => {}
            Err(error) if error.is_transient() || error.is_storage_full() => return Err(error),
            Err(error) => {
                let answer = error.answer_text().unwrap_or_else(|| error.to_string());
                return Ok(TablesCreated::Refused(answer));
            }
        }
        transaction.commit().await.context(ACTION)?;
        Ok(TablesCreated::Created)
    }

    /// The statements that make the tables of a dataset: of a built-in one all of them, else those that
    /// are missing.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn table_statements(
        &self,
        dataset: &Dataset,
        is_built_in: bool,
    ) -> Result<Vec<String>, StoreError> {
        if is_built_in {
            let statements = built_in::statements(&dataset.name, self.backend());
            return Ok(statements.map(str::to_owned).into_iter().collect());
        }
        let shapes = self.shapes(dataset.tables()).await?;
        Ok(ddl::statements(dataset, self.backend(), &|table| shapes.get(table).cloned()))
    }

    /// Makes those tables of a dataset that are missing: all of them or none, where the role would
    /// make its tables.
    ///
    /// # Errors
    /// When the database does not answer, or has no room.
    pub async fn create_missing_tables(
        &self,
        dataset: &Dataset,
    ) -> Result<TablesCreated, StoreError> {
        if self.table_statements(dataset, false).await?.is_empty() {
            return Ok(TablesCreated::AllThere);
        }
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(ACTION)?;
        self.lock_migrations(&transaction).await?;
        // Another server may have made them meanwhile.
        let statements = self.table_statements_within(&transaction, dataset).await?;
        if let Database::Postgres { sessions } = &self.kind
            && let Some(home) = &sessions.home
        {
            let set = format!("SET LOCAL search_path = {}", home.search_path_of_role);
            transaction.execute_unprepared(&set).await.context(ACTION)?;
        }
        for statement in &statements {
            match transaction.execute_unprepared(statement).await.context(ACTION) {
                Ok(_) => {}
                Err(error) if error.is_transient() || error.is_storage_full() => {
                    return Err(error);
                }
                Err(error) => {
                    let answer = error.answer_text().unwrap_or_else(|| error.to_string());
                    return Ok(TablesCreated::Refused(answer));
                }
            }
        }
        transaction.commit().await.context(ACTION)?;
        Ok(TablesCreated::Created)
    }

    async fn table_statements_within(
        &self,
        transaction: &DatabaseTransaction,
        dataset: &Dataset,
    ) -> Result<Vec<String>, StoreError> {
        let mut shapes = BTreeMap::new();
        for table in dataset.tables() {
            if let Some(shape) = self.shape_within(transaction, &table).await? {
                shapes.insert(table, shape);
            }
        }
        Ok(ddl::statements(dataset, self.backend(), &|table| shapes.get(table).cloned()))
    }

    /// Waits until no other server makes tables. None will until the transaction ends.
    async fn lock_migrations(&self, transaction: &DatabaseTransaction) -> Result<(), StoreError> {
        if let Database::Postgres { .. } = self.kind {
            let lock = Statement::from_sql_and_values(
                DbBackend::Postgres,
                "SELECT pg_advisory_xact_lock($1)",
                [MIGRATION_LOCK.into()],
            );
            transaction.execute_raw(lock).await.context("wait for another server's tables")?;
        }
        Ok(())
    }
}
