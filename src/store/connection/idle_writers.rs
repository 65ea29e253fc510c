//! Connections of chunk writers that rest between two jobs, with their temporary tables and prepared
//! statements: a job of a few rows would spend most of its time on making them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Connections that rest at a time.
const KEPT_MAX: usize = 2;

/// How long one rests. Short, so that a table which its owner changes is soon seen as it is.
const KEEP: Duration = Duration::from_secs(30);

/// The connections that rest.
#[derive(Debug)]
pub(crate) struct IdleWriters<C>(Arc<Mutex<Vec<IdleWriter<C>>>>);

#[derive(Debug)]
struct IdleWriter<C> {
    /// The statements that made its temporary tables.
    prepare: Vec<String>,
    since: Instant,
    connection: C,
}

impl<C> Clone for IdleWriters<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> Default for IdleWriters<C> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<C> IdleWriters<C> {
    /// A connection with the temporary tables that `prepare` makes, if one rests.
    pub(crate) fn take(&self, prepare: &[String]) -> Option<C> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|writer| writer.since.elapsed() < KEEP);
        let found = idle.iter().position(|writer| writer.prepare == prepare)?;
        Some(idle.swap_remove(found).connection)
    }

    /// Keeps a connection that is outside of any transaction; the one that rests longest goes.
    pub(crate) fn keep(&self, prepare: Vec<String>, connection: C) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|writer| writer.since.elapsed() < KEEP);
        if idle.len() >= KEPT_MAX {
            idle.remove(0);
        }
        idle.push(IdleWriter { prepare, since: Instant::now(), connection });
    }
}
