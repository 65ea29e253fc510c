//! Files: uploads on their way in, the files of jobs where they stay, failed rows on their way out.
//!
//! Owns the data directory and its layout, and the storage that servers share. Knows no database,
//! no dataset and no HTTP.
//!
//! ```text
//! <data>/loadbay.sqlite                          the database, where it is SQLite
//! <data>/server-id                               who this server is; locked while it runs
//! <data>/database-id                             the database that the uploads belong to
//! <data>/reserve                                room for what must be written on a full disk
//! <data>/tmp/                                    whatever is not finished; emptied at start
//! <data>/downloads/<uuid>/                       what came so far of a file that is downloaded
//! <data>/uploads/<uuid>/source                   the uploaded file of a job
//! <data>/uploads/<uuid>/failed/<chunk>-<epoch>.jsonl  the failed rows of a chunk
//! <shared folder>/loadbay-storage                the name of a folder that servers share
//! <shared folder>/database-id, uploads/<uuid>/…  as above
//! s3://<bucket>/<prefix>/database-id, <uuid>/…   as above
//! ```

mod archive;
mod blocking;
mod data_dir;
mod directory_state;
mod disk_space;
mod disposition;
mod error;
mod failed_rows;
mod fetch;
mod file_name;
mod folders;
mod gunzip;
mod receive;
mod storage;
mod upload_file;
mod utf8;

pub use archive::{ArchiveError, ArchivedFile};
pub use data_dir::DataDir;
pub use directory_state::DirectoryState;
pub use disk_space::free_bytes;
pub use disposition::{Disposition, parameter_named};
pub use error::{FileError, is_disk_full, is_transient_io};
pub use failed_rows::FailedRows;
pub use fetch::{
    FarFile, Fetch, FetchError, FetchProgress, FetchRules, Fetched, Fetcher, NextAttempt, Ports,
    ReceiverAnswer, Sender,
};
pub use file_name::shown_name;
pub use gunzip::name_inside;
pub use receive::Receiver;
pub use storage::{BucketAccess, SourceFile, Storage, StorageUrl, StoredUpload};
pub use upload_file::TempUpload;
