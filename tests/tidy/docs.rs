//! The documentation against the code: every code, option and setting stands in it, as it is.

use std::path::Path;

use loadbay::config::SETTINGS;
use loadbay::domain::action::RULES;
use loadbay::domain::error_code::ErrorCode;
use loadbay::domain::options::Options;
use loadbay::domain::row_error::RowCode;
use loadbay::domain::status::{EDGES, JobStatus};
use loadbay::domain::warning::WarningCode;

/// The text of a file of the repository.
pub(super) fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(&path);
    assert!(text.is_ok(), "{} cannot be read", path.display());
    text.unwrap_or_default()
}

#[test]
fn every_error_code_stands_in_the_api_documentation() {
    let api = text("docs/api.md");
    for code in ErrorCode::ALL {
        let again = if code.is_retryable() { "yes" } else { "no" };
        let row = format!(
            "| `{}` | {} | {again} | {} | {} |",
            code.as_str(),
            code.status(),
            code.title(),
            code.remedy()
        );
        assert!(api.contains(&row), "docs/api.md has no row\n{row}");
    }
}

#[test]
fn every_row_code_stands_in_the_api_documentation() {
    let api = text("docs/api.md");
    for code in RowCode::ALL {
        let row = format!("| `{}` | {} |", code.as_str(), code.meaning());
        assert!(api.contains(&row), "docs/api.md has no row\n{row}");
    }
}

#[test]
fn every_warning_code_stands_in_the_api_documentation() {
    let api = text("docs/api.md");
    for code in WarningCode::ALL {
        let row = format!("| `{}` | {} |", code.as_str(), code.meaning());
        assert!(api.contains(&row), "docs/api.md has no row\n{row}");
    }
}

#[test]
fn every_option_and_status_stands_in_the_api_documentation() {
    let api = text("docs/api.md");
    for name in Options::NAMES {
        assert!(api.contains(&format!("| `{name}` | ")), "docs/api.md lacks the option {name}");
    }
    for status in JobStatus::ALL {
        assert!(api.contains(&format!("`{status}`")), "docs/api.md lacks the status {status}");
    }
}

#[test]
fn the_example_env_file_has_every_setting_with_its_default_and_no_other() {
    let example = text(".env.example");
    let lines: Vec<_> = example.lines().filter_map(|line| line.strip_prefix('#')).collect();
    let given: Vec<_> = lines
        .iter()
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_once('='))
        .collect();
    let names: Vec<_> = given.iter().map(|(name, _)| *name).collect();
    let settings: Vec<_> = SETTINGS.iter().map(|setting| setting.variable).collect();
    assert_eq!(names, settings);
    for (setting, (_, value)) in SETTINGS.iter().zip(&given) {
        let meaning = format!(" {}.", setting.meaning);
        assert!(lines.contains(&meaning.as_str()), "{}: not as in --help", setting.variable);
        if let Some(default) = setting.default {
            assert_eq!(*value, default, "{}", setting.variable);
        }
    }
}

#[test]
fn every_command_and_exit_code_stands_in_the_documentation() {
    let page = text("docs/cli.md");
    for command in loadbay::cli::command().get_subcommands().filter(|it| !it.is_hide_set()) {
        let named = format!("`loadbay {}", command.get_name());
        assert!(page.contains(&named), "docs/cli.md lacks {named}`");
    }
    for (code, meaning) in loadbay::cli::exit_codes() {
        let row = format!("| {code} | {meaning} |");
        assert!(page.contains(&row), "docs/cli.md has no row\n{row}");
    }
}

/// The diagram of a job's life, in the language of Mermaid.
fn diagram() -> String {
    let mut lines = vec!["```mermaid".to_owned(), "stateDiagram-v2".to_owned()];
    lines.push("    [*] --> pending: the upload is accepted".to_owned());
    for edge in EDGES {
        let condition = edge.condition.split(';').next().unwrap_or_default();
        lines.push(format!("    {} --> {}: {condition}", edge.from, edge.to));
    }
    for status in JobStatus::ALL.into_iter().filter(|status| status.is_terminal()) {
        lines.push(format!("    {status} --> [*]"));
    }
    lines.push("```".to_owned());
    lines.join("\n")
}

/// Every edge, in the order of the code.
fn edges() -> String {
    let head = "| from | to | when |\n| --- | --- | --- |".to_owned();
    let row = |edge: &loadbay::domain::status::Edge| {
        format!("| `{}` | `{}` | {} |", edge.from, edge.to, edge.condition)
    };
    std::iter::once(head).chain(EDGES.iter().map(row)).collect::<Vec<_>>().join("\n")
}

/// Every action with the statuses that allow it, in the order of the code.
fn actions() -> String {
    let head =
        "| action | while the job is | what it does | provided that |\n| --- | --- | --- | --- |";
    let row = |rule: &loadbay::domain::action::Rule| {
        let from: Vec<_> = rule.from.iter().map(|status| format!("`{status}`")).collect();
        let requires = rule.requires.unwrap_or_default();
        format!(
            "| `{}` | {} | {} | {requires} |",
            rule.action.as_str(),
            from.join(", "),
            rule.effect
        )
    };
    let rows = RULES.iter().map(row);
    std::iter::once(head.to_owned()).chain(rows).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_life_of_a_job_is_drawn_as_the_code_has_it() {
    let page = text("docs/job-lifecycle.md");
    for (name, made) in [("diagram", diagram()), ("edges", edges()), ("actions", actions())] {
        let block = format!("<!-- {name}: made from the code -->\n{made}\n<!-- end -->");
        assert!(page.contains(&block), "docs/job-lifecycle.md lacks this block:\n{block}");
    }
}
