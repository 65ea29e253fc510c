//! Connections: how long idle ones stay, what becomes of them when the server stops, and clients of
//! HTTP/1.0.

mod idle;
mod old_http;
mod stopping;
