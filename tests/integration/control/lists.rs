//! The lists that are made when somebody asks for them: `HEAD` tells of the same file as `GET`, and
//! nothing is begun for which there is no room.

use reqwest::Method;

use super::steer::*;
use crate::support::{Server, Upload, both};

/// A job with a failed row and rows that it did not reach, and its four lists.
async fn with_lists(server: &Server) -> (i64, [String; 4]) {
    let mut text = "SKU,Name\nA,Arnica\nB,\n".to_owned();
    for row in 0..200 {
        text.push_str(&format!("R{row},Rhus\n"));
    }
    let job = id(&server.load("products", Upload::csv(&text).option("onError", "abort")).await);
    let names = ["errors.csv", "errors.xlsx", "unprocessed.csv", "unprocessed.xlsx"];
    (job, names.map(|name| format!("/api/v1/import/jobs/{job}/{name}")))
}

both!(head_tells_of_the_same_file_as_get, [("LOADBAY_CHUNK_ROWS", "1")], |server| {
    let (job, lists) = with_lists(server).await;
    let shape = ["content-type", "content-disposition", "content-length", "transfer-encoding"];
    for list in &lists {
        let get = server.get(list).await;
        let head = server.send(server.request(Method::HEAD, list)).await;
        assert_eq!((get.status, head.status, head.bytes.len()), (200, 200, 0), "{list}");
        assert!(!get.bytes.is_empty(), "{list}");
        for name in shape {
            assert_eq!(head.header(name), get.header(name), "{name} of {list}");
        }
    }
    let gone = format!("update import_log set files_removed_at = completed_at where id = {job}");
    server.database.execute(&gone).await;
    for list in &lists {
        assert_eq!(server.send(server.request(Method::HEAD, list)).await.status, 410, "{list}");
    }
    let back = format!("update import_log set files_removed_at = null where id = {job}");
    server.database.execute(&back).await;
});

both!(
    a_list_that_may_be_as_large_as_the_file_needs_room_for_it,
    [("LOADBAY_CHUNK_ROWS", "1")],
    |server| {
        let (job, lists) = with_lists(server).await;
        let size =
            |bytes: u64| format!("update import_log set file_size = {bytes} where id = {job}");
        server.database.execute(&size(1 << 60)).await;
        for list in &lists[2..] {
            let answer = server.full_get(list).await;
            assert_eq!((answer.status, answer.code()), (507, "storage_full"), "{list}");
        }
        server.nothing_temporary_is_left().await;
        server.database.execute(&size(1_000)).await;
        assert_eq!(server.get(&lists[2]).await.status, 200);
    }
);
