//! Query parameters. Unknown and repeated names are refused; nothing here knows their meaning.

use std::ops::RangeInclusive;

use actix_web::HttpRequest;
use actix_web::web;

use super::problem::Problem;

/// The query parameters of a request, decoded, in their order.
pub(super) fn pairs(request: &HttpRequest) -> Result<Vec<(String, String)>, Problem> {
    web::Query::<Vec<(String, String)>>::from_query(request.query_string())
        .map(web::Query::into_inner)
        .map_err(|_| {
            Problem::malformed(
                "the query string is not valid; write it like ?limit=50&status=failed",
            )
        })
}

/// Refuses a name that is not among `known`, and one that is given twice.
pub(super) fn check(pairs: &[(String, String)], known: &[&str]) -> Result<(), Problem> {
    for (index, (name, value)) in pairs.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            return Err(Problem::unknown_parameter(name, known));
        }
        if pairs.iter().take(index).any(|(earlier, _)| earlier == name) {
            return Err(Problem::invalid_parameter(name, value, "one value only"));
        }
    }
    Ok(())
}

/// The parameters of a call that knows all of their names.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the parameters of a call that takes `known`.
    pub(super) fn read(request: &HttpRequest, known: &[&str]) -> Result<Self, Problem> {
        Self::checked(pairs(request)?, known)
    }

    /// Reads the parameters that the call takes and ignores the others, which older clients send.
    pub(super) fn only(request: &HttpRequest, taken: &[&str]) -> Result<Self, Problem> {
        let mut pairs = pairs(request)?;
        pairs.retain(|(name, _)| taken.contains(&name.as_str()));
        Self::checked(pairs, taken)
    }

    fn checked(pairs: Vec<(String, String)>, known: &[&str]) -> Result<Self, Problem> {
        check(&pairs, known)?;
        Ok(Self(pairs))
    }

    /// The value of `name`, if it was given.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// A number; one above the range is cut to it.
    pub(super) fn number(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.parse::<u64>() {
            Ok(number) if number >= *range.start() => Ok(Some(number.min(*range.end()))),
            _ => {
                let takes = format!("a whole number from {} to {}", range.start(), range.end());
                Err(Problem::invalid_parameter(name, value, &takes))
            }
        }
    }

    /// Yes or no; not given means no.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            None | Some("0" | "false") => Ok(false),
            Some("1" | "true" | "") => Ok(true),
            Some(value) => Err(Problem::invalid_parameter(name, value, "1 or 0")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Result<Query, String> {
        let request =
            actix_web::test::TestRequest::with_uri(&format!("/x?{text}")).to_http_request();
        Query::read(&request, &["limit", "bom"]).map_err(|problem| problem.to_string())
    }

    #[test]
    fn numbers_above_the_range_are_cut_and_others_refused() {
        let limit = |text: &str| {
            query(text)?.number("limit", 1..=500).map_err(|problem| problem.to_string())
        };
        assert_eq!(limit(""), Ok(None));
        assert_eq!(limit("limit=7"), Ok(Some(7)));
        assert_eq!(limit("limit=99999"), Ok(Some(500)));
        for refused in ["limit=0", "limit=-1", "limit=x", "limit=", "limit=1e3"] {
            assert!(limit(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn unknown_and_repeated_names_are_refused_by_name() {
        assert_eq!(
            query("colour=red").unwrap_err(),
            "unknown_option: There is no parameter `colour`; this call takes limit, bom."
        );
        assert_eq!(
            query("limit=1&limit=2").unwrap_err(),
            "invalid_option: `limit` does not take `2`; it takes one value only."
        );
        assert!(query("bom=1").unwrap().flag("bom").unwrap());
    }
}
