//! Forms as programs write them that know no standard: line ends, names in a code page, paths, fields
//! of frameworks and widgets, files that nobody meant.

use reqwest::Method;

use super::forms::{GOOD, PATH, assert_nothing_left, assert_refused, form, send_as, send_form};
use crate::support::{Answer, Kind, Server, both};

const FILE: &str = "name=\"file\"; filename=\"p.csv\"";

/// The name that the job of an accepted upload shows.
async fn shown(server: &Server, answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.text());
    let status = server.finished(answer.data()["jobId"].as_i64().unwrap()).await;
    assert_eq!(status["results"]["successCount"], 1, "{status}");
    status["fileName"].as_str().unwrap().to_owned()
}

both!(lines_of_a_form_may_end_as_they_like, |server| {
    for end in ["\n", "\r"] {
        let text = String::from_utf8(form(&[
            ("name=\"blank\"", b"keep"),
            (FILE, b"SKU,Name;A-1,Arnica;"),
            ("name=\"priority\"", b"3"),
        ]));
        // The file's own lines end with CRLF in any form.
        let text = text.unwrap().replace("\r\n", end).replace(';', "\r\n");
        let text = text.replace("form-data\r\n", "form-data;").replace("\"file\"\r\n", "\"file\";");
        let answer = send_form(server, text.into_bytes()).await;
        assert_eq!(shown(server, &answer).await, "p.csv");
    }
});

#[tokio::test]
async fn a_name_is_read_in_the_code_page_that_it_looks_like() {
    let mut server = Server::start(Kind::Sqlite).await;
    for (bytes, name) in [
        (&b"gr\xF6\xDFe.csv"[..], "größe.csv"),
        ("größe.csv".as_bytes(), "größe.csv"),
        (b"\xF2\xEE\xE2\xE0\xF0\xFB.csv", "товары.csv"),
        (b"C:\\Users\\me\\p.csv", "p.csv"),
        (b"C:\\\\Users\\\\new\\\\p.csv", "p.csv"),
        (b"\\\\server\\share\\J\xFCrgen\\p.csv", "p.csv"),
    ] {
        let mut body = form(&[("name=\"file\"; filename=\"NAME\"", GOOD.as_bytes())]);
        let at = body.windows(4).position(|it| it == b"NAME").unwrap();
        body.splice(at..at + 4, bytes.iter().copied());
        assert_eq!(shown(&server, &send_form(&server, body).await).await, name);
        // The same header of an upload without a form.
        let value = [&b"attachment; filename=\""[..], bytes, b"\""].concat();
        let value = reqwest::header::HeaderValue::from_bytes(&value).unwrap();
        let request = server.request(Method::POST, PATH).header("content-type", "text/csv");
        let request = request.header("content-disposition", value).body(GOOD);
        assert_eq!(shown(&server, &server.send(request).await).await, name);
    }
    server.check_every_job().await;
}

#[tokio::test]
async fn the_home_encoding_decides_about_a_name() {
    let settings = [("LOADBAY_HOME_ENCODING", "windows-1250")];
    let server = Server::start_with(Kind::Sqlite, &settings).await;
    let mut body = form(&[("name=\"file\"; filename=\"NAME.csv\"", GOOD.as_bytes())]);
    let at = body.windows(4).position(|it| it == b"NAME").unwrap();
    body.splice(at..at + 4, *b"\xB3\xF3d\x9F");
    assert_eq!(shown(&server, &send_form(&server, body).await).await, "łódź.csv");
}

#[tokio::test]
async fn fields_of_frameworks_and_widgets_are_taken() {
    let mut server = Server::start(Kind::Sqlite).await;
    let good = GOOD.as_bytes();
    for parts in [
        vec![("name=\"_token\"", &b"x9"[..]), (FILE, good)],
        vec![("name=\"csrfmiddlewaretoken\"", b"x9"), (FILE, good), ("name=\"submit\"", b"Send")],
        vec![("name=\"__RequestVerificationToken\"", b"x9"), (FILE, good)],
        // Uppy.
        vec![
            ("name=\"relativePath\"", b"null"),
            ("name=\"name\"", b"p.csv"),
            ("name=\"type\"", b"text/csv"),
            (FILE, good),
        ],
        vec![("name=\"files[]\"; filename=\"p.csv\"", good)],
        vec![("name=\"file[]\"; filename=\"p.csv\"", good)],
        vec![("name=\"files\"; filename=\"p.csv\"", good)],
        // Plupload and Dropzone, which send small files whole.
        vec![("name=\"chunk\"", b"0"), ("name=\"chunks\"", b"1"), (FILE, good)],
        vec![("name=\"dzuuid\"", b"1-2"), ("name=\"dztotalchunkcount\"", b"1"), (FILE, good)],
        // A second field of the page in which nobody chose a file.
        vec![(FILE, good), ("name=\"photo\"; filename=\"\"", b"")],
    ] {
        let answer = send_form(&server, form(&parts)).await;
        assert_eq!(shown(&server, &answer).await, "p.csv", "{parts:?}");
    }
    server.check_every_job().await;
}

#[tokio::test]
async fn what_cannot_be_taken_is_told_in_a_sentence() {
    let server = Server::start(Kind::Sqlite).await;
    let good = GOOD.as_bytes();
    let pieces = form(&[("name=\"chunks\"", b"3"), (FILE, good)]);
    let answer = send_form(&server, pieces).await;
    assert_refused(&answer, 400, "malformed_request", &["one of 3 pieces", "`chunks`"]);
    let answer = send_form(&server, form(&[("name=\"colour\"", b"red"), (FILE, good)])).await;
    assert_refused(&answer, 400, "unknown_option", &["`colour`"]);

    let whole = form(&[(FILE, good)]);
    let answer = send_as(&server, "multipart/form-data", whole.clone()).await;
    assert_refused(&answer, 400, "malformed_request", &["no boundary"]);
    let answer = send_as(&server, "multipart/form-data; boundary=other", whole.clone()).await;
    assert_refused(&answer, 400, "malformed_request", &["`a-boundary`", "`other`"]);
    let answer = send_as(&server, "text/csv", whole).await;
    assert_refused(&answer, 400, "malformed_request", &["is a form", "`text/csv`"]);
    assert_nothing_left(&server).await;
}

#[tokio::test]
async fn the_lock_file_of_a_workbook_is_told_as_what_it_is() {
    let server = Server::start(Kind::Sqlite).await;
    let mut owner = b"\x05Admin".to_vec();
    owner.resize(55, b' ');
    owner.extend(b"\x05\0A\0d\0m\0i\0n\0");
    owner.resize(165, 0);
    let part = "name=\"file\"; filename=\"~$products.xlsx\"";
    let answer = send_form(&server, form(&[(part, &owner)])).await;
    let words = ["lock file", "Excel", "`products.xlsx`"];
    assert_refused(&answer, 415, "unsupported_format", &words);
    assert_nothing_left(&server).await;
}
