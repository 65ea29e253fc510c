//! Follows a job or a bulk to its end by its status, which answers at each change.

use std::time::Duration;

use super::connection::Connection;
use super::error::ClientError;
use super::standing::Standing;

/// The least time between two looks: a job commits many times a second.
const PAUSE: Duration = Duration::from_millis(200);

/// How long the server waits for a change, in seconds.
const WAIT_SECONDS: u64 = 20;

/// A job or a bulk on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// A job, by its number.
    Job(i64),
    /// A bulk, by its UUID.
    Bulk(String),
}

impl Followed {
    /// Reads a number or a UUID.
    ///
    /// # Errors
    /// What is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(number) = text.parse().ok().filter(|number| *number > 0) {
            return Ok(Self::Job(number));
        }
        uuid::Uuid::parse_str(text).map(|id| Self::Bulk(id.to_string())).map_err(|_| {
            "it is neither the number of a job nor the UUID of a bulk; `loadbay jobs` lists the \
             jobs"
                .to_owned()
        })
    }

    /// The address of its status.
    #[must_use]
    pub fn status_path(&self) -> String {
        match self {
            Self::Job(id) => format!("/api/v1/import/status/{id}"),
            Self::Bulk(id) => format!("/api/v1/import/bulks/{id}"),
        }
    }

    /// The address of one of its actions.
    #[must_use]
    pub fn action_path(&self, action: &str) -> String {
        match self {
            Self::Job(id) => format!("/api/v1/import/jobs/{id}/{action}"),
            Self::Bulk(id) => format!("/api/v1/import/bulks/{id}/{action}"),
        }
    }
}

impl std::fmt::Display for Followed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Job(id) => write!(f, "{id}"),
            Self::Bulk(id) => f.write_str(id),
        }
    }
}

impl Connection {
    /// How a job or a bulk stands.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn standing(&self, of: &Followed) -> Result<Standing, ClientError> {
        Ok(Standing { data: self.get(&of.status_path()).await?.data })
    }

    /// Follows a job or a bulk to its end; `seen` gets each change.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn follow(
        &self,
        of: &Followed,
        mut seen: impl FnMut(&Standing),
    ) -> Result<Standing, ClientError> {
        let path = of.status_path();
        let waiting = format!("{path}?wait={WAIT_SECONDS}");
        let mut tag: Option<String> = None;
        loop {
            // The first question waits for nothing: without a tag the server would wait for the end.
            let path = if tag.is_some() { &waiting } else { &path };
            if let Some(answer) = self.get_changed(path, tag.as_deref()).await? {
                tag = answer.tag;
                let standing = Standing { data: answer.data };
                seen(&standing);
                if standing.is_final() {
                    return Ok(standing);
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_job_and_a_uuid_a_bulk() {
        assert_eq!(Followed::parse("12"), Ok(Followed::Job(12)));
        let id = "0b7c5d1e-64a1-4c53-9c6a-9f3a0e0d7a11";
        let bulk = Followed::parse(id).unwrap();
        assert_eq!(bulk.action_path("cancel"), format!("/api/v1/import/bulks/{id}/cancel"));
        for text in ["", "0", "-1", "twelve"] {
            assert!(Followed::parse(text).is_err(), "{text}");
        }
    }
}
