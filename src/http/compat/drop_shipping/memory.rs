//! `GET /api/memory-stats`: what the server uses of its memory, under the names that these clients
//! know.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Serialize;

use super::{json, share};
use crate::http::api::Api;
use crate::http::problem::Problem;

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct MemoryStats {
    allocated_memory: u64,
    total_allocated: u64,
    system_memory: u64,
    /// There is no garbage collector.
    gc_count: u64,
    last_gc_time: Option<String>,
    max_memory_usage: u64,
    current_memory_usage: u64,
    memory_pressure: f64,
    memory_limit: u64,
}

/// 200 with bytes.
pub(in crate::http::compat) async fn memory(api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    let memory = api.jobs.memory();
    let stats = MemoryStats {
        allocated_memory: memory.used,
        total_allocated: memory.reserved,
        system_memory: memory.resident,
        gc_count: 0,
        last_gc_time: None,
        max_memory_usage: memory.peak,
        current_memory_usage: memory.used,
        memory_pressure: share(memory.used, memory.limit),
        memory_limit: memory.limit,
    };
    json(StatusCode::OK, &stats)
}
