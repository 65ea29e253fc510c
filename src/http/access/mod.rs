//! Who may call what: one table of rules, and the guard in front of all handlers that keeps them.

mod caller;
mod credentials;
mod guard;
mod host_check;
mod metered;
mod rules;
pub(in crate::http) mod session;

pub(in crate::http) use caller::caller;
pub(in crate::http) use guard::admit;
pub(in crate::http) use rules::rule;
pub use rules::{ACCESS_RULES, About, AccessRule};
