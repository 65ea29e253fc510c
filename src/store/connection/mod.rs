//! Connections to the database: how they are opened, limited and watched. What is asked through them
//! is unknown here.

mod address;
pub(super) mod examine;
pub(super) mod home;
mod identity;
pub(super) mod idle_writers;
mod keepalive;
pub(super) mod migrate;
pub(super) mod notifications;
pub(super) mod open;
pub(super) mod pools;
mod probe;
mod reach;
mod rights;
pub(super) mod sessions;
pub(super) mod start_fault;
