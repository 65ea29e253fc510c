//! Prunes stored events: a job keeps no more of them than its bound. Whole stored events are
//! deleted, oldest first. The log, the summary of the errors and the end of the job always stay.

use entity::{import_event, import_log};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SimpleExpr};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::events::ends;
use crate::store::log::job_row::{signed, unsigned};

/// Stored events that one statement deletes.
const EVENTS_PER_DELETE: usize = 500;

/// Which events may be pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PruneScope {
    /// Progress: the next progress event says as much.
    Progress,
    /// Progress, then the batches of row events. Row errors also stand in `import_errors`.
    ProgressAndRows,
}

/// A stored event as far as pruning must know it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct EventSize {
    number: i64,
    kind: String,
    /// How many numbers it takes.
    count: u64,
}

impl Store {
    /// Jobs that are over and still have more than `max` events.
    pub async fn ended_with_events_over(&self, max: u64) -> Result<Vec<i64>, StoreError> {
        use import_event::Column as C;
        let ended = Query::select()
            .column(import_log::Column::Id)
            .from(import_log::Entity)
            .cond_where(import_log::Column::ImportStatus.is_in(ends()))
            .and_where(import_log::Column::EventCount.gt(signed(max)))
            .take();
        import_event::Entity::find()
            .select_only()
            .column(C::ImportLogId)
            .filter(C::ImportLogId.in_subquery(ended))
            .group_by(C::ImportLogId)
            .having(count().sum().gt(signed(max)))
            .into_tuple()
            .all(&self.read)
            .await
            .context("look for jobs with many events")
    }

    /// Deletes events of a job until at most `max` are left, as far as `scope` allows.
    pub async fn prune_events(
        &self,
        id: i64,
        max: u64,
        scope: PruneScope,
    ) -> Result<(), StoreError> {
        let events = self.event_sizes(id).await?;
        for numbers in pruned(&events, max, scope).chunks(EVENTS_PER_DELETE) {
            let _guard = self.lock_writes().await;
            import_event::Entity::delete_many()
                .filter(import_event::Column::ImportLogId.eq(id))
                .filter(import_event::Column::Number.is_in(numbers.iter().copied()))
                .exec(&self.write)
                .await
                .context("prune the events of a job")?;
        }
        Ok(())
    }

    async fn event_sizes(&self, id: i64) -> Result<Vec<EventSize>, StoreError> {
        use import_event::Column as C;
        let rows: Vec<(i64, String, i64)> = import_event::Entity::find()
            .select_only()
            .columns([C::Number, C::Kind])
            .expr_as(count(), "count")
            .filter(C::ImportLogId.eq(id))
            .order_by_asc(C::Number)
            .into_tuple()
            .all(&self.read)
            .await
            .context("look through the events of a job")?;
        let size = |(number, kind, count)| EventSize { number, kind, count: unsigned(count) };
        Ok(rows.into_iter().map(size).collect())
    }
}

/// How many numbers a stored event takes.
fn count() -> SimpleExpr {
    use import_event::Column as C;
    Expr::col(C::Number).sub(Expr::col(C::FirstNumber)).add(1)
}

/// The numbers of the events that go. A tenth of `max` is left to the newest progress as long as
/// batches of row events can go instead: the page draws the pace of the job from progress.
fn pruned(events: &[EventSize], max: u64, scope: PruneScope) -> Vec<i64> {
    let of_kind = |kind: &str| events.iter().filter(|it| it.kind == kind).collect::<Vec<_>>();
    let (mut order, batches) = (of_kind("progress"), of_kind("rows"));
    let spared = usize::try_from(max / 10).unwrap_or(usize::MAX);
    let recent = order.split_off(order.len().saturating_sub(spared));
    if scope == PruneScope::ProgressAndRows {
        order.extend(batches.into_iter().chain(recent));
    }
    let mut excess = events.iter().map(|event| event.count).sum::<u64>().saturating_sub(max);
    let goes = |event: &&EventSize| {
        let is_over = excess > 0;
        excess = excess.saturating_sub(event.count);
        is_over
    };
    order.into_iter().take_while(goes).map(|event| event.number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(kinds: &[(&str, u64)]) -> Vec<EventSize> {
        let mut number = 0;
        let event = |(kind, count): &(&str, u64)| {
            number += signed(*count);
            EventSize { number, kind: (*kind).to_owned(), count: *count }
        };
        kinds.iter().map(event).collect()
    }

    #[test]
    fn the_oldest_progress_goes_first_then_the_oldest_batches() {
        let chunk = [("rows", 10), ("progress", 1)];
        let mut kinds = vec![("log", 1)];
        kinds.extend([chunk, chunk, chunk, chunk].concat());
        kinds.push(("complete", 1));
        let events = events(&kinds);
        let all = PruneScope::ProgressAndRows;
        assert_eq!(pruned(&events, 46, all), [] as [i64; 0]);
        assert_eq!(pruned(&events, 44, all), [11]);
        assert_eq!(pruned(&events, 30, all), [12, 11, 22]);
        assert_eq!(pruned(&events, 30, PruneScope::Progress), [12]);
        assert_eq!(pruned(&events, 1, all), [12, 23, 34, 45, 11, 22, 33, 44]);
    }
}
