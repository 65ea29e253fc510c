//! Connections to the database: how they are opened, limited and watched. What is asked through them
//! is unknown here.

mod identity;
mod keepalive;
pub(super) mod notifications;
pub(super) mod open;
pub(super) mod sessions;
