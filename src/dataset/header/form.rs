//! The forms in which headers are compared.

use unicode_normalization::UnicodeNormalization;

use crate::dataset::model::{Column, Dataset};
use crate::dataset::value::text::is_invisible;

/// The form in which headers are compared: NFKC, case folded, without invisible characters and
/// without what stands between words (white space, `_`, `-`, `.`, `/`).
pub(in crate::dataset) fn normal_form(header: &str) -> String {
    let seen = header.nfkc().filter(|c| !is_invisible(*c) && !c.is_control());
    let solid: String = seen.filter(|c| !is_between_words(*c)).collect();
    // Upper case first: that takes `ß` and `ss`, `ς` and `σ` to the same letters.
    solid.to_uppercase().to_lowercase().nfkc().collect()
}

fn is_between_words(c: char) -> bool {
    c.is_whitespace() || matches!(c, '_' | '-' | '.' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// What may stand behind the name of a column and says how its values are counted. In the form of
/// [`normal_form`].
const UNITS: [&str; 57] = [
    "eur", "euro", "euros", "usd", "dollar", "dollars", "gbp", "inr", "rs", "rupees", "chf", "jpy",
    "cny", "brl", "mxn", "cad", "aud", "try", "pln", "czk", "sek", "nok", "dkk", "huf", "zar",
    "percent", "pcs", "pc", "piece", "pieces", "unit", "units", "nos", "stk", "stck", "stück",
    "stuks", "pièce", "pièces", "pieza", "piezas", "pezzi", "peça", "peças", "pz", "pza", "uds",
    "ud", "und", "kg", "g", "gm", "gms", "ml", "l", "ltr", "mm",
];

/// Words between a name and a unit: `Price in EUR`, `Cost per piece`.
const BEFORE_UNITS: [&str; 9] = ["in", "en", "em", "per", "pro", "je", "par", "por", "à"];

/// What is left of a header without the asterisk, the brackets, the unit and the quotes at its end
/// or around it; `None` where it has none of them.
///
/// It is weaker than [`normal_form`]: `Price (net)` and `Price (gross)` have the same.
pub(super) fn without_unit(header: &str) -> Option<String> {
    let whole: String = header.nfkc().collect();
    let mut rest = whole.trim_matches(is_mark);
    while let Some(shorter) = without_bracket(rest).or_else(|| without_last_word(rest)) {
        rest = shorter.trim_matches(is_mark);
    }
    if rest.is_empty() || rest.len() >= whole.trim().len() {
        return None;
    }
    Some(normal_form(without_link(rest).unwrap_or(rest)))
}

/// Signs around a name that are no part of it.
fn is_mark(c: char) -> bool {
    let is_sign = matches!(c, '*' | ':' | ';' | ',' | '#' | '%' | '|' | '†' | '=');
    let is_quote = matches!(c, '"' | '\'' | '`' | '‘' | '’' | '‚' | '“' | '”' | '„' | '«' | '»');
    let is_currency = matches!(c, '$' | '¢' | '£' | '¥' | '\u{20a0}'..='\u{20c0}' | '฿');
    is_sign || is_quote || is_currency || is_between_words(c) || c.is_control() || is_invisible(c)
}

/// What stands before the brackets at the end.
fn without_bracket(text: &str) -> Option<&str> {
    let opening = match text.chars().next_back()? {
        ')' => '(',
        ']' => '[',
        '}' => '{',
        _ => return None,
    };
    let at = text.rfind(opening)?;
    text.get(..at).filter(|before| !before.trim_matches(is_mark).is_empty())
}

/// What stands before the unit at the end.
fn without_last_word(text: &str) -> Option<&str> {
    let (before, word) = last_word(text)?;
    if !UNITS.contains(&normal_form(word).as_str()) {
        return None;
    }
    Some(without_link(before).unwrap_or(before))
}

/// What stands before the word that leads to a unit: of `Price in` the `Price`.
fn without_link(text: &str) -> Option<&str> {
    let (name, word) = last_word(text)?;
    BEFORE_UNITS.contains(&normal_form(word).as_str()).then_some(name)
}

/// The last word of several, and what stands before it.
fn last_word(text: &str) -> Option<(&str, &str)> {
    let at = text.rfind(is_between_words)?;
    let (before, word) = text.split_at_checked(at)?;
    let before = before.trim_matches(is_mark);
    (!before.is_empty()).then(|| (before, word.trim_matches(is_mark)))
}

/// The column that has this name or title, as a client writes it.
pub(in crate::dataset) fn column_named(dataset: &Dataset, name: &str) -> Option<usize> {
    let form = normal_form(name);
    let is_meant = |column: &Column| column.name == name.trim();
    let is_like =
        |column: &Column| [&column.name, &column.title].iter().any(|n| normal_form(n) == form);
    let columns = &dataset.columns;
    columns.iter().position(is_meant).or_else(|| columns.iter().position(is_like))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_brackets_and_marks_are_no_part_of_the_name() {
        for (header, name) in [
            ("SKU*", Some("sku")),
            ("* SKU", Some("sku")),
            ("Product Name *", Some("productname")),
            ("MRP (Rs.)", Some("mrp")),
            ("Selling Price (incl. tax)", Some("sellingprice")),
            ("Cost Price (₹)", Some("costprice")),
            ("Cost Price [net] (€)", Some("costprice")),
            ("Tax (%)", Some("tax")),
            ("Tax %", Some("tax")),
            ("Stock (pcs)", Some("stock")),
            ("Price in EUR", Some("price")),
            ("Tax in %", Some("tax")),
            ("Price €", Some("price")),
            ("price_usd", Some("price")),
            ("MRP Rs.", Some("mrp")),
            ("Cost per unit", Some("cost")),
            ("Prix en EUR", Some("prix")),
            ("“Name”", Some("name")),
            ("Name:", Some("name")),
            ("In stock?", None),
            ("Price（税込）", Some("price")),
            ("Unit price", None),
            ("(Name)", None),
            ("EUR", None),
            ("Qty", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(without_unit(header).as_deref(), name, "{header}");
        }
    }
}
