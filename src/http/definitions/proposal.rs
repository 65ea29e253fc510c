//! A proposal of a definition as JSON: what is proposed, and what comes back corrected.

use serde::{Deserialize, Serialize};

use crate::dataset::{
    KeyCandidate, Proposal, ProposedColumn, ProposedDefault, ProposedJoin, ProposedPart,
    ProposedReference,
};

/// A definition in parts.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http) struct ProposalBody {
    name: String,
    #[serde(default)]
    title: String,
    table: String,
    key: Vec<String>,
    #[serde(default)]
    create_table: bool,
    columns: Vec<ColumnBody>,
    #[serde(default)]
    notes: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http) struct ColumnBody {
    name: String,
    #[serde(default)]
    title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(rename = "type", default = "text")]
    kind: String,
    #[serde(default)]
    required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_length: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    allowed: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    example: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    formats: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<DefaultBody>,
    #[serde(default, skip_serializing_if = "is_false")]
    sensitive: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    references: Option<ReferenceBody>,
    /// The join table that the items of a list go into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    into: Option<JoinBody>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fallback_aliases: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ReferenceBody {
    table: String,
    #[serde(rename = "match")]
    match_column: String,
    key: String,
    /// Further columns by which a record is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    with: Vec<PartBody>,
}

/// A join table. A column that is left out has the name that follows from the tables.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct JoinBody {
    table: String,
    /// Its column that refers to the table of the dataset.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    owner: String,
    /// Its column that refers to the item.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    item: String,
    /// The table of the items.
    references: ReferenceBody,
}

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct PartBody {
    #[serde(rename = "match")]
    match_column: String,
    column: String,
}

/// What a new record without a value gets, as a definition writes it.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(in crate::http) enum DefaultBody {
    Value(String),
    Column(OtherColumnBody),
    Generated(GeneratedBody),
}

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct OtherColumnBody {
    column: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    case: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct GeneratedBody {
    generate: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl From<ProposedDefault> for DefaultBody {
    fn from(default: ProposedDefault) -> Self {
        match default {
            ProposedDefault::Value(value) => Self::Value(value),
            ProposedDefault::Column { column, case } => {
                Self::Column(OtherColumnBody { column, case })
            }
            ProposedDefault::Generated(generate) => Self::Generated(GeneratedBody { generate }),
        }
    }
}

impl From<DefaultBody> for ProposedDefault {
    fn from(body: DefaultBody) -> Self {
        match body {
            DefaultBody::Value(value) => Self::Value(value),
            DefaultBody::Column(OtherColumnBody { column, case }) => Self::Column { column, case },
            DefaultBody::Generated(GeneratedBody { generate }) => Self::Generated(generate),
        }
    }
}

/// A column that could be the key.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct CandidateView<'a> {
    column: &'a str,
    /// The share of rows that have a value of their own.
    share: f64,
}

const TEXT: &str = "text";

fn text() -> String {
    TEXT.to_owned()
}

impl<'a> CandidateView<'a> {
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    pub(super) fn of(candidate: &'a KeyCandidate) -> Self {
        let share = candidate.distinct as f64 / candidate.of.max(1) as f64;
        Self { column: &candidate.column, share: (share * 10_000.0).floor() / 10_000.0 }
    }
}

impl From<ProposedPart> for PartBody {
    fn from(part: ProposedPart) -> Self {
        Self { match_column: part.match_column, column: part.column }
    }
}

impl From<PartBody> for ProposedPart {
    fn from(part: PartBody) -> Self {
        Self { match_column: part.match_column, column: part.column }
    }
}

impl From<ProposedReference> for ReferenceBody {
    fn from(reference: ProposedReference) -> Self {
        let ProposedReference { table, match_column, key, with } = reference;
        Self { table, match_column, key, with: with.into_iter().map(PartBody::from).collect() }
    }
}

impl From<ReferenceBody> for ProposedReference {
    fn from(body: ReferenceBody) -> Self {
        let ReferenceBody { table, match_column, key, with } = body;
        Self { table, match_column, key, with: with.into_iter().map(ProposedPart::from).collect() }
    }
}

impl From<ProposedJoin> for JoinBody {
    fn from(join: ProposedJoin) -> Self {
        let ProposedJoin { table, owner, item, reference } = join;
        Self { table, owner, item, references: reference.into() }
    }
}

impl From<JoinBody> for ProposedJoin {
    fn from(body: JoinBody) -> Self {
        let JoinBody { table, owner, item, references } = body;
        Self { table, owner, item, reference: references.into() }
    }
}

impl From<Proposal> for ProposalBody {
    fn from(proposal: Proposal) -> Self {
        let Proposal { name, title, table, key, create_table, columns, notes, .. } = proposal;
        let columns = columns.into_iter().map(ColumnBody::from).collect();
        Self { name, title, table, key, create_table, columns, notes }
    }
}

impl From<ProposedColumn> for ColumnBody {
    fn from(column: ProposedColumn) -> Self {
        Self {
            name: column.name,
            title: column.title,
            field: column.field,
            kind: if column.kind.is_empty() { text() } else { column.kind },
            required: column.required,
            max_length: column.max_length,
            allowed: column.allowed,
            pattern: column.pattern,
            example: column.example,
            formats: column.formats,
            default: column.default.map(DefaultBody::from),
            sensitive: column.sensitive,
            references: column.reference.map(ReferenceBody::from),
            into: column.join.map(JoinBody::from),
            aliases: column.aliases,
            fallback_aliases: column.fallback_aliases,
        }
    }
}

impl From<ProposalBody> for Proposal {
    fn from(body: ProposalBody) -> Self {
        let ProposalBody { name, title, table, key, create_table, columns, notes } = body;
        let columns = columns.into_iter().map(ProposedColumn::from).collect();
        // A comment has one line.
        let notes = notes.into_iter().map(|note| note.replace(['\n', '\r'], " ")).collect();
        Self { name, title, table, key, create_table, columns, notes, candidates: Vec::new() }
    }
}

impl From<ColumnBody> for ProposedColumn {
    fn from(body: ColumnBody) -> Self {
        Self {
            name: body.name,
            title: body.title,
            field: body.field,
            kind: if body.kind == TEXT { String::new() } else { body.kind },
            required: body.required,
            max_length: body.max_length,
            allowed: body.allowed,
            pattern: body.pattern,
            example: body.example,
            formats: body.formats,
            default: body.default.map(ProposedDefault::from),
            sensitive: body.sensitive,
            reference: body.references.map(ProposedReference::from),
            join: body.into.map(ProposedJoin::from),
            aliases: body.aliases,
            fallback_aliases: body.fallback_aliases,
        }
    }
}
