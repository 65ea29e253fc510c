//! Steering jobs: what may be asked of a job when, and what it does to the job, to those that wait
//! behind it and to the table; rows that are imported again, and the list of those that are left.

mod actions;
mod asking;
mod children;
mod deleting;
mod elsewhere;
mod left_over;
mod lists;
mod order;
mod pausing;
mod retrying;
mod steer;
