//! The records of other tables that rows name ("masters"): which name is which id.
//!
//! KnownNames are compared whatever their letter case. What a transaction creates counts only once it is
//! committed: [`References::rolled_back`] takes it back.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use crate::domain::limits::REFERENCES_MAX;
use crate::domain::record::{Records, Value};
use crate::store::chunk::outcome::NewReference;
use crate::store::chunk::target::{ReferenceTarget, Target};

/// The references of one target.
#[derive(Debug, Default)]
pub(in crate::store) struct References {
    tables: Vec<KnownNames>,
    /// What the open transaction created.
    created: Vec<NewReference>,
    /// What was told of a dry run, which creates the same in every chunk.
    told: HashSet<(String, String)>,
}

/// One reference field and the names known of its table.
#[derive(Debug)]
struct KnownNames {
    field: usize,
    reference: ReferenceTarget,
    /// By the name as written somewhere and by its lower case.
    ids: HashMap<String, Uuid>,
    /// Keys of `ids` that the open transaction added.
    fresh: Vec<String>,
    /// The dataset's column.
    column: String,
    /// KnownNames, in lower case, that the database refused to create in the open transaction, and why.
    refused: HashMap<String, String>,
}

/// A name that no known record has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct MissingReference {
    /// Which reference of the target.
    pub(in crate::store) reference: usize,
    /// The name as the first row writes it.
    pub(in crate::store) name: String,
    /// The first record that names it.
    pub(in crate::store) record: usize,
}

impl References {
    pub(in crate::store) fn new(target: &Target) -> Self {
        let of = |(field, it): (usize, &crate::store::chunk::target::TargetField)| {
            it.reference.clone().map(|reference| KnownNames {
                field,
                column: it.column.clone(),
                reference,
                ids: HashMap::new(),
                fresh: Vec::new(),
                refused: HashMap::new(),
            })
        };
        let tables = target.fields.iter().enumerate().filter_map(of).collect();
        Self { tables, ..Self::default() }
    }

    /// The references in order; `Missing::reference` counts along it.
    pub(in crate::store) fn iter(&self) -> impl Iterator<Item = &ReferenceTarget> {
        self.tables.iter().map(|names| &names.reference)
    }

    /// The reference numbered `index`.
    pub(in crate::store) fn get(&self, index: usize) -> Option<&ReferenceTarget> {
        self.tables.get(index).map(|names| &names.reference)
    }

    /// Notes a record that is in the table for good.
    pub(in crate::store) fn know(&mut self, reference: usize, name: &str, id: Uuid) {
        if let Some(names) = self.tables.get_mut(reference) {
            names.ids.insert(name.to_lowercase(), id);
        }
    }

    /// Notes a record that the open transaction found or created.
    pub(in crate::store) fn learn(&mut self, reference: usize, name: &str, id: Uuid) {
        if let Some(names) = self.tables.get_mut(reference) {
            names.add(name.to_lowercase(), id);
        }
    }

    /// Notes that the open transaction created a record.
    pub(in crate::store) fn created(&mut self, missing: &MissingReference) {
        if let Some(names) = self.tables.get(missing.reference) {
            self.created.push(NewReference {
                column: names.column.clone(),
                table: names.reference.table.clone(),
                name: missing.name.clone(),
                record: missing.record,
            });
        }
    }

    /// What the open transaction created, for the one who tells it; of a dry run, which takes it
    /// back each time, each once.
    pub(in crate::store) fn take_created(&mut self, dry_run: bool) -> Vec<NewReference> {
        let mut created = std::mem::take(&mut self.created);
        if dry_run {
            created.retain(|it| self.told.insert((it.column.clone(), it.name.to_lowercase())));
        }
        created
    }

    /// Notes that the database refused to create a record.
    pub(in crate::store) fn refuse(&mut self, reference: usize, name: &str, answer: String) {
        if let Some(names) = self.tables.get_mut(reference) {
            names.refused.insert(name.to_lowercase(), answer);
        }
    }

    /// Why the record that the value in `field` names was not created.
    pub(in crate::store) fn refusal(&self, field: usize, name: &str) -> Option<&str> {
        let names = self.tables.iter().find(|names| names.field == field)?;
        names.refused.get(&name.to_lowercase()).map(String::as_str)
    }

    /// The open transaction is committed.
    pub(in crate::store) fn committed(&mut self) {
        for names in &mut self.tables {
            names.fresh.clear();
            names.refused.clear();
            if names.ids.len() > REFERENCES_MAX {
                names.ids.clear();
            }
        }
    }

    /// The transaction is rolled back.
    pub(in crate::store) fn rolled_back(&mut self) {
        self.created.clear();
        for names in &mut self.tables {
            names.refused.clear();
            for key in names.fresh.drain(..) {
                names.ids.remove(&key);
            }
        }
    }

    /// The names of these records that are not known, each once, in an order that is the same for
    /// every writer: two of them that create the same names never wait for each other in a circle.
    pub(in crate::store) fn missing(&mut self, records: &Records) -> Vec<MissingReference> {
        let mut missing = Vec::new();
        for (reference, names) in self.tables.iter_mut().enumerate() {
            let mut unknown: BTreeMap<String, (&str, usize)> = BTreeMap::new();
            for record in 0..records.len() {
                let Value::Text(name) = records.value(record, names.field) else { continue };
                if names.ids.contains_key(name) {
                    continue;
                }
                let lower = name.to_lowercase();
                match names.ids.get(&lower) {
                    Some(id) => names.add(name.to_owned(), *id),
                    None => {
                        unknown.entry(lower).or_insert((name, record));
                    }
                }
            }
            let named = |(name, record): (&str, usize)| MissingReference {
                reference,
                name: name.to_owned(),
                record,
            };
            missing.extend(unknown.into_values().map(named));
        }
        missing
    }

    /// True of a name that is known by now.
    pub(in crate::store) fn knows(&self, missing: &MissingReference) -> bool {
        let names = self.tables.get(missing.reference);
        names.is_some_and(|names| names.ids.contains_key(&missing.name.to_lowercase()))
    }

    /// The id that the record's value in `field` names; `None` when the field is no reference or
    /// the name is not known.
    pub(in crate::store) fn id(&self, field: usize, name: &str) -> Option<Uuid> {
        let names = self.tables.iter().find(|names| names.field == field)?;
        names.ids.get(name).or_else(|| names.ids.get(&name.to_lowercase())).copied()
    }
}

impl KnownNames {
    fn add(&mut self, key: String, id: Uuid) {
        if self.ids.insert(key.clone(), id).is_none() {
            self.fresh.push(key);
        }
    }
}
