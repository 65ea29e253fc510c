//! Which column a header that is not known was probably meant for: a proposal for a person, never taken by
//! itself.

use std::collections::BTreeSet;

use super::Match;
use super::form::normal_form;
use crate::dataset::model::{Column, Dataset};
use crate::domain::failed_list::is_own_column;
use crate::domain::similar::similarity;

/// Below this a proposal is wrong more often than right.
const CONFIDENCE_MIN: f64 = 0.6;

/// A column that a header cell probably means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suggestion {
    /// The index of the dataset's column.
    pub column: usize,
    /// From 0.6 to 1.
    pub confidence: f64,
}

/// For each header cell that feeds nothing the column that it is most like, of those that nothing feeds;
/// each column once.
#[must_use]
pub fn suggestions(
    dataset: &Dataset,
    header: &[String],
    matched: &Match,
) -> Vec<Option<Suggestion>> {
    let is_open = |at: &usize| {
        let is_free = |of: &[Option<usize>]| of.get(*at).is_some_and(Option::is_none);
        is_free(&matched.columns) && is_free(&matched.outdone)
    };
    let free = dataset.columns.iter().enumerate();
    let free: Vec<_> = free.filter(|(at, _)| !matched.has(*at)).collect();
    let mut candidates: Vec<(usize, Suggestion)> = Vec::new();
    for (at, cell) in header.iter().enumerate().filter(|(at, _)| is_open(at)) {
        if cell.trim().is_empty() || is_own_column(cell) {
            continue;
        }
        let like = free.iter().filter_map(|(column, it)| Some((*column, confidence(cell, it)?)));
        candidates.extend(like.map(|(column, confidence)| (at, Suggestion { column, confidence })));
    }
    candidates.sort_by(|(_, one), (_, other)| other.confidence.total_cmp(&one.confidence));
    let mut chosen = vec![None; header.len()];
    let mut taken = BTreeSet::new();
    for (at, suggestion) in candidates {
        let Some(slot) = chosen.get_mut(at) else { continue };
        if slot.is_none() && taken.insert(suggestion.column) {
            *slot = Some(suggestion);
        }
    }
    chosen
}

fn confidence(cell: &str, column: &Column) -> Option<f64> {
    let own = [&column.name, &column.title];
    let names = own.into_iter().chain(&column.aliases).chain(&column.fallback_aliases);
    let alike = names.filter_map(|name| {
        let spelling = similarity(&normal_form(cell), &normal_form(name)).unwrap_or(0.0);
        let score = spelling.max(word_overlap(cell, name));
        (score >= CONFIDENCE_MIN).then_some(score)
    });
    let best = alike.max_by(f64::total_cmp)?;
    Some((best * 100.0).round() / 100.0)
}

/// The share of words that both have, of the words of the longer one.
fn word_overlap(one: &str, other: &str) -> f64 {
    let (one, other) = (words(one), words(other));
    let (both, longer) = (one.intersection(&other).count(), one.len().max(other.len()));
    let share = |part: usize, whole: usize| {
        let number = |it: usize| f64::from(u32::try_from(it).unwrap_or(u32::MAX));
        if whole == 0 { 0.0 } else { number(part) / number(whole) }
    };
    share(both, longer)
}

fn words(text: &str) -> BTreeSet<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty());
    words.map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Datasets, match_header};
    use crate::domain::options::Options;

    #[test]
    fn a_header_that_is_nearly_a_column_proposes_it_once() {
        let datasets = Datasets::embedded();
        let products = datasets.get("products").unwrap();
        let header = ["SKU", "Name", "Curent stok", "Price selling", "Colour", "Sellng prce"];
        let header: Vec<String> = header.map(ToOwned::to_owned).to_vec();
        let matched = match_header(products, &header, &Options::default()).unwrap();
        let found = suggestions(products, &header, &matched);
        let name = |it: &Option<Suggestion>| {
            it.map(|it| (products.columns[it.column].name.as_str(), it.confidence >= 0.8))
        };
        let names: Vec<_> = found.iter().map(name).collect();
        assert_eq!(
            names,
            [None, None, Some(("current_stock", true)), Some(("selling_price", true)), None, None]
        );
    }
}
