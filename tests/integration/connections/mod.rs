//! Connections: how long idle ones stay, what becomes of them when the server stops, clients of
//! HTTP/1.0, proxies, and the path below which a proxy shows the server.

mod below_path;
mod idle;
mod old_http;
mod stopping;
