//! Imports that are taken back: what they created goes, what they updated gets its former values,
//! what was changed since stays and is reported; whatever happens on the way.

mod asking;
mod basics;
mod changed;
mod disturbed;
mod modes;
mod needed;
mod own_table;
mod random;
mod reached;
mod redefined;
mod refused;
mod tables;
mod two_servers;
