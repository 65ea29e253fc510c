//! What a preview says of a file, that it says the same as an upload would, and that it keeps
//! nothing; what a page asks besides: the limits of the server, and row errors by kind.

mod answer;
mod faults;
mod gone;
mod groups;
mod large;
mod limits;
mod nothing_kept;
mod refused;
mod rows;
mod workbooks;

use serde_json::Value;

use crate::support::{Answer, Server, Upload};

/// `POST /api/v1/import/products/preview`.
async fn preview(server: &Server, upload: Upload) -> Answer {
    server.upload("products/preview", upload).await
}

/// The preview of a file that can be read.
async fn seen(server: &Server, upload: Upload) -> Value {
    preview(server, upload).await.ok().clone()
}

/// One member of each element of a list.
#[track_caller]
fn each<'a>(list: &'a Value, member: &str) -> Vec<&'a Value> {
    list.as_array().unwrap().iter().map(|element| &element[member]).collect()
}

/// The codes in a list of faults or errors.
#[track_caller]
fn codes(list: &Value) -> Vec<&str> {
    each(list, "code").into_iter().map(|code| code.as_str().unwrap()).collect()
}
