//! The options of an upload: what each takes and what holds without it. A test compares this with what the
//! reading of options takes.

use serde_json::{Value, json};
use utoipa::PartialSchema;

use crate::domain::options::{NullWords, Options};

/// What an option takes, with its meaning; `None` of a name that is no option.
pub(super) fn option_schema(name: &str) -> Option<Value> {
    let mut schema = values(name)?;
    if let (Some(meaning), Some(members)) = (meaning(name), schema.as_object_mut()) {
        members.insert("description".to_owned(), json!(meaning));
    }
    Some(schema)
}

/// Every option by its name, in the order of the documentation.
pub(super) fn every_option() -> impl Iterator<Item = (&'static str, Value)> {
    Options::NAMES.iter().filter_map(|name| Some((*name, option_schema(name)?)))
}

/// What the type says of the option.
fn meaning(name: &str) -> Option<Value> {
    let schema = json!(<Options as PartialSchema>::schema());
    let member = schema.get("properties")?.get(name)?;
    // Where the option may be absent, the meaning stands beside the type.
    let choices = member.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    let mut said = std::iter::once(member).chain(choices);
    said.find_map(|schema| schema.get("description")).cloned()
}

fn values(name: &str) -> Option<Value> {
    let schema = match name {
        "mode" => choice(&["upsert", "insert", "update", "newer", "mirror"], Some("upsert")),
        "onError" => choice(&["continue", "abort"], Some("continue")),
        "blank" => choice(&["clear", "keep"], Some("clear")),
        "duplicates" => choice(&["last", "error"], Some("last")),
        "currency" => choice(&["refuse", "strip"], Some("refuse")),
        "hidden" => choice(&["import", "skip"], Some("import")),
        "rows" => choice(&["auto", "all", "none"], Some("auto")),
        "decimal" => choice(&["point", "comma", ".", ","], None),
        "dates" => choice(&["dmy", "mdy", "ymd"], None),
        "delimiter" => {
            choice(&[",", ";", "|", "tab", "\t", "\\t", "comma", "semicolon", "pipe"], None)
        }
        "dryRun" | "atomic" | "undo" | "strict" | "onlyIfChanged" => {
            choice(&["true", "false"], Some("false"))
        }
        "maxErrors" => row_limit(None),
        "mirrorMax" => row_limit(Some("10%")),
        "headerRow" => json!({"type": "integer", "minimum": 1, "maximum": 1000}),
        "priority" => {
            json!({"type": "integer", "minimum": -100, "maximum": 100, "default": 0})
        }
        "scope" | "mapping" | "set" | "replace" => json!({
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"type": "object"},
        }),
        "savedMapping" | "saveMapping" => {
            json!({"type": "string", "minLength": 1, "maxLength": 100})
        }
        "meeting" => json!({"type": "string", "minLength": 1, "maxLength": 255}),
        "includeEvents" | "excludeEvents" => {
            let numbers = "( *[0-9]+ *(, *[0-9]+ *)*)?";
            json!({"type": "string", "pattern": format!(r"^({numbers}|\[{numbers}\])$")})
        }
        "nulls" => json!({"type": "string", "default": NullWords::default().words().join(",")}),
        "sheet" | "encoding" => json!({"type": "string"}),
        _ => return None,
    };
    Some(schema)
}

fn choice(words: &[&str], default: Option<&str>) -> Value {
    match default {
        Some(default) => json!({"enum": words, "default": default}),
        None => json!({"enum": words}),
    }
}

/// A number of rows, or a share of them.
fn row_limit(default: Option<&str>) -> Value {
    let pattern = r"^([0-9]{1,18}|[0-9]{1,2}(\.[0-9]{1,3})?%|100%)$";
    match default {
        Some(default) => json!({"type": "string", "pattern": pattern, "default": default}),
        None => json!({"type": "string", "pattern": pattern}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(name: &str, value: &str) -> Option<Options> {
        Options::parse([(name, value)]).ok()
    }

    #[test]
    fn every_option_says_what_it_takes_and_means() {
        for name in Options::NAMES {
            let schema = option_schema(name).unwrap_or_else(|| panic!("{name} takes nothing"));
            assert!(schema["description"].is_string(), "{name} means nothing");
        }
        assert_eq!(option_schema("colour"), None);
    }

    #[test]
    fn what_is_described_is_what_is_read() {
        for (name, schema) in every_option() {
            for word in schema["enum"].as_array().into_iter().flatten() {
                assert!(parsed(name, word.as_str().unwrap()).is_some(), "{name}={word}");
            }
            if schema["enum"].is_array() {
                assert!(parsed(name, "other").is_none(), "{name} takes other words");
            }
            let default = match &schema["default"] {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                number => number.to_string(),
            };
            let with_default = parsed(name, &default).unwrap();
            // What a mirror may remove has no value until it is asked for.
            if name != "mirrorMax" {
                assert_eq!(with_default, Options::default(), "{name}={default}");
            }
        }
        for (name, minimum, maximum) in [("headerRow", 1, 1000), ("priority", -100, 100)] {
            for (value, is_taken) in
                [(minimum, true), (maximum, true), (minimum - 1, false), (maximum + 1, false)]
            {
                assert_eq!(parsed(name, &value.to_string()).is_some(), is_taken, "{name}={value}");
            }
        }
        for limit in ["0", "17", "5%", "0.5%", "12.125%", "100%"] {
            assert!(parsed("maxErrors", limit).is_some(), "{limit}");
        }
        for list in ["", "1", "1,2, 3", "[1,2]", "[ 1 , 2 ]"] {
            assert!(parsed("includeEvents", list).is_some(), "{list}");
        }
    }
}
