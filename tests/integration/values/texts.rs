//! Texts, truth values and lists: trimmed, composed, and free of what nobody can see.

use unicode_normalization::UnicodeNormalization;

use super::outcome::{Expected, becomes, quoted};
use crate::support::{Upload, both};

both!(a_text_is_stored_trimmed_and_composed, |server| {
    let table: &[(&str, Expected)] = &[
        ("  Acid fluor.\t", Ok("Acid fluor.")),
        ("\u{a0}\u{3000}wide\u{2003}", Ok("wide")),
        ("Cafe\u{301}", Ok("Café")),
        ("\u{212b}ngstr\u{f6}m", Ok("Ångström")),
        ("two\nlines\tand a tab", Ok("two\nlines\tand a tab")),
        ("=SUM(1)", Ok("=SUM(1)")),
        ("'quoted", Ok("'quoted")),
        ("'90s", Ok("'90s")),
        ("#N/A", Err("cell_error")),
        ("# N/A", Ok("# N/A")),
        ("Robert'); drop table products;--", Ok("Robert'); drop table products;--")),
        ("\\N", Ok("NULL")),
        ("\\\\ and \\t", Ok("\\\\ and \\t")),
        ("{null}", Ok("{null}")),
        ("None", Ok("NULL")),
        ("None of them", Ok("None of them")),
        ("=\"007\"", Ok("007")),
        ("'007", Ok("007")),
        ("emoji \u{1f33f}", Ok("emoji \u{1f33f}")),
        ("007", Ok("007")),
        ("1.50", Ok("1.50")),
        ("a\0b", Err("nul_character")),
        ("a\u{7}b", Err("control_character")),
        ("a\u{1b}[31mb", Err("control_character")),
        ("a\u{85}b", Err("control_character")),
        ("a\u{7f}b", Err("control_character")),
    ];
    becomes(server, ("Description", "description"), &[], table).await;
});

both!(a_text_is_measured_in_characters, |server| {
    let (just, over) = ("ä".repeat(64), "ä".repeat(65));
    let just: &'static str = just.leak();
    let over: &'static str = over.leak();
    let padded: &'static str = format!("  {just}  ").leak();
    let table: &[(&str, Expected)] =
        &[(just, Ok(just)), (over, Err("too_long")), (padded, Ok(just))];
    becomes(server, ("HSN Code", "hsn_code"), &[], table).await;
});

both!(yes_and_no_have_many_spellings, |server| {
    let mut table: Vec<(&str, Expected)> = Vec::new();
    for yes in ["true", "TRUE", "Yes", "y", "1", "on", "Active", "ja", "wahr", "oui", "SÍ"] {
        table.push((yes, Ok("1")));
    }
    for no in ["false", "FALSE", "No", "n", "0", "off", "inactive", "Nein", "falsch", "não"] {
        table.push((no, Ok("0")));
    }
    for neither in ["maybe", "2", "-1", "1.0", "yes!", "tru"] {
        table.push((neither, Err("not_a_boolean")));
    }
    table.push(("", Ok("NULL")));
    becomes(server, ("Is Active", "is_active"), &[], &table).await;
});

both!(a_list_is_stored_as_its_items, |server| {
    let mut text = "SKU,Name,Tags\n".to_owned();
    let cells =
        ["a, b ,c", "a;b|c", "single", " , ;", "", "[\"a,b\", \"c\"]", "say \"hi\"", "ä,,b"];
    for (index, cell) in cells.iter().enumerate() {
        text.push_str(&format!("{index},Arnica,{}\n", quoted(cell)));
    }
    let status = server.load("products", Upload::csv(&text)).await;
    assert_eq!(status["counts"]["created"], cells.len());
    let stored: Vec<serde_json::Value> = server
        .rows("select tags from products order by sku")
        .await
        .iter()
        .map(|row| serde_json::from_str(&row[0]).unwrap_or_default())
        .collect();
    let expected = serde_json::json!([
        ["a", "b", "c"],
        ["a", "b", "c"],
        ["single"],
        null,
        null,
        ["a,b", "c"],
        ["say \"hi\""],
        ["ä", "b"]
    ]);
    assert_eq!(serde_json::Value::from(stored), expected);
});

both!(a_key_that_looks_the_same_is_the_same, |server| {
    let text = "SKU,Name\n Caf\u{e9} ,first\nCafe\u{301},second\ncaf\u{e9},other\n\
                \"a\u{200b}b\",hidden\n\"a\nb\",broken\na\u{202e}b,turned\n,empty\n  ,blank\n";
    let status = server.load("products", Upload::csv(text)).await;
    let counts = &status["counts"];
    assert_eq!(counts["created"], 2, "letter case counts: {counts}");
    assert_eq!(counts["superseded"], 1, "{counts}");
    assert_eq!(counts["failed"], 5, "{counts}");
    let names = server.rows("select name from products order by name").await;
    assert_eq!(names, [["other"], ["second"]]);
    let codes = server.rows("select code from import_errors order by row_number").await;
    assert_eq!(codes.concat()[..3], ["control_character"; 3]);
    assert_eq!(codes.concat()[3..], ["required"; 2]);
});

both!(names_that_look_the_same_are_one_record, |server| {
    let text = "SKU,Name,Category,Brand\n\
                A\u{a0}1,one,Food  &\u{2003}Drink,\u{ff21}cme\n\
                A 1,two,Food & Drink,Ac\u{200b}me\n\
                A\u{2011}1,three,\"Food &\nDrink\",Acme\n\
                A-1,four,Food &amp; Drink,\u{200b}\n";
    let status = server.load("products", Upload::csv(text)).await;
    let counts = &status["counts"];
    assert_eq!((&counts["created"], &counts["superseded"]), (&2.into(), &2.into()), "{status}");
    let skus = server.rows("select sku, name from products order by sku").await;
    assert_eq!(skus, [["A 1", "two"], ["A-1", "four"]]);
    let mut categories = server.rows("select name from categories").await.concat();
    categories.sort();
    assert_eq!(categories, ["Food & Drink", "Food &amp; Drink"]);
    assert_eq!(server.rows("select name from brands").await, [["Acme"]]);
    let told: Vec<(&str, &str, u64)> = status["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (
                it["code"].as_str().unwrap(),
                it["column"].as_str().unwrap(),
                it["count"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("folded_keys", "brand", 1), ("entities", "category", 1)]);
});

both!(a_number_that_lost_its_end_is_no_text, |server| {
    let table: &[(&str, Expected)] = &[
        ("4.00638E+12", Err("precision_lost")),
        ("4,00638e+12", Err("precision_lost")),
        ("=\"5E+10\"", Ok("5E+10")),
        ("12E10", Ok("12E10")),
        ("4006381333931", Ok("4006381333931")),
    ];
    becomes(server, ("Barcode", "barcode"), &[], table).await;
    becomes(server, ("HSN Code", "hsn_code"), &[], table).await;
});

/// Texts that have broken programs.
const NAUGHTY: [&str; 20] = [
    "",
    "undefined",
    "\\",
    "1/0",
    "$HOME",
    ",./;'[]\\-=`",
    "<>?:\"{}|_+",
    "\u{1}\u{2}\u{7f}",
    "a\u{85}b",
    "Ω≈ç√∫˜µ≤≥÷",
    "٠١٢٣",
    "部落格",
    "👾 🙇 🇺🇸",
    "\u{202a}\u{202a}test\u{202a}",
    "\u{2028}test\u{2029}",
    "<script>alert(0)</script>",
    "'; exec sp_MSForEachTable 'drop table ?'; --",
    "%x('ls -al /')",
    "../../../etc/passwd%00",
    "{0} %s%n",
];

both!(naughty_strings_are_stored_as_they_are_or_refused, |server| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpora/csv/blns.json");
    let mut strings = NAUGHTY.map(str::to_owned).to_vec();
    match std::fs::read_to_string(path) {
        Ok(text) => strings.extend(serde_json::from_str::<Vec<String>>(&text).unwrap()),
        Err(_) => eprintln!("skipped: {path} is not there"),
    }
    let mut text = "SKU,Name,Description\n".to_owned();
    for (index, string) in strings.iter().enumerate() {
        text.push_str(&format!("{index:04},Arnica,{}\n", quoted(string)));
    }
    // A word of the list, such as `NULL`, is a text here.
    let upload = Upload::csv(&text).option("nulls", "");
    let status = server.load("products", upload).await;
    assert_eq!(status["status"], "completed");
    let has_control = |text: &str| {
        let kept = ['\t', '\n', '\r'];
        text.trim().chars().any(|c| c.is_control() && !kept.contains(&c))
    };
    // A number as a spreadsheet shortens it has lost its digits.
    let is_stored = |text: &str| !has_control(text) && text != "1E+02";
    let mut expected = Vec::new();
    for (index, string) in strings.iter().enumerate().filter(|(_, it)| is_stored(it)) {
        let stored: String = string.trim().nfc().collect();
        let stored = if stored.is_empty() { "NULL".to_owned() } else { stored };
        expected.push(vec![format!("{index:04}"), stored]);
    }
    assert_eq!(status["counts"]["failed"], strings.len() - expected.len());
    let rows = server.rows("select sku, description from products order by sku").await;
    assert_eq!(rows, expected);
});
