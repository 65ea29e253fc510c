//! The options of an upload as flags, `headerRow` is `--header-row`. The server checks their values.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::exit::UsageFault;

const HEADING: &str = "Options of the import";

/// The options that were given.
#[derive(Debug, Clone, Default)]
pub(super) struct OptionArgs {
    /// Names and values, as the API has them.
    pub(super) pairs: Vec<(String, String)>,
}

/// An option as a flag.
struct OptionFlag {
    /// The name that the API has.
    option: &'static str,
    /// The flag, without the dashes.
    flag: &'static str,
    /// True of an option that is true or false: its flag takes no value.
    is_switch: bool,
    /// What it does, in a few words; the documentation says more.
    meaning: &'static str,
}

const fn value(option: &'static str, flag: &'static str, meaning: &'static str) -> OptionFlag {
    OptionFlag { option, flag, is_switch: false, meaning }
}

const fn switch(option: &'static str, flag: &'static str, meaning: &'static str) -> OptionFlag {
    OptionFlag { option, flag, is_switch: true, meaning }
}

/// Every option, in the order of the documentation.
#[rustfmt::skip]
const FLAGS: &[OptionFlag] = &[
    value("mode", "mode", "Which rows may change the table: upsert, insert, update, newer, mirror"),
    switch("dryRun", "dry-run", "Process the file and keep nothing"),
    value("onError", "on-error", "What a bad row does: continue, abort"),
    value("maxErrors", "max-errors", "End the job when more rows than this failed"),
    value("scope", "scope", "Mirror: the records that the file is about as JSON, such as {\"supplier\": \"ACME\"}"),
    value("mirrorMax", "mirror-max", "Mirror: records that may be removed, or their share; 10% unless given"),
    switch("atomic", "atomic", "All rows or none: a bad row undoes the others"),
    value("blank", "blank", "What an empty cell does to a stored value: clear, keep"),
    value("nulls", "nulls", "Words that stand for no value, separated by commas"),
    value("duplicates", "duplicates", "Earlier rows with the same key: last (superseded), error (failed)"),
    value("delimiter", "delimiter", "The delimiter of a text file: , ; | tab"),
    value("encoding", "encoding", "The encoding of a text file, such as windows-1252"),
    value("decimal", "decimal", "The decimal separator: point, comma"),
    value("dates", "dates", "The order in dates: dmy, mdy, ymd"),
    value("currency", "currency", "A currency sign beside a number: refuse, strip"),
    value("sheet", "sheet", "The sheet of a workbook"),
    value("headerRow", "header-row", "The number of the header row"),
    value("hidden", "hidden", "Hidden rows and columns of a workbook: import, skip"),
    value("mapping", "mapping", "Headers and their columns as JSON, such as {\"Art.-Nr.\": \"sku\"}"),
    value("set", "set", "Columns and their value in every row as JSON, such as {\"channel\": \"Shopee\"}"),
    value("replace", "replace", "Names of records to take instead as JSON, such as {\"brand\": {\"Acmee\": \"ACME\"}}"),
    value("savedMapping", "saved-mapping", "The saved mapping of this name"),
    value("saveMapping", "save-mapping", "Remember the mapping of the file under this name"),
    value("priority", "priority", "Jobs with a higher priority run first: -100 to 100"),
    value("rows", "rows", "Whether events record the outcome of every row: auto, all, none"),
    switch("undo", "undo", "Keep what a rollback needs"),
    switch("strict", "strict", "Refuse what would be a warning"),
    value("meeting", "meeting", "DSV: the meeting in the key of its events"),
    value("includeEvents", "include-events", "DSV: import only events of these numbers"),
    value("excludeEvents", "exclude-events", "DSV: leave out events of these numbers"),
    switch("onlyIfChanged", "only-if-changed", "From an address: import nothing when the content is the same"),
];

impl FromArgMatches for OptionArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut options = Self::default();
        options.update_from_arg_matches(matches)?;
        Ok(options)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.pairs.clear();
        for flag in FLAGS {
            let value = if flag.is_switch {
                matches.get_flag(flag.option).then(|| "true".to_owned())
            } else {
                matches.get_one::<String>(flag.option).cloned()
            };
            self.pairs.extend(value.map(|value| (flag.option.to_owned(), value)));
        }
        for pair in matches.get_many::<(String, String)>("option").into_iter().flatten() {
            self.pairs.push(pair.clone());
        }
        Ok(())
    }
}

impl Args for OptionArgs {
    fn augment_args(command: Command) -> Command {
        let any = Arg::new("option")
            .long("option")
            .short('o')
            .value_name("NAME=VALUE")
            .action(ArgAction::Append)
            .value_parser(pair)
            .help_heading(HEADING)
            .help("Any option by the name that the API has for it");
        FLAGS.iter().fold(command.arg(any), |command, flag| {
            let arg = Arg::new(flag.option).long(flag.flag).help(flag.meaning);
            let arg = arg.help_heading(HEADING);
            command.arg(if flag.is_switch {
                arg.action(ArgAction::SetTrue)
            } else {
                arg.value_name("VALUE").allow_hyphen_values(true)
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn pair(text: &str) -> Result<(String, String), UsageFault> {
    let pair = text.split_once('=').filter(|(name, _)| !name.trim().is_empty());
    let (name, value) = pair.ok_or_else(|| {
        UsageFault("it is not NAME=VALUE; write it like decimal=comma".to_owned())
    })?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::options::Options;

    #[test]
    fn every_option_has_a_flag() {
        let flags: Vec<_> = FLAGS.iter().map(|flag| flag.option).collect();
        assert_eq!(flags, Options::NAMES);
    }

    #[test]
    fn flags_become_options() {
        let command = OptionArgs::augment_args(Command::new("import"));
        let arguments =
            ["import", "--dry-run", "--header-row", "3", "--priority", "-5", "-o", "decimal=comma"];
        let matches = command.try_get_matches_from(arguments).unwrap();
        let options = OptionArgs::from_arg_matches(&matches).unwrap();
        let pairs: Vec<_> =
            options.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected =
            [("dryRun", "true"), ("headerRow", "3"), ("priority", "-5"), ("decimal", "comma")];
        assert_eq!(pairs, expected);
    }
}
