//! The statements that make the tables of the built-in datasets, for either database.

use sea_orm::DbBackend;

/// Dataset, PostgreSQL, SQLite.
const STATEMENTS: [(&str, &str, &str); 4] = [
    (
        "dealers",
        include_str!("../../../datasets/sql/dealers.postgres.sql"),
        include_str!("../../../datasets/sql/dealers.sqlite.sql"),
    ),
    (
        "products",
        include_str!("../../../datasets/sql/products.postgres.sql"),
        include_str!("../../../datasets/sql/products.sqlite.sql"),
    ),
    (
        "swim_events",
        include_str!("../../../datasets/sql/swim_events.postgres.sql"),
        include_str!("../../../datasets/sql/swim_events.sqlite.sql"),
    ),
    (
        "transactions",
        include_str!("../../../datasets/sql/transactions.postgres.sql"),
        include_str!("../../../datasets/sql/transactions.sqlite.sql"),
    ),
];

/// The statements for a built-in dataset.
pub(super) fn statements(dataset: &str, backend: DbBackend) -> Option<&'static str> {
    let (_, postgres, sqlite) = STATEMENTS.iter().find(|(name, _, _)| *name == dataset)?;
    Some(if backend == DbBackend::Postgres { postgres } else { sqlite })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::dataset::Datasets;

    #[test]
    fn every_built_in_dataset_has_statements_for_its_tables() {
        let datasets = Datasets::embedded();
        assert_eq!(datasets.names().count(), STATEMENTS.len());
        for compiled in datasets.iter() {
            for backend in [DbBackend::Postgres, DbBackend::Sqlite] {
                let sql = statements(&compiled.dataset.name, backend).unwrap();
                let made: BTreeSet<&str> = sql
                    .split("CREATE TABLE ")
                    .skip(1)
                    .filter_map(|rest| rest.split_whitespace().next())
                    .collect();
                let tables = compiled.dataset.tables();
                assert_eq!(made, tables.iter().map(String::as_str).collect());
            }
        }
    }
}
