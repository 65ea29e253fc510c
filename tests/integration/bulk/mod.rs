//! Several files in one upload.

mod archives;
mod commands;
mod files;
mod streams;

use std::io::Write;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use crate::support::*;

/// A form of files, each in the part `files`.
fn form(files: &[(&str, &[u8])]) -> Form {
    let part = |(name, content): &(&str, &[u8])| {
        Part::bytes(content.to_vec()).file_name((*name).to_owned())
    };
    files.iter().fold(Form::new(), |form, file| form.part("files", part(file)))
}

/// Uploads files into products.
async fn upload(server: &Server, files: &[(&str, &[u8])], headers: &[(&str, &str)]) -> Answer {
    let mut request = server.request(Method::POST, "/api/v1/import/products");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.multipart(form(files))).await
}

/// The same, accepted: the id of the bulk and the numbers of its jobs.
async fn accepted(server: &Server, files: &[(&str, &[u8])]) -> (String, Vec<i64>) {
    let answer = upload(server, files, &[]).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    ids(&answer)
}

fn ids(answer: &Answer) -> (String, Vec<i64>) {
    let data = answer.data();
    let jobs = data["jobIds"].as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect();
    (data["bulkId"].as_str().unwrap().to_owned(), jobs)
}

async fn bulk(server: &Server, id: &str, query: &str) -> Value {
    server.get(&format!("/api/v1/import/bulks/{id}{query}")).await.ok().clone()
}

/// The bulk at its end.
async fn ended(server: &Server, id: &str) -> Value {
    let mut found = bulk(server, id, "?wait=60").await;
    while found["completedAt"].is_null() {
        found = bulk(server, id, "?wait=60").await;
    }
    found
}

/// A ZIP archive of files.
fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
