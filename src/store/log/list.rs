//! Lists of jobs, and how many jobs there are. Each list reads its page and nothing else, however many
//! jobs the table holds: every filter has an index in the order of the list.

use entity::import_log;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, Order, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select, Statement,
};

use crate::domain::job::Job;
use crate::domain::status::JobStatus;
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::{job, unsigned};
use import_log::Column as C;

/// The order of filtered lists: no index but theirs has it, so that no database looks through all
/// jobs by their numbers instead.
const NEWEST_FIRST: &str = "(-id)";

/// The order of all jobs with errors, for the same reason.
const WITH_ERRORS_FIRST: &str = "(0 - id)";

/// Dataset and status as one value: an index of one of them would lead through all jobs of the other.
const BOTH: &str = "(dataset || ' ' || import_status)";

/// The imports of a dataset, for the same reason.
const IMPORTS: &str = "(dataset || ' import')";

/// Jobs with errors, word for word as their indexes say it: with a bound value no database would know
/// that they fit.
const WITH_ERRORS: &str = "(error_count > 0 OR import_status = 'FAILED')";

/// Which jobs a list shows.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Only jobs with this status.
    pub status: Option<JobStatus>,
    /// Only jobs of this dataset.
    pub dataset: Option<String>,
    /// Only jobs that import rows of this one again, or roll it back.
    pub of: Option<i64>,
    /// Only jobs that failed or of which a row failed.
    pub with_errors: bool,
    /// Only jobs that this client created.
    pub client: Option<String>,
    /// Only jobs older than this one.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u64,
}

/// A page of the imports of a dataset, newest first.
#[derive(Debug, Clone)]
pub struct ImportsPage {
    /// The dataset.
    pub dataset: String,
    /// How many imports it has.
    pub total: u64,
    /// How many of the newest come before the page.
    pub skip: u64,
    /// At most so many.
    pub limit: u64,
}

/// Imports of a dataset: how many, and the newest of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportCount {
    /// How many.
    pub imports: u64,
    /// The number of the newest; 0 when there is none.
    pub newest: i64,
}

/// A question about many jobs.
#[derive(Debug, Clone)]
pub enum ListQuestion {
    /// Jobs, newest first.
    Jobs(JobFilter),
    /// Imports into a dataset.
    Imports(ImportsPage),
    /// How many imports of the dataset came after this job.
    ImportsAfter(String, i64),
}

impl Store {
    /// Jobs, newest first.
    pub async fn list(&self, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
        let rows = filter.select().all(&self.lists).await.context("list the jobs")?;
        rows.into_iter().map(job).collect()
    }

    /// A page of the imports of a dataset, newest first.
    pub async fn imports(&self, page: &ImportsPage) -> Result<Vec<Job>, StoreError> {
        let rows = page.select().all(&self.lists).await.context("list the newest imports")?;
        rows.into_iter().map(job).collect()
    }

    /// How many imports of a dataset came after the job `after`.
    pub async fn imports_after(
        &self,
        dataset: &str,
        after: i64,
    ) -> Result<ImportCount, StoreError> {
        let counted: Option<(i64, Option<i64>)> = count_after(dataset, after)
            .into_tuple()
            .one(&self.lists)
            .await
            .context("count the imports")?;
        let (imports, newest) = counted.unwrap_or_default();
        Ok(ImportCount { imports: unsigned(imports), newest: newest.unwrap_or_default() })
    }

    /// How the database finds the answer to a question: the lines of its EXPLAIN.
    pub async fn plan(&self, question: &ListQuestion) -> Result<Vec<String>, StoreError> {
        let (backend, action) = (self.backend(), "explain a list");
        let Statement { sql, values, .. } = match question {
            ListQuestion::Jobs(filter) => filter.select().build(backend),
            ListQuestion::Imports(page) => page.select().build(backend),
            ListQuestion::ImportsAfter(dataset, after) => {
                count_after(dataset, *after).build(backend)
            }
        };
        let (explain, column) = match backend {
            DbBackend::Sqlite => ("EXPLAIN QUERY PLAN", "detail"),
            _ => ("EXPLAIN", "QUERY PLAN"),
        };
        let values = values.map(|values| values.0).unwrap_or_default();
        let explain = Statement::from_sql_and_values(backend, format!("{explain} {sql}"), values);
        let rows = self.lists.query_all_raw(explain).await.context(action)?;
        rows.iter().map(|row| row.try_get("", column)).collect::<Result<_, _>>().context(action)
    }
}

impl JobFilter {
    fn select(&self) -> Select<import_log::Entity> {
        let mut jobs = import_log::Entity::find().limit(self.limit);
        if self.with_errors {
            jobs = jobs.filter(Expr::cust(WITH_ERRORS));
        }
        let status = self.status.map(JobStatus::as_stored);
        if let Some(client) = &self.client {
            return self.of_client(jobs, client, status);
        }
        let jobs = match (self.dataset.as_deref(), status) {
            (None, None) if self.of.is_some() || !self.with_errors => return self.by_number(jobs),
            (None, None) => return self.in_order(jobs, WITH_ERRORS_FIRST),
            (None, Some(status)) if self.of.is_none() => jobs.filter(C::ImportStatus.eq(status)),
            (Some(dataset), None) if self.of.is_none() => jobs.filter(C::Dataset.eq(dataset)),
            (Some(dataset), Some(status)) => {
                jobs.filter(Expr::cust(BOTH).eq(format!("{dataset} {status}")))
            }
            // A job has few children: what else is asked must not lead to an index of all jobs.
            (None, Some(status)) => jobs.filter(Expr::cust("(import_status || '')").eq(status)),
            (Some(dataset), None) => jobs.filter(Expr::cust("(dataset || '')").eq(dataset)),
        };
        if self.of.is_some() {
            return self.by_number(jobs);
        }
        self.in_order(jobs, NEWEST_FIRST)
    }

    /// The jobs of one client are in the order of its index; what else is asked must not lead to
    /// another one.
    fn of_client(
        &self,
        mut jobs: Select<import_log::Entity>,
        client: &str,
        status: Option<&'static str>,
    ) -> Select<import_log::Entity> {
        if let Some(status) = status {
            jobs = jobs.filter(Expr::cust("(import_status || '')").eq(status));
        }
        if let Some(dataset) = &self.dataset {
            jobs = jobs.filter(Expr::cust("(dataset || '')").eq(dataset.as_str()));
        }
        if self.of.is_some() {
            return self.by_number(jobs.filter(Expr::cust("(created_by || '')").eq(client)));
        }
        self.in_order(jobs.filter(C::CreatedBy.eq(client)), NEWEST_FIRST)
    }

    fn in_order(
        &self,
        mut jobs: Select<import_log::Entity>,
        order: &'static str,
    ) -> Select<import_log::Entity> {
        if let Some(before) = self.before {
            jobs = jobs.filter(Expr::cust(order).gt(-before));
        }
        jobs.order_by_asc(Expr::cust(order))
    }

    fn by_number(&self, mut jobs: Select<import_log::Entity>) -> Select<import_log::Entity> {
        if let Some(of) = self.of {
            jobs = jobs.filter(C::Id.in_subquery(children(of)));
        }
        if let Some(before) = self.before {
            jobs = jobs.filter(C::Id.lt(before));
        }
        jobs.order_by_desc(C::Id)
    }
}

/// The jobs that import rows of the job `of` again, or roll it back.
fn children(of: i64) -> SelectStatement {
    let by = |column: C| {
        Query::select().column(C::Id).from(import_log::Entity).and_where(column.eq(of)).take()
    };
    by(C::RetryOf)
        .union(UnionType::All, by(C::RollbackOf))
        .union(UnionType::All, by(C::Confirms))
        .take()
}

impl ImportsPage {
    fn select(&self) -> Select<import_log::Entity> {
        // What is skipped is read, so the nearer end of the index is where the page is counted from.
        let left = self.total.saturating_sub(self.skip);
        let (order, skip, limit) = if self.skip > self.total / 2 {
            (Order::Desc, left.saturating_sub(self.limit), Ord::min(self.limit, left))
        } else {
            (Order::Asc, self.skip, self.limit)
        };
        let numbers = imports(&self.dataset)
            .select_only()
            .column(C::Id)
            .order_by(Expr::cust(NEWEST_FIRST), order)
            .offset(skip)
            .limit(limit)
            .into_query();
        // The rows are read for the page alone, and what is skipped in the index.
        let page = Expr::col(C::Id).in_subquery(numbers);
        import_log::Entity::find().filter(page).order_by_desc(C::Id)
    }
}

fn imports(dataset: &str) -> Select<import_log::Entity> {
    let of_dataset = Expr::cust(IMPORTS).eq(format!("{dataset} import"));
    import_log::Entity::find()
        .filter(of_dataset)
        .filter(C::RollbackOf.is_null())
        .filter(Expr::cust("NOT dry_run"))
}

fn count_after(dataset: &str, after: i64) -> Select<import_log::Entity> {
    imports(dataset)
        .filter(Expr::cust(NEWEST_FIRST).lt(-after))
        .select_only()
        .column_as(C::Id.count(), "imports")
        .column_as(C::Id.max(), "newest")
}
