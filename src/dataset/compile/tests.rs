//! Tests of `compile`.

use super::*;

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found: Vec<String> =
        compile("d.toml", text).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_shortest_definition_gets_its_defaults() {
    let text = "name = 'dealers'\ntable = 'dealer_list'\nkey = ['code']\n\n\
                [[column]]\nname = 'code'\nrequired = true\n\n\
                [[column]]\nname = 'credit_limit'\ntype = 'decimal( 8 , 3 )'\nmin = -0.5\n\
                max = 1_000\nhistory = 'limits'\n\n\
                [[column]]\nname = 'city'\nreferences = { table = 'cities' }\n";
    let compiled = compile("d.toml", text).unwrap();
    let dataset = &compiled.dataset;
    assert_eq!((dataset.title.as_str(), dataset.run), ("Dealers", Run::Background));
    let limit = &dataset.columns[1];
    assert_eq!((limit.title.as_str(), limit.field.as_str()), ("Credit Limit", "credit_limit"));
    assert_eq!(limit.kind, ColumnType::Decimal { precision: 8, scale: 3 });
    assert_eq!((limit.min, limit.max), (Some(-500), Some(1_000_000)));
    assert_eq!(dataset.columns[2].field, "city_id");
    let reference = dataset.columns[2].reference.as_ref().unwrap();
    assert_eq!((reference.match_column.as_str(), reference.create), ("name", false));
    let [history] = dataset.histories.as_slice() else { panic!("one history") };
    assert_eq!((history.owner.as_str(), &history.columns), ("dealer_list_id", &vec![1]));
    assert_eq!(compiled.lines.first(&["column.code.type", "column.code"]), Some(5));
    assert_eq!(compiled.lines.first(&["column.credit_limit.min"]), Some(12));
}

#[test]
fn every_fault_is_told_with_its_line() {
    check(
        "nam = 'x'\nname = 'My Products'\nkey = ['skuu', 'name']\nrun = 'later'\n\n\
         [[column]]\nname = 'sku'\ntyp = 'text'\nmax_length = 0\n\n\
         [[column]]\nname = 'name'\ntype = 'decimal(20,2)'\nmax_length = 5\n\n\
         [[column]]\ntitle = 'x'\n",
        &[
            "d.toml:1: `nam`: there is no such key; did you mean `name`?",
            "d.toml:1: `table`: is missing: the table that the rows go into",
            "d.toml:2: `name`: `My Products` is not a name: it begins with a letter and has \
             lower-case letters, digits and `_`, at most 63",
            "d.toml:3: `key`: there is no column `skuu`; did you mean `sku`?",
            "d.toml:3: `key`: column `name` needs `required = true`: a record without its key \
             cannot be found",
            "d.toml:4: `run`: unknown variant `later`, expected `background` or `inline`",
            "d.toml:8: column `sku`, `typ`: there is no such key; did you mean `type`?",
            "d.toml:9: column `sku`, `max_length`: takes a whole number from 1 to 1048576, not \
             `0`",
            "d.toml:13: column `name`, `type`: `decimal(20,2)` is not possible: a decimal has 1 \
             to 18 digits in all and at most as many after the point",
            "d.toml:16: column 3, `name`: is missing: the column's name, such as `cost_price`",
        ],
    );
}

/// The faults of a sound definition with `lines` added to its second column.
#[track_caller]
fn check_column(lines: &str, expected: &str) {
    let text = format!(
        "name = 'd'\ntable = 'd'\nkey = ['id_code']\n[[column]]\nname = 'id_code'\n\
         required = true\naliases = ['number']\n[[column]]\nname = 'extra'\n{lines}"
    );
    check(&text, &[&format!("d.toml:{expected}")]);
}

#[test]
fn a_type_has_only_the_keys_that_fit_it() {
    for (lines, expected) in [
        ("min = 1", "10: column `extra`, `min`: is for columns of type integer or decimal only"),
        (
            "type = 'integer'\nmin = 5\nmax = 2",
            "11: column `extra`, `min`: 5 is above `max`, which is 2",
        ),
        (
            "type = 'decimal(4,2)'\nmax = 100.5",
            "11: column `extra`, `max`: `100.5` has more digits than the column",
        ),
        (
            "type = 'integer'\nmin = 0.5",
            "11: column `extra`, `min`: `0.5` has more decimals than the column",
        ),
        ("type = 'integer'\nmin = nan", "11: column `extra`, `min`: `nan` is not a plain number"),
        (
            "type = 'float'",
            "10: column `extra`, `type`: there is no type `float`; the types are text, \
             integer, decimal(12,2), boolean, date, datetime, json and list",
        ),
    ] {
        check_column(lines, expected);
    }
}

#[test]
fn names_and_other_keys_are_checked() {
    for (lines, expected) in [
        (
            "required = 'yes'",
            "10: column `extra`, `required`: invalid type: string \"yes\", expected a boolean",
        ),
        (
            "aliases = ['Num_Ber']",
            "10: column `extra`, `aliases`: a header `Num_Ber` is taken already by column \
             `id_code`",
        ),
        (
            "aliases = ['-']",
            "10: column `extra`, `aliases`: `-` has no letter or digit to be \
          found by",
        ),
        (
            "field = 'id_code'",
            "10: column `extra`, `field`: the field `id_code` is fed by \
          another column already",
        ),
        (
            "field = 'created_at'",
            "10: column `extra`, `field`: `created_at` is set by Loadbay \
          itself; no column can feed it",
        ),
        (
            "field = \"a\\nb\"",
            "10: column `extra`, `field`: `a\nb` cannot be the name of a column: it has a control \
             character",
        ),
        (
            "field = 'loadbay_record'",
            "10: column `extra`, `field`: `loadbay_record` cannot be the name of a column: names \
             that begin with `loadbay_` are used by Loadbay itself",
        ),
        (
            "references = { tabel = 'x', table = 'y' }",
            "10: column `extra`, `references`, `tabel`: there is no such key; did you mean \
             `table`?",
        ),
        (
            "references = { table = 'y' }\ntype = 'integer'",
            "11: column `extra`, `type`: a reference is named by a text; leave `type` out",
        ),
        (
            "allowed = ['a', 'A']",
            "10: column `extra`, `allowed`: names `A` twice; the letter case makes no \
             difference",
        ),
        (
            "type = 'boolean'\nexample = 'maybe'",
            "11: column `extra`, `example`: `maybe` is neither yes nor no; write `true` or \
             `false`",
        ),
        ("[[history]]\ntable = 'old'", "11: history 1, `table`: no column has `history = \"old\"`"),
    ] {
        check_column(lines, expected);
    }
}

#[test]
fn a_text_that_is_not_toml_names_the_line() {
    let faults = compile("d.toml", "name = 'd'\ntable = \n").unwrap_err();
    assert_eq!(faults[0].line, Some(2));
    assert!(compile("d.toml", "").is_err());
}

#[test]
fn a_history_may_name_its_owner() {
    let text = "name = 'd'\ntable = 'd'\nkey = ['a']\n[[column]]\nname = 'a'\nrequired = true\n\
                [[column]]\nname = 'b'\nhistory = 'h'\n[[history]]\ntable = 'h'\nowner = 'd_ref'";
    assert_eq!(compile("d.toml", text).unwrap().dataset.histories[0].owner, "d_ref");
}
