//! Thinning events out: a job keeps no more of them than its bound, and loses the least telling
//! first. What was said of the job as a whole stays, the summary of its errors and its end with it.

use entity::{import_event, import_log};
use sea_orm::sea_query::{ExprTrait, Query};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::domain::event::Event;
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::events::ends;
use crate::store::log::job_row::{signed, unsigned};

/// Stored events that are read or deleted at a time.
const PART: usize = 50;

/// Which events may be thinned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PruneScope {
    /// Progress: the next one says as much.
    Progress,
    /// Progress, then what became of each row, then the other notes about rows.
    Everything,
}

/// An event as far as thinning must know it.
#[derive(Debug)]
struct EventHeader {
    number: i64,
    kind: String,
    kept: u64,
}

impl EventHeader {
    fn is_progress(&self) -> bool {
        self.kind == "progress"
    }

    fn is_rows(&self) -> bool {
        self.kind == "rows"
    }
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
            .having(C::Kept.sum().gt(signed(max)))
            .into_tuple()
            .all(&self.read)
            .await
            .context("look for jobs with many events")
    }

    /// Thins the events of a job out until at most `max` are left, always the oldest first.
    ///
    /// A tenth of the room is left to progress: without any a chart of the job would be flat.
    pub async fn prune_events(
        &self,
        id: i64,
        max: u64,
        which: PruneScope,
    ) -> Result<(), StoreError> {
        let mut events = self.known_events(id).await?;
        let kept: u64 = events.iter().map(|event| event.kept).sum();
        let mut excess = kept.saturating_sub(max);
        self.drop_progress(id, &mut events, &mut excess, max / 10).await?;
        if which == PruneScope::Everything && excess > 0 {
            self.drop_plain_rows(id, &mut events, &mut excess).await?;
            self.drop_progress(id, &mut events, &mut excess, 0).await?;
            self.drop_rows(id, &events, &mut excess).await?;
        }
        Ok(())
    }

    async fn known_events(&self, id: i64) -> Result<Vec<EventHeader>, StoreError> {
        use import_event::Column as C;
        let rows: Vec<(i64, String, i64)> = import_event::Entity::find()
            .select_only()
            .columns([C::Number, C::Kind, C::Kept])
            .filter(C::ImportLogId.eq(id))
            .order_by_asc(C::Number)
            .into_tuple()
            .all(&self.read)
            .await
            .context("look through the events")?;
        let known = |(number, kind, kept): (i64, String, i64)| EventHeader {
            number,
            kind,
            kept: unsigned(kept),
        };
        Ok(rows.into_iter().map(known).collect())
    }

    async fn drop_progress(
        &self,
        id: i64,
        events: &mut Vec<EventHeader>,
        excess: &mut u64,
        floor: u64,
    ) -> Result<(), StoreError> {
        let all = events.iter().filter(|event| event.is_progress()).count() as u64;
        let wanted = Ord::min(*excess, all.saturating_sub(floor));
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let oldest = events.iter().filter(|event| event.is_progress()).take(wanted);
        let victims: Vec<i64> = oldest.map(|event| event.number).collect();
        self.delete_events(id, &victims).await?;
        *excess -= victims.len() as u64;
        let last = victims.last().copied().unwrap_or(0);
        events.retain(|event| !event.is_progress() || event.number > last);
        Ok(())
    }

    /// Takes out of the notes what became of rows one by one; references and faults stay.
    async fn drop_plain_rows(
        &self,
        id: i64,
        events: &mut [EventHeader],
        excess: &mut u64,
    ) -> Result<(), StoreError> {
        use import_event::Column as C;
        let action = "thin the notes about rows out";
        let mut of_rows: Vec<&mut EventHeader> =
            events.iter_mut().filter(|event| event.is_rows()).collect();
        for part in of_rows.chunks_mut(PART) {
            if *excess == 0 {
                break;
            }
            let numbers = part.iter().map(|event| event.number);
            let rows = import_event::Entity::find()
                .filter(C::ImportLogId.eq(id))
                .filter(C::Number.is_in(numbers))
                .order_by_asc(C::Number)
                .all(&self.read)
                .await
                .context(action)?;
            let mut emptied = Vec::new();
            for (known, row) in part.iter_mut().zip(rows) {
                if *excess == 0 {
                    break;
                }
                let Ok(Event::Rows(mut notes)) = serde_json::from_str(&row.event) else { continue };
                notes.drop_plain_rows();
                let left = notes.notes.len() as u64;
                *excess = excess.saturating_sub(known.kept.saturating_sub(left));
                known.kept = left;
                if left == 0 {
                    emptied.push(known.number);
                } else {
                    self.replace_rows(row, &Event::Rows(notes), left).await?;
                }
            }
            self.delete_events(id, &emptied).await?;
        }
        Ok(())
    }

    async fn replace_rows(
        &self,
        row: import_event::Model,
        event: &Event,
        left: u64,
    ) -> Result<(), StoreError> {
        let mut row: import_event::ActiveModel = row.into();
        row.event = Set(serde_json::to_string(event).unwrap_or_default());
        row.kept = Set(signed(left));
        let _guard = self.lock_writes().await;
        let update = import_event::Entity::update(row).exec(&self.write).await;
        update.map(drop).context("thin the notes about rows out")
    }

    async fn drop_rows(
        &self,
        id: i64,
        events: &[EventHeader],
        excess: &mut u64,
    ) -> Result<(), StoreError> {
        let mut victims = Vec::new();
        for event in events.iter().filter(|event| event.is_rows() && event.kept > 0) {
            if *excess == 0 {
                break;
            }
            *excess = excess.saturating_sub(event.kept);
            victims.push(event.number);
        }
        self.delete_events(id, &victims).await
    }

    async fn delete_events(&self, id: i64, numbers: &[i64]) -> Result<(), StoreError> {
        for part in numbers.chunks(PART) {
            let _guard = self.lock_writes().await;
            import_event::Entity::delete_many()
                .filter(import_event::Column::ImportLogId.eq(id))
                .filter(import_event::Column::Number.is_in(part.iter().copied()))
                .exec(&self.write)
                .await
                .context("thin the events out")?;
        }
        Ok(())
    }
}
