//! The records of other tables that rows name: which name is which id.
//!
//! Names are compared whatever their letter case. What a transaction creates counts only once it is
//! committed: [`References::rolled_back`] forgets it. The names of a chunk are looked up once, for all
//! of its rows ([`ChunkReferences`]).

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::domain::limits::REFERENCES_MAX;
use crate::domain::new_reference::NewReferences;
use crate::domain::record::{Records, Value, readable_name};
use crate::domain::row_number::RowNumber;
use crate::store::chunk::outcome::NewReference;
use crate::store::chunk::record_id::RecordId;
use crate::store::chunk::target::{ReferenceTarget, Target};

/// The references of one target.
#[derive(Debug, Default)]
pub(in crate::store) struct References {
    tables: Vec<KnownNames>,
    /// What the open transaction created.
    created: Vec<NewReference>,
    /// What a dry run, which creates the same in every chunk, has answered already.
    answered: HashSet<(String, String)>,
}

/// One value of the records that names others, and the names known of their table.
#[derive(Debug)]
struct KnownNames {
    field: usize,
    /// The value is a list of names.
    is_list: bool,
    reference: ReferenceTarget,
    /// By the lower case of the name.
    ids: HashMap<String, RecordId>,
    /// Keys of `ids` that the open transaction added.
    fresh: Vec<String>,
    /// The dataset's column.
    column: String,
    /// Names, in lower case, that the database refused to create in the open transaction, and why.
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
        let fields = target.fields.iter().enumerate().filter_map(|(field, it)| {
            Some(KnownNames::new(field, false, &it.column, it.reference.clone()?))
        });
        let lists = target.lists.iter();
        let lists =
            lists.map(|it| KnownNames::new(it.value, true, &it.column, it.reference.clone()));
        Self { tables: fields.chain(lists).collect(), ..Self::default() }
    }

    /// The references in order; [`MissingReference::reference`] counts along it.
    pub(in crate::store) fn iter(&self) -> impl Iterator<Item = &ReferenceTarget> {
        self.tables.iter().map(|names| &names.reference)
    }

    /// The reference numbered `index`.
    pub(in crate::store) fn get(&self, index: usize) -> Option<&ReferenceTarget> {
        self.tables.get(index).map(|names| &names.reference)
    }

    /// Adds a record that was in the table before.
    pub(in crate::store) fn add_stored(&mut self, reference: usize, name: &str, id: RecordId) {
        if let Some(names) = self.tables.get_mut(reference) {
            names.ids.insert(name.to_lowercase(), id);
        }
    }

    /// Adds a record that the open transaction found or created.
    pub(in crate::store) fn add(&mut self, reference: usize, name: &str, id: RecordId) {
        if let Some(names) = self.tables.get_mut(reference) {
            let key = name.to_lowercase();
            if names.ids.insert(key.clone(), id).is_none() {
                names.fresh.push(key);
            }
        }
    }

    /// Remembers that the open transaction created a record.
    pub(in crate::store) fn created(&mut self, missing: &MissingReference) {
        if let Some(names) = self.tables.get(missing.reference) {
            self.created.push(NewReference {
                column: names.column.clone(),
                table: names.reference.table.clone(),
                name: readable_name(&missing.name).into_owned(),
                record: missing.record,
            });
        }
    }

    /// What the open transaction created; of a dry run, which creates it in every chunk, each once.
    pub(in crate::store) fn take_created(&mut self, dry_run: bool) -> Vec<NewReference> {
        let mut created = std::mem::take(&mut self.created);
        if dry_run {
            created.retain(|it| self.answered.insert((it.column.clone(), it.name.to_lowercase())));
        }
        created
    }

    /// What the open transaction created, with how many of the chunk's records name it.
    pub(in crate::store) fn named_anew(
        &self,
        named: &ChunkReferences<'_>,
        records: &Records,
    ) -> NewReferences {
        let mut new = NewReferences::default();
        for (names, known) in named.references.iter().zip(&self.tables) {
            let table = known.reference.table.as_str();
            // Another column may have created what this one names, too.
            let created = self.created.iter().filter(|it| it.table == table);
            let created: HashSet<String> = created.map(|it| it.name.to_lowercase()).collect();
            if created.is_empty() {
                continue;
            }
            let is_new =
                |name: &ChunkName<'_>| created.contains(&readable_name(&name.name).to_lowercase());
            let mut rows: Vec<Option<(u64, RowNumber)>> =
                names.names.iter().map(|it| is_new(it).then_some((0, RowNumber::NONE))).collect();
            for (record, place) in names.places() {
                let count = rows.get_mut(place as usize).and_then(Option::as_mut);
                let Some((count, first_row)) = count else { continue };
                if *count == 0 {
                    *first_row = records.row_number(record);
                }
                *count += 1;
            }
            for (name, rows) in names.names.iter().zip(rows) {
                if let Some(rows) = rows {
                    new.add(&known.column, table, &readable_name(&name.name), rows);
                }
            }
        }
        new
    }

    /// Remembers that the database refused to create a record.
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

    /// The open transaction is rolled back.
    pub(in crate::store) fn rolled_back(&mut self) {
        self.created.clear();
        for names in &mut self.tables {
            names.refused.clear();
            for key in names.fresh.drain(..) {
                names.ids.remove(&key);
            }
        }
    }

    /// True of a name that is known by now.
    pub(in crate::store) fn knows(&self, missing: &MissingReference) -> bool {
        let names = self.tables.get(missing.reference);
        names.is_some_and(|names| names.id(&missing.name).is_some())
    }
}

impl KnownNames {
    fn new(field: usize, is_list: bool, column: &str, reference: ReferenceTarget) -> Self {
        Self {
            field,
            is_list,
            column: column.to_owned(),
            reference,
            ids: HashMap::new(),
            fresh: Vec::new(),
            refused: HashMap::new(),
        }
    }

    fn id(&self, name: &str) -> Option<RecordId> {
        self.ids.get(&name.to_lowercase()).cloned()
    }
}

/// What the records of a chunk name.
#[derive(Debug)]
pub(in crate::store) struct ChunkReferences<'c> {
    /// One for each reference of the target, in order.
    references: Vec<ChunkNames<'c>>,
    /// For each value of a record its index into `references`.
    of_field: Vec<Option<usize>>,
}

/// What one field of the records of a chunk names.
#[derive(Debug, Default)]
struct ChunkNames<'c> {
    /// Each name once, as the rows write it.
    names: Vec<ChunkName<'c>>,
    /// For each record its index into `names`; `None` where the value is null.
    of_record: Vec<Option<u32>>,
    /// For each record of a list its indexes into `names`, in the order of the list.
    of_list: Vec<Vec<u32>>,
}

#[derive(Debug)]
struct ChunkName<'c> {
    name: Cow<'c, str>,
    /// The first record that names it.
    record: usize,
    /// `None` while no such record is known.
    id: Option<RecordId>,
}

impl<'c> ChunkReferences<'c> {
    /// Looks the names of the records up among those that are known.
    pub(in crate::store) fn new(
        target: &Target,
        references: &References,
        records: &'c Records,
    ) -> Self {
        let mut of_field = vec![None; target.fields.len() + target.lists.len()];
        for (index, known) in references.tables.iter().enumerate() {
            if let Some(of_field) = of_field.get_mut(known.field) {
                *of_field = Some(index);
            }
        }
        let references =
            references.tables.iter().map(|known| ChunkNames::new(known, records)).collect();
        Self { references, of_field }
    }

    /// The names of which no record is known, each once whatever its letter case, in an order that is
    /// the same for every writer: two of them that create the same names never wait for each other in
    /// a circle.
    pub(in crate::store) fn missing(&self) -> Vec<MissingReference> {
        let mut missing = Vec::new();
        for (reference, names) in self.references.iter().enumerate() {
            let mut unknown: BTreeMap<String, &ChunkName<'_>> = BTreeMap::new();
            for name in names.names.iter().filter(|name| name.id.is_none()) {
                unknown.entry(name.name.to_lowercase()).or_insert(name);
            }
            missing.extend(unknown.into_values().map(|name| MissingReference {
                reference,
                name: name.name.clone().into_owned(),
                record: name.record,
            }));
        }
        missing
    }

    /// Looks the names up again of which no record was known.
    pub(in crate::store) fn look_up_again(&mut self, references: &References) {
        for (names, known) in self.references.iter_mut().zip(&references.tables) {
            for name in names.names.iter_mut().filter(|name| name.id.is_none()) {
                name.id = known.id(&name.name);
            }
        }
    }

    /// True when every name is a known record's.
    pub(in crate::store) fn are_all_known(&self) -> bool {
        self.references.iter().flat_map(|names| &names.names).all(|name| name.id.is_some())
    }

    /// The id that the record's value in `field` names; `None` when the value is null or no such
    /// record is known.
    pub(in crate::store) fn id(&self, field: usize, record: usize) -> Option<&RecordId> {
        let reference = self.of_field.get(field).copied().flatten()?;
        let names = self.references.get(reference)?;
        let name = names.of_record.get(record).copied().flatten()?;
        names.names.get(name as usize)?.id.as_ref()
    }

    /// The items that the record's list `value` names, each with its id, if such a record is known.
    pub(in crate::store) fn items(
        &self,
        value: usize,
        record: usize,
    ) -> impl Iterator<Item = (&str, Option<&RecordId>)> {
        let reference = self.of_field.get(value).copied().flatten();
        let known = reference.and_then(|reference| self.references.get(reference));
        let places = known.and_then(|known| known.of_list.get(record)).into_iter().flatten();
        let names = places.filter_map(move |place| known?.names.get(*place as usize));
        names.map(|name| (name.name.as_ref(), name.id.as_ref()))
    }
}

impl<'c> ChunkNames<'c> {
    fn new(known: &KnownNames, records: &'c Records) -> Self {
        if known.is_list {
            return Self::of_lists(known, records);
        }
        let mut this = Self { of_record: Vec::with_capacity(records.len()), ..Self::default() };
        let mut places: HashMap<&'c str, u32> = HashMap::new();
        for record in 0..records.len() {
            let Value::Text(name) = records.value(record, known.field) else {
                this.of_record.push(None);
                continue;
            };
            // Neighbours often name the same.
            let before = this.of_record.last().copied().flatten();
            let is_same = before.is_some_and(|place| this.is_at(place, name));
            let place = if is_same { before } else { places.get(name).copied() };
            let place = place.or_else(|| {
                let place = u32::try_from(this.names.len()).ok()?;
                this.names.push(ChunkName { name: name.into(), record, id: known.id(name) });
                places.insert(name, place);
                Some(place)
            });
            this.of_record.push(place);
        }
        this
    }

    fn of_lists(known: &KnownNames, records: &Records) -> Self {
        let mut this = Self { of_list: Vec::with_capacity(records.len()), ..Self::default() };
        let mut places: HashMap<String, u32> = HashMap::new();
        for record in 0..records.len() {
            let mut of_record = Vec::new();
            for name in item_names(records.value(record, known.field)) {
                let known_place = places.get(&name).copied();
                let place = known_place.or_else(|| {
                    let place = u32::try_from(this.names.len()).ok()?;
                    let id = known.id(&name);
                    this.names.push(ChunkName { name: name.clone().into(), record, id });
                    places.insert(name, place);
                    Some(place)
                });
                of_record.extend(place);
            }
            this.of_list.push(of_record);
        }
        this
    }

    /// Each record with each name that it has.
    fn places(&self) -> impl Iterator<Item = (usize, u32)> {
        let of_record = self.of_record.iter().enumerate();
        let of_list = self.of_list.iter().enumerate();
        of_record.filter_map(|(record, place)| Some((record, (*place)?))).chain(
            of_list.flat_map(|(record, places)| places.iter().map(move |place| (record, *place))),
        )
    }

    fn is_at(&self, place: u32, name: &str) -> bool {
        self.names.get(place as usize).is_some_and(|it| it.name == name)
    }
}

/// The names in a list of a record, which stands there as a JSON array.
fn item_names(list: Value<'_>) -> Vec<String> {
    let Value::Text(json) = list else { return Vec::new() };
    let names = serde_json::from_str(json);
    assert!(names.is_ok(), "`{json}` is no list of names");
    names.unwrap_or_default()
}
