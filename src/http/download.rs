//! Downloads: their headers, and bodies that blocking threads make while they are sent.

use std::fs::File;
use std::io::{self, Read, Seek};

use actix_web::http::header::{
    self, Charset, ContentDisposition, DispositionParam, DispositionType, ExtendedValue,
};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use futures_util::{Stream, stream};

/// The media type of CSV with a header (RFC 4180).
pub(super) const CSV: &str = "text/csv; charset=utf-8; header=present";

/// The media type of a workbook.
pub(super) const NDJSON: &str = "application/x-ndjson";

pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Bytes of a file in one piece.
const PIECE_BYTES: usize = 64 << 10;

/// A 200 that browsers save as `name`: plain for old ones, RFC 8187 for all others.
pub(super) fn headers(name: &str, media_type: &str) -> HttpResponseBuilder {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') { c } else { '_' })
        .collect();
    let disposition = ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![
            DispositionParam::Filename(plain),
            DispositionParam::FilenameExt(ExtendedValue {
                charset: Charset::Ext("UTF-8".to_owned()),
                language_tag: None,
                value: name.as_bytes().to_vec(),
            }),
        ],
    };
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CONTENT_TYPE, media_type)).insert_header(disposition);
    response
}

/// The answer to `HEAD`: the headers of `GET`, without making the file.
pub(super) fn head(name: &str, media_type: &str) -> HttpResponse {
    headers(name, media_type).streaming(stream::empty::<io::Result<Bytes>>())
}

/// The name of a file made from an uploaded one: `products.xlsx` gives `products-errors.csv`.
pub(super) fn derived_name(file_name: &str, what: &str, extension: &str) -> String {
    let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
    let stem = if stem.is_empty() { "import" } else { stem };
    format!("{stem}-{what}.{extension}")
}

/// A body that is made piece by piece. A thread works only while a piece is made, so none waits for
/// a slow client.
pub(super) trait Pieces: Send + 'static {
    /// The next piece; an empty one ends the body. Blocks.
    fn next_piece(&mut self) -> io::Result<Vec<u8>>;
}

/// An unnamed temporary file that is sent; it is removed with this value.
#[derive(Debug)]
pub(super) struct TempFile(File);

impl TempFile {
    /// Sends `file` from its beginning.
    pub(super) fn written(mut file: File) -> io::Result<Self> {
        file.rewind()?;
        Ok(Self(file))
    }
}

impl Pieces for TempFile {
    fn next_piece(&mut self) -> io::Result<Vec<u8>> {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        self.0.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut piece)?;
        Ok(piece)
    }
}

/// Streams the pieces. An error closes the connection, so that the client notices that the body is
/// incomplete.
pub(super) fn body<P: Pieces>(pieces: P) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold(pieces, |mut pieces| async move {
        let made = tokio::task::spawn_blocking(move || {
            let piece = pieces.next_piece();
            (pieces, piece)
        });
        let (pieces, piece) = made.await.map_err(io::Error::other)?;
        match piece {
            Ok(piece) if piece.is_empty() => Ok(None),
            Ok(piece) => Ok(Some((Bytes::from(piece), pieces))),
            Err(fault) => {
                tracing::error!(
                    event = "download_interrupted",
                    error = %fault,
                    "download interrupted"
                );
                Err(fault)
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_has_a_name_for_old_and_new_browsers() {
        let name = derived_name("Größe \"x\".final.xlsx", "errors", "csv");
        let response = headers(&name, CSV).finish();
        let disposition = response.headers().get(header::CONTENT_DISPOSITION).unwrap();
        insta::assert_snapshot!(disposition.to_str().unwrap(), @r#"attachment; filename="Gr__e__x_.final-errors.csv"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%22x%22.final%2Derrors.csv"#);
        assert_eq!(derived_name(".csv", "errors", "xlsx"), "import-errors.xlsx");
    }
}
