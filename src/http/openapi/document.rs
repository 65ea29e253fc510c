//! The document of `OpenAPI`: the calls with what all of them have in common. Schemas come from the types,
//! codes, options and datasets from their tables; nothing is said a second time here.

#![expect(clippy::indexing_slicing, reason = "setting a member of a JSON object adds it")]

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::call::{Body, Call, CallAnswer, CallContent, SchemaOf, Schemas};
use super::options::every_option;
use super::{calls, examples, older, refusals};
use crate::dataset::Datasets;
use crate::domain::error_code::ErrorCode;
use crate::http::access::{About, rule};
use crate::http::problem::{PROBLEM_JSON, ProblemBody};

/// What a refusal is called among the answers of all calls.
const REFUSED: &str = "Refused";

/// The document for these datasets.
pub(super) fn document(datasets: &Datasets) -> Value {
    let mut schemas = Schemas::default();
    let names: Vec<&str> = datasets.names().collect();
    let mut paths: Map<String, Value> = Map::new();
    let mut refusals = Refusals::default();
    for call in calls::calls().iter().chain(&older::calls()) {
        let path = paths.entry(call.path).or_insert_with(|| json!({}));
        path[call.method.to_lowercase()] = operation(call, &names, &mut schemas, &mut refusals);
    }
    let refusal = schemas.of::<ProblemBody<'_>>();
    let refused = json!({
        "description": "The request was refused, or failed in the server; `code` says why",
        "content": {PROBLEM_JSON: {"schema": reference(&refusal)}},
    });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Loadbay",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": env!("CARGO_PKG_DESCRIPTION"),
            "license": {"name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE")},
        },
        "paths": paths,
        "components": {
            "schemas": components(schemas),
            "responses": refusals.responses(refused),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key of `loadbay keys create`"},
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-loadbay"},
            },
        },
    })
}

/// Every schema by its name, with its example.
fn components(schemas: Schemas) -> Value {
    let mut all = schemas.0;
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all.dedup_by(|one, other| one.0 == other.0);
    let with_example = |(name, schema): (String, _)| {
        let mut schema = json!(schema);
        if name == "ProblemBody" {
            schema["properties"]["code"]["enum"] = codes();
            // Some refusals have more members, such as the actions that a job allows.
            schema["additionalProperties"] = json!(true);
        }
        // Members without a tag: a message may fit several of these, the one without members always.
        if name == "EventFacts"
            && let Some(choices) = schema.as_object_mut().and_then(|it| it.remove("oneOf"))
        {
            schema["anyOf"] = choices;
        }
        if let Some(example) = examples::of(&name) {
            schema["examples"] = json!([example]);
        }
        (name, schema)
    };
    Value::Object(all.into_iter().map(with_example).collect())
}

fn codes() -> Value {
    ErrorCode::ALL.iter().map(|code| code.as_str()).collect()
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn operation(
    call: &Call,
    datasets: &[&str],
    schemas: &mut Schemas,
    refusals: &mut Refusals,
) -> Value {
    let mut described = json!({
        "summary": call.summary,
        "operationId": name_of(call),
        "tags": [tag(call.path)],
        "parameters": parameters(call, datasets),
        "responses": answers(call, schemas, refusals),
    });
    if let Some(body) = &call.body {
        described["requestBody"] = body_of(call, body, schemas);
    }
    let scope = rule(call.method, call.path).and_then(|rule| rule.scope);
    match scope {
        Some(scope) => {
            described["description"] =
                json!(format!("On a server with keys it needs the scope `{}`.", scope.as_str()));
            described["security"] = json!([{}, {"key": []}, {"session": []}]);
        }
        None => described["security"] = json!([]),
    }
    described
}

/// A name for programs: the method and the words of the address.
fn name_of(call: &Call) -> String {
    let path = call.path.strip_prefix("/api/v1").unwrap_or(call.path);
    let words = path.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let page = if tag(call.path) == "Pages" { "page_" } else { "" };
    format!("{}_{page}{}", call.method.to_lowercase(), words.join("_"))
}

fn tag(path: &str) -> &'static str {
    let groups = [
        ("/api/v1/import/jobs", "Jobs"),
        ("/api/v1/import/status", "Jobs"),
        ("/api/v1/import/events", "Jobs"),
        ("/api/v1/import/bulks", "Bulks"),
        ("/api/v1/import", "Uploads"),
        ("/api/v1/datasets", "Datasets"),
        ("/api/v1/webhooks", "Webhooks"),
        ("/api/v1", "Operation"),
        ("/api/", "Older clients"),
        ("/stream", "Older clients"),
        ("/file", "Older clients"),
        ("/healthz", "Operation"),
        ("/readyz", "Operation"),
        ("/metrics", "Operation"),
        ("/openapi.json", "Operation"),
    ];
    groups.iter().find(|(start, _)| path.starts_with(start)).map_or("Pages", |(_, tag)| tag)
}

fn parameters(call: &Call, datasets: &[&str]) -> Value {
    let of_path = call.path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        let schema = path_schema(call, name, datasets);
        Some(json!({"name": name, "in": "path", "required": true, "schema": schema}))
    });
    let of_query = call.query.iter().map(|it| {
        json!({"name": it.name, "in": "query", "schema": it.schema, "description": it.meaning})
    });
    let options = if matches!(call.body, Some(Body::File)) { options() } else { Vec::new() };
    of_path.chain(of_query).chain(options).collect()
}

/// What stands in an address in the place of a parameter.
fn path_schema(call: &Call, name: &str, datasets: &[&str]) -> Value {
    let about = rule(call.method, call.path).map(|rule| rule.about);
    match (about, name) {
        (Some(About::Dataset), "name" | "dataset") => json!({"enum": datasets}),
        (Some(About::Bulk), "id") => json!({"type": "string", "format": "uuid"}),
        _ if call.path.starts_with("/api/v1/webhooks") && name == "id" => {
            json!({"type": "string", "format": "uuid"})
        }
        _ if call.path.starts_with("/api/v1/import") || name == "delivery" => {
            json!({"type": "integer", "minimum": 1})
        }
        _ => json!({"type": "string", "minLength": 1}),
    }
}

/// The options of an import as query parameters.
fn options() -> Vec<Value> {
    let option = |(name, mut schema): (&str, Value)| {
        let meaning = schema.as_object_mut().and_then(|it| it.remove("description"));
        json!({"name": name, "in": "query", "schema": schema, "description": meaning})
    };
    let file_name = json!({
        "name": "fileName", "in": "query", "schema": {"type": "string"},
        "description": "The name of the file, where the body is the file",
    });
    every_option().map(option).chain([file_name]).collect()
}

fn body_of(call: &Call, body: &Body, schemas: &mut Schemas) -> Value {
    match body {
        Body::Json(of) => {
            let name = of(schemas);
            json!({"required": true, "content": {"application/json": {"schema": reference(&name)}}})
        }
        Body::Parameters => {
            let members = call.query.iter().map(|it| (it.name.to_owned(), it.schema.clone()));
            let schema = json!({
                "type": "object",
                "properties": members.collect::<Map<_, _>>(),
                "additionalProperties": false,
            });
            json!({"content": {"application/json": {"schema": schema}}})
        }
        Body::FileOrJson(of) => {
            let name = of(schemas);
            let members = json!({
                "file": {"type": "string", "format": "binary"},
                "name": {"type": "string"},
                "key": {"type": "string"},
            });
            json!({"required": true, "content": {
                "multipart/form-data": {
                    "schema": {"type": "object", "required": ["file"], "properties": members},
                },
                "text/csv": {"schema": {"type": "string"}},
                "application/json": {"schema": reference(&name)},
            }})
        }
        Body::File => file_body(),
    }
}

/// A file as a form, as the body itself, or as the address where it is.
fn file_body() -> Value {
    let options = every_option().map(|(name, schema)| (name.to_owned(), schema));
    let mut members: Map<String, Value> = options.collect();
    members.insert("file".to_owned(), json!({"type": "string", "format": "binary"}));
    json!({"required": true, "content": {
        "multipart/form-data": {
            "schema": {"type": "object", "required": ["file"], "properties": members},
        },
        "text/csv": {"schema": {"type": "string"}},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        "application/json": {"schema": {"type": "object", "properties": {
            "url": {"type": "string"},
            "urls": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        }}},
    }})
}

/// The answers of a call. Several of one status are one answer with a choice.
fn answers(call: &Call, schemas: &mut Schemas, refusals: &mut Refusals) -> Value {
    let mut answers: Map<String, Value> = Map::new();
    for answer in &call.answers {
        let status = answer.status.to_string();
        let described =
            answers.entry(status).or_insert_with(|| json!({"description": answer.meaning}));
        if let CallContent::Events(messages) = answer.content {
            described["content"]["text/event-stream"] = stream(messages, schemas);
        }
        if let Some((media_type, schema)) = content(answer, schemas) {
            let known = &mut described["content"][media_type]["schema"];
            *known =
                if known.is_null() { schema } else { json!({"anyOf": [known.take(), schema]}) };
        }
    }
    for (status, name) in refusals.of(call) {
        answers.insert(status.to_string(), response(&name));
    }
    answers.insert("default".to_owned(), response(REFUSED));
    Value::Object(answers)
}

/// The refusals that calls share: a status with some codes.
#[derive(Default)]
struct Refusals(Vec<(u16, Vec<ErrorCode>)>);

impl Refusals {
    /// With which refusals the call may be answered, by their status.
    fn of(&mut self, call: &Call) -> Vec<(u16, String)> {
        let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
        for code in refusals::codes(call) {
            by_status.entry(code.status()).or_default().push(code);
        }
        by_status.into_iter().map(|(status, codes)| (status, self.name(status, codes))).collect()
    }

    /// The name of a refusal: of a single code the code, else the status with a number.
    fn name(&mut self, status: u16, codes: Vec<ErrorCode>) -> String {
        let wanted = (status, codes);
        if !self.0.contains(&wanted) {
            self.0.push(wanted.clone());
        }
        let of_status = self.0.iter().filter(|(it, codes)| *it == status && codes.len() > 1);
        match (wanted.1.as_slice(), of_status.enumerate().find(|(_, it)| **it == wanted)) {
            ([code], _) => code.as_str().to_owned(),
            (_, Some((number, _))) => format!("{REFUSED}{status}_{}", number + 1),
            (_, None) => unreachable!("it is among them"),
        }
    }

    /// All of them by their names, with the one that any call may have.
    fn responses(mut self, any: Value) -> Value {
        let mut responses = Map::from_iter([(REFUSED.to_owned(), any)]);
        for (status, codes) in self.0.clone() {
            let words: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
            let meanings: Vec<_> =
                codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.title())).collect();
            // Those that are to be expected: a client must go on with a code that it does not know.
            let schema = json!({"allOf": [
                reference("ProblemBody"),
                {"properties": {"code": {"examples": words}}},
            ]});
            let refusal = json!({
                "description": meanings.join("; "),
                "content": {PROBLEM_JSON: {"schema": schema}},
            });
            responses.insert(self.name(status, codes), refusal);
        }
        Value::Object(responses)
    }
}

fn response(name: &str) -> Value {
    json!({"$ref": format!("#/components/responses/{name}")})
}

/// Messages of Server-Sent Events: text, whose lines of data are JSON.
fn stream(messages: &[SchemaOf], schemas: &mut Schemas) -> Value {
    let messages: Vec<_> = messages.iter().map(|of| reference(&of(schemas))).collect();
    json!({"schema": {"type": "string"}, "x-data-schema": {"anyOf": messages}})
}

fn content(answer: &CallAnswer, schemas: &mut Schemas) -> Option<(&'static str, Value)> {
    match answer.content {
        CallContent::Envelope(of) => Some(("application/json", envelope(&of(schemas)))),
        CallContent::Json(of) => Some(("application/json", reference(&of(schemas)))),
        CallContent::List(of) => {
            let list = json!({"type": "array", "items": reference(&of(schemas))});
            Some(("application/json", list))
        }
        CallContent::Of(media_type @ ("application/json" | "application/schema+json")) => {
            Some((media_type, json!({"type": "object"})))
        }
        CallContent::Of(media_type) => Some((media_type, json!({"type": "string"}))),
        CallContent::Events(_) | CallContent::Empty => None,
    }
}

fn envelope(name: &str) -> Value {
    json!({
        "type": "object",
        "required": ["success", "data"],
        "properties": {
            "success": {"const": true},
            "message": {"type": "string"},
            "data": reference(name),
        },
        "additionalProperties": false,
    })
}
