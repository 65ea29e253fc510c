//! The one table of what each call needs: a scope, and whose thing it is about. A call that is not in
//! this table is refused as soon as keys are needed.

use crate::domain::access::Scope;

/// What the path of a call names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Nothing that belongs to anybody.
    Nothing,
    /// A dataset, by the parameter of the path.
    Dataset,
    /// The only dataset that the call is for.
    Fixed(&'static str),
    /// A job, by its number.
    Job,
    /// A bulk, by its UUID.
    Bulk,
}

/// What a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessRule {
    /// The method; HEAD goes as GET.
    pub method: &'static str,
    /// The address as it is registered.
    pub path: &'static str,
    /// The scope; `None` of a call that is open to all.
    pub scope: Option<Scope>,
    /// What it is about.
    pub about: About,
}

const fn open(method: &'static str, path: &'static str) -> AccessRule {
    AccessRule { method, path, scope: None, about: About::Nothing }
}

const fn read(path: &'static str, about: About) -> AccessRule {
    AccessRule { method: "GET", path, scope: Some(Scope::Read), about }
}

const fn import(path: &'static str, about: About) -> AccessRule {
    AccessRule { method: "POST", path, scope: Some(Scope::Import), about }
}

const fn admin(method: &'static str, path: &'static str, about: About) -> AccessRule {
    AccessRule { method, path, scope: Some(Scope::Admin), about }
}

/// Every call.
pub const ACCESS_RULES: &[AccessRule] = &[
    // The page has no rows in it: it asks for a key itself.
    open("GET", "/"),
    open("GET", "/jobs/{id}"),
    open("GET", "/bulks/{id}"),
    open("GET", "/new-dataset"),
    open("GET", "/datasets/{name}"),
    open("GET", "/page/{file}"),
    open("GET", "/docs/files"),
    open("GET", "/products/import-export-advanced"),
    open("GET", "/docs"),
    open("GET", "/docs/errors"),
    open("GET", "/openapi.json"),
    // Balancers have no key.
    open("GET", "/healthz"),
    open("GET", "/readyz"),
    // Signing in, and whether one is.
    open("GET", "/api/v1/session"),
    open("POST", "/api/v1/session"),
    open("DELETE", "/api/v1/session"),
    // Numbers only, of everybody together: no file, no row and no client is named.
    read("/metrics", About::Nothing),
    read("/api/v1/limits", About::Nothing),
    read("/api/v1/datasets", About::Nothing),
    read("/api/v1/datasets/{name}", About::Dataset),
    read("/api/v1/datasets/{name}/template.csv", About::Dataset),
    read("/api/v1/datasets/{name}/schema.json", About::Dataset),
    read("/api/v1/datasets/{name}/template.ndjson", About::Dataset),
    read("/api/v1/datasets/{name}/template.xlsx", About::Dataset),
    read("/api/v1/datasets/{name}/rows.csv", About::Dataset),
    read("/api/v1/datasets/{name}/rows.xlsx", About::Dataset),
    read("/api/v1/datasets/{name}/references", About::Dataset),
    read("/api/v1/datasets/{name}/mappings", About::Dataset),
    read("/api/v1/datasets/{name}/mappings/{mapping}", About::Dataset),
    AccessRule {
        method: "PUT",
        path: "/api/v1/datasets/{name}/mappings/{mapping}",
        scope: Some(Scope::Import),
        about: About::Dataset,
    },
    AccessRule {
        method: "DELETE",
        path: "/api/v1/datasets/{name}/mappings/{mapping}",
        scope: Some(Scope::Import),
        about: About::Dataset,
    },
    read("/api/v1/import/status/{id}", About::Job),
    read("/api/v1/import/events", About::Nothing),
    read("/api/v1/import/bulks/{id}", About::Bulk),
    read("/api/v1/import/bulks/{id}/events", About::Bulk),
    read("/api/v1/import/jobs", About::Nothing),
    read("/api/v1/import/jobs/{id}", About::Job),
    read("/api/v1/import/jobs/{id}/errors", About::Job),
    read("/api/v1/import/jobs/{id}/errors/groups", About::Job),
    read("/api/v1/import/jobs/{id}/errors.csv", About::Job),
    read("/api/v1/import/jobs/{id}/errors.xlsx", About::Job),
    read("/api/v1/import/jobs/{id}/events", About::Job),
    read("/api/v1/import/jobs/{id}/superseded", About::Job),
    read("/api/v1/import/jobs/{id}/diff", About::Job),
    read("/api/v1/import/jobs/{id}/diff.csv", About::Job),
    read("/api/v1/import/jobs/{id}/unprocessed.csv", About::Job),
    read("/api/v1/import/jobs/{id}/unprocessed.xlsx", About::Job),
    read("/api/v1/import/jobs/{id}/rows.csv", About::Job),
    read("/api/v1/import/jobs/{id}/rows.xlsx", About::Job),
    import("/api/v1/import/{dataset}", About::Dataset),
    import("/api/v1/import/{dataset}/preview", About::Dataset),
    import("/api/v1/import/bulks/{id}/cancel", About::Bulk),
    import("/api/v1/import/bulks/{id}/retry", About::Bulk),
    import("/api/v1/import/jobs/{id}/cancel", About::Job),
    import("/api/v1/import/jobs/{id}/pause", About::Job),
    import("/api/v1/import/jobs/{id}/resume", About::Job),
    import("/api/v1/import/jobs/{id}/retry", About::Job),
    import("/api/v1/import/jobs/{id}/rollback", About::Job),
    import("/api/v1/import/jobs/{id}/confirm", About::Job),
    AccessRule {
        method: "DELETE",
        path: "/api/v1/import/jobs/{id}",
        scope: Some(Scope::Import),
        about: About::Job,
    },
    // They change what everybody imports into.
    admin("GET", "/api/v1/tables", About::Nothing),
    admin("POST", "/api/v1/datasets/infer", About::Nothing),
    admin("POST", "/api/v1/datasets/reload", About::Nothing),
    admin("PUT", "/api/v1/datasets/{name}", About::Dataset),
    // They put a job before those of others.
    admin("POST", "/api/v1/import/jobs/{id}/force", About::Job),
    admin("POST", "/api/v1/import/jobs/{id}/priority", About::Job),
    // They send to other machines what becomes of everybody's jobs.
    admin("GET", "/api/v1/webhooks", About::Nothing),
    admin("POST", "/api/v1/webhooks", About::Nothing),
    admin("GET", "/api/v1/webhooks/{id}", About::Nothing),
    admin("DELETE", "/api/v1/webhooks/{id}", About::Nothing),
    admin("POST", "/api/v1/webhooks/{id}/enable", About::Nothing),
    admin("POST", "/api/v1/webhooks/{id}/test", About::Nothing),
    admin("GET", "/api/v1/webhooks/{id}/deliveries", About::Nothing),
    admin("POST", "/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver", About::Nothing),
    // Older clients.
    import("/api/erp/products/import/stream", About::Fixed("products")),
    read("/api/erp/products/template", About::Fixed("products")),
    import("/api/upload-csv", About::Fixed("products")),
    read("/api/jobs", About::Nothing),
    read("/api/jobs/{id}", About::Job),
    read("/api/jobs/{id}/events", About::Job),
    // Whoever knows the UUID of a session made it.
    read("/stream/{session}", About::Nothing),
    import("/file", About::Fixed("swim_events")),
    import("/api/dropship/bulk-import", About::Fixed("transactions")),
    import("/api/dropship/import", About::Fixed("transactions")),
    read("/api/dropship/import-status/{id}", About::Job),
    read("/api/dropship/import-recommendations", About::Fixed("transactions")),
    read("/api/performance", About::Nothing),
    read("/api/memory-stats", About::Nothing),
    // They show jobs and rows of everybody, or put a job before those of others.
    admin("GET", "/api/dropship/bulk-import-status", About::Nothing),
    admin("GET", "/api/metrics", About::Nothing),
    admin("POST", "/api/dropship/force-process/{id}", About::Job),
];

/// The rule of a call.
pub(in crate::http) fn rule(method: &str, path: &str) -> Option<&'static AccessRule> {
    let method = if method == "HEAD" { "GET" } else { method };
    ACCESS_RULES.iter().find(|rule| rule.method == method && rule.path == path)
}

/// The part of an address that stands where its pattern has its only parameter.
pub(super) fn parameter<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    let at = pattern.split('/').position(|segment| segment.starts_with('{'))?;
    path.split('/').nth(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_one_rule() {
        let calls: std::collections::BTreeSet<_> =
            ACCESS_RULES.iter().map(|rule| (rule.method, rule.path)).collect();
        assert_eq!(calls.len(), ACCESS_RULES.len());
        assert_eq!(rule("HEAD", "/readyz").map(|rule| rule.scope), Some(None));
        assert_eq!(rule("PUT", "/readyz"), None);
    }

    #[test]
    fn the_parameter_stands_where_the_pattern_has_it() {
        let path = "/api/v1/import/jobs/12/errors.csv";
        assert_eq!(parameter("/api/v1/import/jobs/{id}/errors.csv", path), Some("12"));
        assert_eq!(parameter("/api/jobs", "/api/jobs"), None);
    }
}
