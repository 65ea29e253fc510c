//! Encodings of text files.

use encoding_rs::WINDOWS_1252;

use super::products::{faults, load};
use crate::support::{Kind, Server, Upload};

const TEXT: &str = "SKU;Name\nÄ-1;Käse für Müller – 5 €\nB;Crème brûlée\n";
const ROWS: [[&str; 2]; 2] = [["B", "Crème brûlée"], ["Ä-1", "Käse für Müller – 5 €"]];

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(unit).collect()
}

#[tokio::test]
async fn every_usual_encoding_gives_the_same_rows() {
    for (bytes, encoding, bom) in [
        (TEXT.as_bytes().to_vec(), "utf-8", false),
        (format!("\u{feff}{TEXT}").into_bytes(), "utf-8", true),
        (utf16(TEXT, u16::to_le_bytes), "utf-16le", true),
        (utf16(TEXT, u16::to_be_bytes), "utf-16be", true),
        (WINDOWS_1252.encode(TEXT).0.into_owned(), "windows-1252", false),
    ] {
        let (status, rows) = load(Upload::file("p.csv", bytes), "sku, name").await;
        assert_eq!(status["detected"]["encoding"], encoding);
        assert_eq!(status["detected"]["bom"], bom);
        assert_eq!(rows, ROWS, "{encoding}");
    }
}

#[tokio::test]
async fn an_encoding_that_is_asked_for_is_taken() {
    let without_mark = utf16(TEXT, u16::to_le_bytes)[2..].to_vec();
    let upload = Upload::file("p.csv", without_mark).option("encoding", "UTF-16LE");
    assert_eq!(load(upload, "sku, name").await.1, ROWS);
    let (bytes, _, _) = encoding_rs::SHIFT_JIS.encode("SKU,Name\nA,日本語\n");
    let upload = Upload::file("p.csv", bytes.into_owned()).option("encoding", "shift_jis");
    assert_eq!(load(upload, "name").await.1, [["日本語"]]);
}

#[tokio::test]
async fn a_byte_that_is_no_text_fails_its_own_row_only() {
    let mut server = Server::start(Kind::Sqlite).await;
    let mut bytes = b"SKU,Name,Brand\n".to_vec();
    for n in 0..40_000 {
        bytes.extend_from_slice(format!("R{n},Käse,Öko\n").as_bytes());
        if n == 20_000 {
            bytes.extend_from_slice(b"X,B\xE4r,\xC3\n");
        }
    }
    let status = server.load("products", Upload::file("p.csv", bytes)).await;
    assert_eq!(status["detected"]["encoding"], "utf-8");
    assert_eq!(
        (&status["counts"]["created"], &status["counts"]["failed"]),
        (&40_000.into(), &1.into())
    );
    let fault = |column: &str| (20_003, column.to_owned(), "bad_encoding".to_owned());
    assert_eq!(faults(&server, &status).await, [fault("name"), fault("brand")]);
    let odd = "select count(*) from products where name like '%\u{fffd}%'";
    assert_eq!(server.database.number(odd).await, 0, "no replacement character is stored");
    server.check_every_job().await;
}
