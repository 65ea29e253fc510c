//! A ZIP archive is a bulk of the files inside.

use serde_json::json;

use super::*;
use crate::reading::packed::gzip;

both!(an_archive_is_a_bulk_of_its_files, |server| {
    let inner = zipped(&[("x.csv", b"SKU,Name\nX,X\n")]);
    let archive = zipped(&[
        ("../../etc/one.csv", b"SKU,Name\nA,A\n"),
        ("two.ndjson", b"{\"SKU\":\"B\",\"Name\":\"B\"}\n"),
        ("inner.zip", &inner),
        ("three.csv.gz", &gzip(b"SKU,Name\nC,C\n")),
        ("notes.txt", b"see you\n"),
    ]);
    for raw in [false, true] {
        let file = Upload::file("all.zip", archive.clone()).media_type("application/zip");
        let file = if raw { file.raw() } else { file };
        let answer = server.upload("products", file).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let entries = answer.data()["jobs"].clone();
        let names: Vec<_> = (0..5).map(|index| entries[index]["fileName"].clone()).collect();
        assert_eq!(names, ["one.csv", "two.ndjson", "inner.zip", "three.csv", "notes.txt"]);
        assert_eq!(entries[2]["errorCode"], "unsupported_format", "an archive inside is refused");
        assert_eq!(entries[4]["errorCode"], "no_header");
        let found = ended(server, &ids(&answer).0).await;
        assert_eq!(found["status"], "partial_success");
    }
    let skus = server.rows("select sku from products order by sku").await;
    assert_eq!(skus, [["A"], ["B"], ["C"]]);
    server.nothing_temporary_is_left().await;
});

both!(what_is_wrong_with_an_archive_is_told, |server| {
    let archive = zipped(&[("a.csv", b"SKU,Name\nA,A\n")]);
    let cut = Upload::file("cut.zip", &archive[..archive.len() - 30]);
    server.upload("products", cut).await.assert_problem(422, "corrupt_archive");
    let empty = Upload::file("empty.zip", zipped(&[]));
    server.upload("products", empty).await.assert_problem(415, "unsupported_format");
    let folders = Upload::file("folders.zip", zipped(&[("a/.DS_Store", b"x")]));
    server.upload("products", folders).await.assert_problem(400, "no_file");
    // Beside other files only the archive is refused.
    let files: [(&str, &[u8]); 2] =
        [("cut.zip", &archive[..archive.len() - 30]), ("a.csv", b"SKU,Name\nA,A\n")];
    let answer = upload(server, &files, &[]).await;
    assert_eq!(
        answer.data()["jobs"][0]["errorCode"],
        json!("corrupt_archive"),
        "{}",
        answer.text()
    );
    ended(server, &ids(&answer).0).await;
    // A preview looks at one file.
    let request = server.request(Method::POST, "/api/v1/import/products/preview");
    let two = form(&[("a.csv", b"SKU,Name\nA,A\n"), ("b.csv", b"SKU,Name\nB,B\n")]);
    server.send(request.multipart(two)).await.assert_problem(400, "multiple_files");
});

/// The archive with the file `name` marked as encrypted, in its own header and in the directory.
fn encrypted(mut archive: Vec<u8>, name: &str) -> Vec<u8> {
    for (signature, flags, name_at) in [(b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)] {
        let is_header = |at: &usize| {
            archive[*at..].starts_with(signature)
                && archive[*at..].get(name_at..).is_some_and(|it| it.starts_with(name.as_bytes()))
        };
        let at = (0..archive.len()).find(is_header).expect("the file has its headers");
        archive[at + flags] |= 1;
    }
    archive
}

both!(an_encrypted_file_of_an_archive_is_refused_in_its_place, |server| {
    let archive = zipped(&[("a.csv", b"SKU,Name\nA,A\n"), ("b.csv", b"SKU,Name\nB,B\n")]);
    let archive = Upload::file("all.zip", encrypted(archive, "a.csv"));
    let answer = server.upload("products", archive).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let message = "Product import of 1 file started in background, 1 refused";
    assert_eq!(answer.json["message"], message);
    let refused = &answer.data()["jobs"][0];
    assert_eq!(refused["errorCode"], "password_protected", "{refused}");
    assert!(refused["error"].as_str().unwrap().contains("encrypted"), "{refused}");
    ended(server, &ids(&answer).0).await;
    assert_eq!(server.rows("select sku from products").await, [["B"]]);
});
