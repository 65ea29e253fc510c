//! `swim_events`: the events of swimming meetings. The number of an event and its kind (heat, final)
//! tell it from the others of its meeting.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean_null, date_null, decimal_len_null, integer, integer_null,
    json_binary_null, string_len, string_len_null, timestamp_with_time_zone,
};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(swim_events(manager.get_database_backend())).await?;
        let key = "CREATE UNIQUE INDEX swim_events_key ON swim_events \
             (meeting, event_number, kind)";
        manager.get_connection().execute_unprepared(key).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("swim_events").to_owned()).await
    }
}

fn swim_events(backend: DbBackend) -> TableCreateStatement {
    // Not AUTOINCREMENT on SQLite: that writes a second table with every row.
    let mut id = big_integer("id");
    id.primary_key();
    if backend == DbBackend::Postgres {
        id.auto_increment();
    }
    Table::create()
        .table("swim_events")
        .col(id)
        .col(string_len("meeting", 255))
        .col(integer("event_number"))
        .col(string_len("kind", 1))
        .col(string_len_null("meeting_name", 255))
        .col(string_len_null("city", 255))
        .col(string_len_null("course", 2))
        .col(string_len_null("timing", 16))
        .col(integer_null("place_in_order"))
        .col(integer_null("section"))
        .col(date_null("section_date"))
        .col(string_len_null("section_start", 5))
        .col(boolean_null("start_is_relative"))
        .col(integer_null("swimmers"))
        .col(integer_null("distance"))
        .col(string_len_null("stroke", 1))
        .col(string_len_null("exercise", 2))
        .col(string_len_null("gender", 1))
        .col(string_len_null("ranking", 2))
        .col(integer_null("qualifying_event"))
        .col(string_len_null("qualifying_kind", 1))
        .col(json_binary_null("classes"))
        .col(json_binary_null("qualifying_times"))
        .col(decimal_len_null("fee", 9, 2))
        .col(timestamp_with_time_zone("created_at").default(Expr::current_timestamp()))
        .col(timestamp_with_time_zone("updated_at").default(Expr::current_timestamp()))
        .to_owned()
}
