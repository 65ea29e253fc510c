//! References that several cells of a row name together, such as a variant by its brand and its code: which
//! columns belong together, and the one text that their cells make.

use super::cell_rules::CellRules;
use super::column::Draft;
use super::constant::Constant;
use super::messages;
use super::model::{Column, ColumnDefault, ColumnType, Dataset};
use super::names::listed;
use super::plan::{Plan, ValueSource};
use super::source::DefinitionFile;
use super::value::{self, CellContext, CellFault, Scratch};
use crate::domain::limits::ERRORS_PER_ROW_MAX;
use crate::domain::record::{NAME_SEPARATOR, Value};
use crate::domain::row::{CellKind, RawRow};
use crate::domain::row_error::RowError;

/// Notes at each column that a reference has `with` that it is part of that reference.
pub(super) fn link(file: &mut DefinitionFile<'_>, drafts: &mut [Draft<'_, '_>]) {
    let wanted: Vec<(usize, String, String)> = drafts
        .iter()
        .enumerate()
        .flat_map(|(at, draft)| {
            let also = draft.column.reference.iter().flat_map(|reference| &reference.also);
            also.map(move |part| (at, part.column.clone(), part.match_column.clone()))
        })
        .collect();
    for (at, name, match_column) in wanted {
        let part = drafts.iter().position(|draft| draft.column.name == name);
        let (Some(main), found) = (drafts.get(at), part.and_then(|part| drafts.get(part))) else {
            continue;
        };
        let (main_name, section) = (main.column.name.clone(), main.section.clone());
        match found.map(|found| fault_of_part(found, &main.column)) {
            Some(None) => {
                if let Some(draft) = part.and_then(|part| drafts.get_mut(part)) {
                    draft.column.part_of = Some(main_name);
                    draft.column.field = match_column;
                }
            }
            Some(Some(fault)) => section.fault(file, "references", fault),
            None => {
                let known = drafts.iter().map(|draft| draft.column.name.as_str());
                let fault = format!(
                    "`with` names the column `{name}`, which is not there; the columns are {}",
                    listed(known)
                );
                section.fault(file, "references", fault);
            }
        }
    }
    defaults_of_parts(file, drafts);
}

/// Why a column cannot be part of the reference `main`.
fn fault_of_part(part: &Draft<'_, '_>, main: &Column) -> Option<String> {
    let Column { name, kind, .. } = &part.column;
    let fault = if *name == main.name {
        "the reference itself"
    } else if part.column.part_of.is_some() {
        "part of another reference already"
    } else if part.column.reference.is_some() || part.history.is_some() {
        "a reference itself, or has a history"
    } else if *kind != ColumnType::Text {
        "no text"
    } else if part.column.default.is_some() || part.column.sensitive {
        "sensitive, or has a default"
    } else if part.section.has("field") {
        "stored in a field of its own; leave `field` out"
    } else if part.column.required && !main.required {
        "required, though the reference is not"
    } else {
        return None;
    };
    Some(format!("`with` names the column `{name}`, which is {fault}"))
}

/// What is stored nowhere is no default.
fn defaults_of_parts(file: &mut DefinitionFile<'_>, drafts: &[Draft<'_, '_>]) {
    for draft in drafts {
        let Some(ColumnDefault::Column { name, .. }) = &draft.column.default else { continue };
        let is_part = |other: &&Draft<'_, '_>| {
            let is_several = other.column.reference.as_ref().is_some_and(|it| !it.also.is_empty());
            other.column.name == *name && (other.column.part_of.is_some() || is_several)
        };
        if drafts.iter().any(|other| is_part(&other)) {
            let fault = format!("`{name}` names a record together with other columns");
            draft.section.fault(file, "default", fault);
        }
    }
}

/// The cells that name records together with others.
#[derive(Debug, Default)]
pub(super) struct ReferenceParts {
    parts: Vec<PartOfReference>,
    text: String,
    scratch: Scratch,
}

#[derive(Debug)]
struct PartOfReference {
    /// The dataset's column of the reference.
    main: usize,
    /// The dataset's column of the part.
    column: usize,
    /// Where its text comes from; `None`: the file does not have it.
    source: Option<PartSource>,
}

#[derive(Debug)]
enum PartSource {
    Cell(usize),
    Constant(Constant),
}

impl ReferenceParts {
    pub(super) fn new(plan: &Plan) -> Self {
        let part = |part: &super::plan::PlanPart| PartOfReference {
            main: part.main,
            column: part.column,
            source: match &part.source {
                Some(ValueSource::Cell(cell)) => Some(PartSource::Cell(*cell)),
                Some(ValueSource::Constant(constant)) => {
                    Some(PartSource::Constant(constant.clone()))
                }
                Some(ValueSource::Default) | None => None,
            },
        };
        Self { parts: plan.parts.iter().map(part).collect(), ..Self::default() }
    }

    /// The dataset's column that the cell is part of a reference for.
    pub(super) fn column_of(&self, cell: usize) -> Option<usize> {
        let is_it = |part: &&PartOfReference| matches!(part.source, Some(PartSource::Cell(other)) if other == cell);
        self.parts.iter().find(is_it).map(|part| part.column)
    }

    /// The text that the cells of a reference make, with the value `own` of its own cell: usually that alone.
    #[inline]
    pub(super) fn join<'a>(
        &'a mut self,
        dataset: &Dataset,
        of_row: (&CellRules, &RawRow),
        main: usize,
        own: Value<'a>,
        errors: &mut Vec<RowError>,
    ) -> Value<'a> {
        if self.parts.is_empty() {
            return own;
        }
        self.join_parts(dataset, of_row, main, own, errors)
    }

    fn join_parts<'a>(
        &'a mut self,
        dataset: &Dataset,
        (rules, row): (&CellRules, &RawRow),
        main: usize,
        own: Value<'a>,
        errors: &mut Vec<RowError>,
    ) -> Value<'a> {
        let Self { parts, text, scratch } = self;
        let own_text = match own {
            Value::Text(own) => Some(own),
            Value::Absent => return own,
            _ => None,
        };
        let mut parts = parts.iter().filter(|part| part.main == main).peekable();
        if parts.peek().is_none() {
            return own;
        }
        text.clear();
        text.push_str(own_text.unwrap_or_default());
        let (mut empty, mut is_named) = (None, own_text.is_some());
        if own_text.is_none() {
            empty = dataset.columns.get(main);
        }
        for part in parts {
            let Some(column) = dataset.columns.get(part.column) else { continue };
            text.push(NAME_SEPARATOR);
            let before = text.len();
            match &part.source {
                None => {}
                // What every row has names nothing by itself.
                Some(PartSource::Constant(constant)) => text.push_str(constant.text()),
                Some(PartSource::Cell(cell)) => {
                    let (raw, kind) = row.cell(*cell).unwrap_or(("", CellKind::Text));
                    let context = CellContext { column, is_key: false, rules };
                    match value::convert(context, raw, kind, scratch) {
                        Ok(Value::Text(part)) => {
                            text.push_str(part);
                            is_named = true;
                        }
                        Ok(_) | Err(CellFault::Required) => {}
                        Err(fault) => {
                            if errors.len() < ERRORS_PER_ROW_MAX {
                                errors.push(messages::cell_error(row, column, raw, fault));
                            }
                            return Value::Null;
                        }
                    }
                }
            }
            if text.len() == before {
                empty = empty.or(Some(column));
            }
        }
        match empty {
            None => Value::Text(text),
            Some(column) => {
                if is_named && errors.len() < ERRORS_PER_ROW_MAX {
                    errors.push(messages::cell_error(row, column, "", CellFault::Required));
                }
                Value::Null
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::dataset::compile;

    #[test]
    fn faults_of_parts_are_said() {
        for (references, part, words) in [
            ("match = []", "", "names no column"),
            ("match = ['a', 'b'], with = ['x', 'y']", "", "names 2 columns of this dataset"),
            ("match = ['a', 'b']", "", "`with` names the column `b`, which is not there"),
            ("match = ['a', 'b'], with = ['v']", "", "the reference itself"),
            ("match = ['a', 'b'], with = ['k']", "", "though the reference is not"),
            ("match = ['a', 'x']", "type = 'integer'", "no text"),
            ("match = ['a', 'x']", "default = '1'", "has a default"),
            ("match = ['a', 'x']", "field = 'x'", "leave `field` out"),
            ("match = ['a', 'x']", "required = true", "though the reference is not"),
            ("match = ['a', 'x', 'x']", "", "part of another reference already"),
        ] {
            let comma = if part.is_empty() { "" } else { ", " };
            let text = format!(
                "name = 'd'\ntable = 'd'\nkey = ['k']\ncolumn = [{{ name = 'k', required = true }}, \
                 {{ name = 'v', references = {{ table = 'vs', {references} }} }}, \
                 {{ name = 'x'{comma}{part} }}]"
            );
            let faults = compile("d.toml", &text).expect_err(&text);
            let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
            let said = said.join("\n");
            assert!(said.contains(words), "{references} {part}: {said}");
        }
    }

    #[test]
    fn a_part_is_no_column_of_the_table() {
        let text = "name = 'd'\ntable = 'd'\nkey = ['k']\ncolumn = [{ name = 'k', required = true }, \
                    { name = 'v', references = { table = 'vs', match = ['code', 'brand'], with = ['x'] } }, \
                    { name = 'x' }, { name = 'brand' }]";
        let dataset = compile("d.toml", text).unwrap().dataset;
        let [_, main, part, own] = dataset.columns.as_slice() else { panic!("four columns") };
        assert_eq!((part.part_of.as_deref(), part.field.as_str()), (Some("v"), "brand"));
        assert_eq!((main.field.as_str(), own.field.as_str()), ("v_id", "brand"));
        assert_eq!(main.reference.as_ref().unwrap().match_columns(), ["code", "brand"]);
    }
}
