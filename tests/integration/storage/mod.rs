//! Where the files of jobs lie: in a bucket or folder that servers share, so that each of them runs
//! every job, and how much room and time they get.

mod away;
mod client;
mod files;
mod line;
mod orphans;
mod owner;
mod retention;
mod room;
mod shared;
mod switching;
mod tls;
