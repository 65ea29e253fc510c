//! A proposal as the text of a definition file.

use std::fmt::Write as _;

use super::{
    Proposal, ProposalFault, ProposedColumn, ProposedDefault, ProposedJoin, ProposedReference,
};
use crate::dataset::compile::compile;
use crate::dataset::fault::DefinitionFault;

/// Letters of a line of aliases.
const LINE_LETTERS: usize = 96;

impl Proposal {
    /// The definition file.
    ///
    /// # Errors
    /// When it would be none.
    pub fn to_toml(&self) -> Result<String, ProposalFault> {
        let text = self.text();
        let faults = |faults: Vec<DefinitionFault>| {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            ProposalFault::NotADefinition(lines.join("; "))
        };
        compile(&format!("{}.toml", self.name), &text).map_err(faults)?;
        Ok(text)
    }

    /// The text of the definition file, whether or not it is one.
    #[must_use]
    pub fn text(&self) -> String {
        written(self)
    }
}

/// The text. A `String` takes everything that is written to it.
fn written(proposal: &Proposal) -> String {
    let mut text = String::new();
    for note in &proposal.notes {
        let _ = writeln!(text, "# {note}");
    }
    if !proposal.notes.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(text, "name  = {}", quoted(&proposal.name));
    let _ = writeln!(text, "title = {}", quoted(&proposal.title));
    let _ = writeln!(text, "table = {}", quoted(&proposal.table));
    let _ = writeln!(text, "key   = {}", list(&proposal.key));
    if proposal.create_table {
        text.push_str("create_table = true\n");
    }
    for column in &proposal.columns {
        column_text(&mut text, column);
    }
    text
}

fn column_text(text: &mut String, column: &ProposedColumn) {
    let _ = writeln!(text, "\n[[column]]\nname       = {}", quoted(&column.name));
    if !column.title.is_empty() {
        let _ = writeln!(text, "title      = {}", quoted(&column.title));
    }
    if let Some(field) = &column.field {
        let _ = writeln!(text, "field      = {}", quoted(field));
    }
    if !column.kind.is_empty() {
        let _ = writeln!(text, "type       = {}", quoted(&column.kind));
    }
    if column.required {
        text.push_str("required   = true\n");
    }
    if let Some(length) = column.max_length {
        let _ = writeln!(text, "max_length = {length}");
    }
    if !column.allowed.is_empty() {
        let _ = writeln!(text, "allowed    = {}", list(&column.allowed));
    }
    if let Some(pattern) = &column.pattern {
        let _ = writeln!(text, "pattern    = {}", quoted(pattern));
    }
    if let Some(example) = &column.example {
        let _ = writeln!(text, "example    = {}", quoted(example));
    }
    if !column.formats.is_empty() {
        let _ = writeln!(text, "formats    = {}", list(&column.formats));
    }
    if let Some(default) = &column.default {
        let _ = writeln!(text, "default    = {}", default_text(default));
    }
    if column.sensitive {
        text.push_str("sensitive  = true\n");
    }
    if let Some(reference) = &column.reference {
        let _ = writeln!(text, "references = {}", reference_text(reference));
    }
    if let Some(join) = &column.join {
        let _ = writeln!(text, "into       = {}", join_text(join));
    }
    if !column.aliases.is_empty() {
        let _ = writeln!(text, "aliases    = {}", list(&column.aliases));
    }
    if !column.fallback_aliases.is_empty() {
        let _ = writeln!(text, "fallback_aliases = {}", list(&column.fallback_aliases));
    }
}

fn reference_text(reference: &ProposedReference) -> String {
    let mut inner = format!("table = {}, match = {}", quoted(&reference.table), matched(reference));
    if reference.key != "id" {
        let _ = write!(inner, ", key = {}", quoted(&reference.key));
    }
    format!("{{ {inner} }}")
}

fn join_text(join: &ProposedJoin) -> String {
    let mut inner = format!("table = {}", quoted(&join.table));
    for (key, column) in [("owner", &join.owner), ("item", &join.item)] {
        if !column.is_empty() {
            let _ = write!(inner, ", {key} = {}", quoted(column));
        }
    }
    format!("{{ {inner}, references = {} }}", reference_text(&join.reference))
}

/// The columns by which a record is named.
fn matched(reference: &ProposedReference) -> String {
    if reference.with.is_empty() {
        return quoted(&reference.match_column);
    }
    let mut names = vec![quoted(&reference.match_column)];
    names.extend(reference.with.iter().map(|part| quoted(&part.match_column)));
    let with: Vec<String> = reference.with.iter().map(|part| quoted(&part.column)).collect();
    format!("[{}], with = [{}]", names.join(", "), with.join(", "))
}

fn default_text(default: &ProposedDefault) -> String {
    match default {
        ProposedDefault::Value(value) => quoted(value),
        ProposedDefault::Column { column, case: None } => {
            format!("{{ column = {} }}", quoted(column))
        }
        ProposedDefault::Column { column, case: Some(case) } => {
            format!("{{ column = {}, case = {} }}", quoted(column), quoted(case))
        }
        ProposedDefault::Generated(what) => format!("{{ generate = {} }}", quoted(what)),
    }
}

/// A list on one line, or on lines of their own where it is long.
fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    let line = format!("[{}]", quoted.join(", "));
    if line.chars().count() <= LINE_LETTERS {
        return line;
    }
    let mut lines = "[".to_owned();
    let mut room = 0;
    for text in quoted {
        let letters = text.chars().count() + 2;
        if room < letters {
            lines.push_str("\n    ");
            room = LINE_LETTERS;
        } else {
            lines.push(' ');
        }
        room = room.saturating_sub(letters);
        let _ = write!(lines, "{text},");
    }
    lines.push_str("\n]");
    lines
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
