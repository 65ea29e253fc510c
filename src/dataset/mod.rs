//! Datasets: what the rows of a file become. A definition file (TOML) is read once and compiled
//! into header matching, conversion and validation; the store makes its SQL from the same value.
//!
//! Knows no file, no database and no HTTP: it turns text into values and faults.

pub mod model;

mod absent;
mod cell_rules;
mod check;
mod column;
mod column_default;
mod column_rules;
mod column_values;
mod compile;
mod constant;
mod constants;
mod conventions;
mod convert;
mod datasets;
mod date_format;
mod defaults;
mod fault;
mod fit;
mod header;
mod infer;
mod job_identity;
mod join_table;
mod json_schema;
mod key_text;
mod messages;
mod names;
mod no_data;
mod pattern;
mod plan;
mod reference_keys;
mod reference_parts;
mod replacements;
mod shape;
mod source;
mod table_name;
mod template;
mod value;

pub use cell_rules::CellRules;
pub use check::check;
pub(crate) use column::OWN_TIMES;
pub use column_values::{ColumnValues, ValueFault};
pub use compile::{Compiled, compile};
pub use constant::Constant;
pub use constants::{ConstantFault, Constants};
pub use conventions::conventions;
pub use convert::Converter;
pub use datasets::{BuiltIn, Datasets};
pub use fault::DefinitionFault;
pub use fit::fit;
pub use header::{
    HeaderFault, HeaderNames, Match, Suggestion, header_fingerprint, header_warnings, match_header,
    read_header, suggestions,
};
pub use infer::{
    FileColumns, KeyCandidate, Proposal, ProposalFault, ProposedColumn, ProposedDefault,
    ProposedJoin, ProposedPart, ProposedReference, infer_from_file, infer_from_table, key_choices,
};
pub use json_schema::json_schema;
pub use names::singular;
pub use plan::{Plan, PlanFault, ValueSource, check_replacements};
pub use replacements::{ReferenceReplacements, ReplacementFault, can_be_replaced};
pub use shape::{FieldShape, ForeignKey, JoinDetails, TableDetails, TableKind, TableShape};
pub use source::DefinitionLines;
pub use table_name::TableName;
pub use template::{template_example, template_header, template_object};
