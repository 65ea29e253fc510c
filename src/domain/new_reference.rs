//! Records of other tables that an import would create because rows name them: found by a preview and a
//! dry run, each with the name of the table that it is most like. Knows no table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::limits::{NEW_REFERENCES_KEPT_MAX, NEW_REFERENCES_SHOWN_MAX};
use super::row_number::RowNumber;
use super::similar::SimilarNames;

/// What would be created, by the dataset's column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NewReferences(BTreeMap<String, NewReferencesOfColumn>);

/// What the cells of one column would create.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct NewReferencesOfColumn {
    /// The table that would get the records.
    table: String,
    /// By the small letters of the name: records are found whatever the letter case.
    names: BTreeMap<String, NewReferenceName>,
    /// There are more names than are kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    more: bool,
}

/// A name that no record has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewReferenceName {
    /// As the first row has it.
    name: String,
    /// Rows that name it.
    rows: u64,
    /// The first of them.
    first_row: RowNumber,
    /// The name of the table that it is most like, if it is like any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nearest: Option<NearestName>,
}

/// A name that is in the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NearestName {
    name: String,
    /// How alike the names are, from 0.6 to 1.
    confidence: f64,
}

/// The names of one column as clients see them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NewReferencesView<'a> {
    column: &'a str,
    table: &'a str,
    names: Vec<&'a NewReferenceName>,
    /// The file has more such names than are listed.
    more: bool,
}

impl NewReferences {
    /// True when nothing would be created.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The columns that name them.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Adds rows of a column that name the same.
    pub fn add(&mut self, column: &str, table: &str, name: &str, rows: (u64, RowNumber)) {
        let (rows, first_row) = rows;
        let new = NewReferenceName { name: name.to_owned(), rows, first_row, nearest: None };
        self.of(column, table).add(name.to_lowercase(), new);
    }

    /// Adds what other rows would create.
    pub fn merge(&mut self, other: &Self) {
        for (column, others) in &other.0 {
            let own = self.of(column, &others.table);
            own.more |= others.more;
            for (key, name) in &others.names {
                own.add(key.clone(), name.clone());
            }
        }
    }

    /// Looks for the name of the table that each name of `column` is most like.
    pub fn compare(&mut self, column: &str, stored: &SimilarNames) {
        for new in self.0.get_mut(column).into_iter().flat_map(|of| of.names.values_mut()) {
            new.nearest = stored
                .nearest(&new.name)
                .map(|(name, confidence)| NearestName { name: name.to_owned(), confidence });
        }
    }

    /// Forgets names beyond those that are shown.
    pub fn keep_shown(&mut self) {
        for of in self.0.values_mut() {
            let shown = of.shown();
            if shown.len() < of.names.len() {
                let shown = shown.into_iter().map(|new| (new.name.to_lowercase(), new.clone()));
                (of.names, of.more) = (shown.collect(), true);
            }
        }
    }

    /// As clients see them.
    #[must_use]
    pub fn views(&self) -> Vec<NewReferencesView<'_>> {
        let of_columns = self.0.iter();
        let views = of_columns.map(|(column, of)| {
            let names = of.shown();
            let more = of.more || names.len() < of.names.len();
            NewReferencesView { column, table: &of.table, names, more }
        });
        views.collect()
    }

    fn of(&mut self, column: &str, table: &str) -> &mut NewReferencesOfColumn {
        self.0.entry(column.to_owned()).or_insert_with(|| NewReferencesOfColumn {
            table: table.to_owned(),
            ..NewReferencesOfColumn::default()
        })
    }
}

impl NewReferencesOfColumn {
    fn add(&mut self, key: String, new: NewReferenceName) {
        if let Some(known) = self.names.get_mut(&key) {
            known.rows += new.rows;
            if new.first_row < known.first_row {
                (known.name, known.first_row) = (new.name, new.first_row);
            }
        } else if self.names.len() < NEW_REFERENCES_KEPT_MAX {
            self.names.insert(key, new);
        } else {
            self.more = true;
        }
    }

    /// Those that are shown: first the ones that may be slips, the likeliest in front, then those of the
    /// most rows.
    fn shown(&self) -> Vec<&NewReferenceName> {
        let confidence =
            |new: &NewReferenceName| new.nearest.as_ref().map_or(0.0, |it| it.confidence);
        let mut names: Vec<&NewReferenceName> = self.names.values().collect();
        names.sort_by(|a, b| {
            let likelier = confidence(b).total_cmp(&confidence(a));
            likelier.then(b.rows.cmp(&a.rows)).then(a.first_row.cmp(&b.first_row))
        });
        names.truncate(NEW_REFERENCES_SHOWN_MAX);
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u32) -> RowNumber {
        RowNumber::new(number)
    }

    fn shown(new: &NewReferences) -> serde_json::Value {
        serde_json::to_value(new.views()).unwrap()
    }

    #[test]
    fn names_are_counted_whatever_their_letters() {
        let (mut one, mut other) = (NewReferences::default(), NewReferences::default());
        one.add("brand", "brands", "ACME", (2, row(5)));
        other.add("brand", "brands", "Acme", (1, row(2)));
        other.add("form", "forms", "Pill", (1, row(2)));
        one.merge(&other);
        one.compare("brand", &SimilarNames::new(["Acne", "Other"]));
        let stored = serde_json::to_value(&one).unwrap();
        assert_eq!(serde_json::from_value::<NewReferences>(stored).unwrap(), one);
        assert_eq!(
            shown(&one),
            serde_json::json!([
                {"column": "brand", "table": "brands", "more": false, "names": [
                    {"name": "Acme", "rows": 3, "firstRow": 2, "nearest": {"name": "Acne", "confidence": 0.75}},
                ]},
                {"column": "form", "table": "forms", "more": false, "names": [
                    {"name": "Pill", "rows": 1, "firstRow": 2},
                ]},
            ])
        );
    }

    #[test]
    fn slips_stay_when_there_are_too_many_names() {
        let mut new = NewReferences::default();
        let last = u32::try_from(NEW_REFERENCES_KEPT_MAX).unwrap() - 1;
        for number in 0..last {
            new.add("brand", "brands", &format!("{number:05}"), (1, row(number + 2)));
        }
        new.add("brand", "brands", "Dilusion", (1, row(last + 2)));
        new.add("brand", "brands", "one too many", (1, row(last + 3)));
        new.compare("brand", &SimilarNames::new(["Dilution"]));
        new.keep_shown();
        let shown = &shown(&new)[0];
        assert_eq!(shown["names"].as_array().unwrap().len(), NEW_REFERENCES_SHOWN_MAX);
        assert_eq!(
            (&shown["names"][0]["name"], &shown["more"]),
            (&"Dilusion".into(), &true.into())
        );
    }
}
