//! What becomes of the values of a row: stored exactly, or refused with a reason for each fault; and
//! the list of the refused rows, which comes back to be mended.

mod failed_rows;
mod listing;
mod numbers;
mod outcome;
mod rows;
mod texts;
mod warnings;
mod workbook_list;
