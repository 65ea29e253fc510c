//! A client of the API, for the commands: uploads files, follows jobs, asks and orders.
//!
//! Knows the addresses and the JSON that the API documentation has, and nothing of how a server works:
//! it names neither `http` nor `store`, so that what it needs is what every client gets.

mod address;
mod answer;
mod connection;
mod error;
mod follow;
mod key;
mod patience;
mod refusal;
mod standing;
mod upload;

pub use address::ServerAddress;
pub use answer::ServerAnswer;
pub use connection::{Connection, OnAway};
pub use error::ClientError;
pub use follow::Followed;
pub use key::ServerKey;
pub use refusal::ServerRefusal;
pub use standing::{Outcome, Standing};
pub use upload::{OutgoingUpload, Sent, UploadFile, UploadSource};
