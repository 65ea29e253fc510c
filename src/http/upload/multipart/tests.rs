//! Forms as they come, in pieces of any size.

use std::pin::Pin;

use actix_web::FromRequest;
use actix_web::error::PayloadError;
use actix_web::test::TestRequest;
use actix_web::web::Payload;
use futures_util::{Stream, stream};

use super::*;

/// A part as it was read: the name of its field, and its bytes.
type NamedContent = (String, String);

/// The parts of a body that comes in pieces of so many bytes.
async fn read(body: &str, piece: usize) -> Result<Vec<NamedContent>, String> {
    let pieces: Vec<_> = body.as_bytes().chunks(piece).map(Bytes::copy_from_slice).collect();
    let pieces = stream::iter(pieces.into_iter().map(Ok::<_, PayloadError>));
    let pieces: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> = Box::pin(pieces);
    let mut payload = actix_web::dev::Payload::Stream { payload: pieces };
    let request = TestRequest::post().to_http_request();
    let payload = Payload::from_request(&request, &mut payload).await.unwrap();
    let parts = async {
        let mut form = FormReader::begin(UploadBody::new(payload, None), "B").await?;
        let mut parts = Vec::new();
        while let Some(head) = form.next_part().await? {
            let mut content = Vec::new();
            while let Some(bytes) = form.next_piece().await? {
                content.extend_from_slice(&bytes);
            }
            let name = head.disposition.name(None).unwrap_or_default();
            parts.push((name, String::from_utf8(content).unwrap()));
        }
        Ok(parts)
    };
    parts.await.map_err(|problem: Problem| problem.detail().to_owned())
}

fn part(name: &str, content: &str) -> NamedContent {
    (name.to_owned(), content.to_owned())
}

#[actix_web::test]
async fn parts_are_read_whatever_ends_their_lines_and_however_they_come() {
    let form = "before\n--B\nContent-Disposition: form-data; name=\"a\"\n\none\n--Bx\n\n--B  \n\
                content-disposition: form-data;\n name=\"b\"\nContent-Type: text/csv\n\n\n--B--\nafter";
    let expected = [part("a", "one\n--Bx\n"), part("b", "")];
    for end in ["\r\n", "\n", "\r"] {
        let form = form.replace('\n', end);
        let expected: Vec<_> =
            expected.iter().map(|(name, text)| part(name, &text.replace('\n', end))).collect();
        for piece in [1, 2, 3, 7, 1000] {
            assert_eq!(read(&form, piece).await.unwrap(), expected, "{end:?}, pieces of {piece}");
        }
    }
}

#[actix_web::test]
async fn contents_of_other_line_ends_are_left_as_they_are() {
    let form = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\nx\n--B\ny\r--B--\r\r\n--B--";
    assert_eq!(read(form, 1).await.unwrap(), [part("a", "x\n--B\ny\r--B--\r")]);
    let form = "--B\nContent-Disposition: form-data; name=a\n\nx\r\ny\r\n\n--B--\n";
    assert_eq!(read(form, 4).await.unwrap(), [part("a", "x\r\ny\r\n")]);
}

#[actix_web::test]
async fn a_form_without_parts_is_one() {
    for form in ["--B--", "--B--\r\n", "\r\n--B--\r\n"] {
        assert_eq!(read(form, 1).await.unwrap(), []);
    }
}

#[actix_web::test]
async fn what_is_no_form_is_told_as_what_it_is() {
    let head = "Content-Disposition: form-data; name=a";
    for (body, words) in [
        (String::new(), "ended before its last boundary"),
        ("no form at all".to_owned(), "ended before its last boundary"),
        (format!("--B\r\n{head}\r\n\r\nx"), "ended before its last boundary"),
        (format!("--B\r\n{head}"), "ended before its last boundary"),
        (format!("--C\r\n{head}\r\n\r\nx\r\n--C--\r\n"), "begins with the boundary `C`"),
        ("--B\r\n\r\nx\r\n--B--\r\n".to_owned(), "no Content-Disposition"),
        (
            format!("--B\r\n{head}\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--B--"),
            "base64",
        ),
        (format!("--B\r\n{head}{}\r\n\r\nx\r\n--B--", "x".repeat(HEAD_BYTES_MAX)), "too long"),
        (format!("--B\r\n{head}{}", "x".repeat(2 * HEAD_BYTES_MAX)), "too long"),
    ] {
        let fault = read(&body, 1000).await.unwrap_err();
        assert!(fault.contains(words), "{fault}: {body:.80}");
    }
}
