//! The time in which a job runs, added up by every change of its row: from one change to the next,
//! as long as somebody owns it. A crash loses the time since the last change and nothing else.

use entity::import_log::{self, Column as C};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func};
use sea_orm::{DbBackend, UpdateMany};

use crate::domain::run_time::PACE_PERIOD_MILLIS;
use crate::store::log::job_row::signed;

/// Somebody runs the job.
const RUNS: &str = "import_status = 'PROCESSING' AND lease_owner IS NOT NULL \
    AND lease_expires_at IS NOT NULL";

const DAY_MILLIS: i64 = 86_400_000;

/// Changes the job at `now`: the time since its last change counts if it ran.
pub(in crate::store) fn touched(
    update: UpdateMany<import_log::Entity>,
    backend: DbBackend,
    now: &Expr,
) -> UpdateMany<import_log::Entity> {
    update
        .col_expr(C::RunMs, Expr::col(C::RunMs).add(ran_since(backend, now)))
        .col_expr(C::UpdatedAt, now.clone())
}

/// The same for a step in which a run writes no rows: its pace does not suffer from it.
pub(in crate::store) fn touched_between_rows(
    update: UpdateMany<import_log::Entity>,
    backend: DbBackend,
    now: &Expr,
) -> UpdateMany<import_log::Entity> {
    let later = |column: C| Expr::col(column).add(ran_since(backend, now));
    touched(update, backend, now)
        .col_expr(C::PaceMs, later(C::PaceMs))
        .col_expr(C::NextPaceMs, later(C::NextPaceMs))
}

/// The same for a chunk: the time over which the pace is measured begins anew when the next one is
/// long enough.
pub(in crate::store) fn touched_by_rows(
    update: UpdateMany<import_log::Entity>,
    backend: DbBackend,
    now: &Expr,
) -> UpdateMany<import_log::Entity> {
    let is_over = || {
        let ran = Expr::col(C::RunMs).sub(Expr::col(C::NextPaceMs));
        ran.gte(signed(PACE_PERIOD_MILLIS))
    };
    let mut update = touched(update, backend, now);
    for (column, next) in [
        (C::PaceRows, C::NextPaceRows),
        (C::PaceMs, C::NextPaceMs),
        (C::NextPaceRows, C::ProcessedRows),
        (C::NextPaceMs, C::RunMs),
    ] {
        let value = Expr::case(is_over(), Expr::col(next)).finally(Expr::col(column));
        update = update.col_expr(column, value.into());
    }
    update
}

/// Milliseconds since the last change of a job that runs; 0 of any other.
fn ran_since(backend: DbBackend, now: &Expr) -> Expr {
    let (now, before) = (now.clone(), Expr::col(C::UpdatedAt));
    let millis: Expr = if backend == DbBackend::Postgres {
        let seconds = Func::cust(Alias::new("date_part")).arg("epoch").arg(now.sub(before));
        Expr::from(seconds).mul(1_000).cast_as(Alias::new("bigint"))
    } else {
        let day = |time: Expr| Expr::from(Func::cust(Alias::new("julianday")).arg(time));
        let millis = day(now).sub(day(before)).mul(DAY_MILLIS);
        Expr::from(Func::round(millis)).cast_as(Alias::new("integer"))
    };
    // Clocks may go back.
    let greatest = if backend == DbBackend::Postgres { "greatest" } else { "max" };
    let millis = Func::cust(Alias::new(greatest)).arg(0_i64).arg(millis);
    Expr::case(Expr::cust(RUNS), Expr::from(millis)).finally(0_i64).into()
}
