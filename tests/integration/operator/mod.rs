//! What an operator asks: the statements of the documentation, the lists, the log, a shell.

mod lists;
mod run_time;
mod shell;
mod statements;
