//! Fields that forms have beside their file and the options: tokens of the page's framework, and what
//! upload widgets say of the file. They mean nothing here and are no unknown options.

use crate::domain::row_error::shown;
use crate::http::problem::Problem;

/// Fields of frameworks: Laravel, Django, Rails, Express, Spring, ASP.NET, PHP; and buttons.
const OF_FRAMEWORKS: &[&str] = &[
    "_token",
    "_csrf",
    "_csrf_token",
    "csrf",
    "csrf_token",
    "csrf-token",
    "csrftoken",
    "csrfmiddlewaretoken",
    "authenticity_token",
    "__requestverificationtoken",
    "utf8",
    "_method",
    "_charset_",
    "max_file_size",
    "submit",
    "commit",
];

/// What widgets say of a file: Uppy, Plupload, Ant Design, Resumable.js.
const OF_WIDGETS: &[&str] = &[
    "name",
    "filename",
    "file_name",
    "type",
    "filetype",
    "size",
    "filesize",
    "uid",
    "relativepath",
    "webkitrelativepath",
    "lastmodified",
    "lastmodifieddate",
    "chunk",
    "chunks",
];

/// Beginnings of the names of all fields of a widget: Dropzone, Fine Uploader, Resumable.js, Flow.js.
const PREFIXES: &[&str] = &["dz", "qq", "resumable", "flow"];

/// Fields that say in how many pieces the file comes.
const PIECES: &[&str] =
    &["chunks", "dztotalchunkcount", "qqtotalparts", "resumabletotalchunks", "flowtotalchunks"];

/// True for a field that is neither the file nor an option.
pub(super) fn is_extra(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    OF_FRAMEWORKS.contains(&name.as_str())
        || OF_WIDGETS.contains(&name.as_str())
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Refuses one of several pieces of a file.
pub(super) fn check(name: &str, value: &str) -> Result<(), Problem> {
    let says_pieces = PIECES.contains(&name.to_ascii_lowercase().as_str());
    match value.trim().parse::<u64>() {
        Ok(pieces @ 2..) if says_pieces => Err(Problem::malformed(format!(
            "the form has one of {pieces} pieces of a file (`{}`); let the client send the whole \
             file in one request",
            shown(name)
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::options::Options;

    #[test]
    fn no_option_is_an_extra_field() {
        for name in Options::NAMES {
            assert!(!is_extra(name), "{name}");
        }
        for name in ["_token", "csrfmiddlewaretoken", "__RequestVerificationToken", "dzuuid"] {
            assert!(is_extra(name), "{name}");
        }
        assert!(!is_extra("colour"));
    }

    #[test]
    fn a_piece_of_a_file_is_refused() {
        assert!(check("chunks", "3").unwrap_err().to_string().contains("one of 3 pieces"));
        assert!(check("dzTotalChunkCount", "2").is_err());
        for (name, value) in [("chunks", "1"), ("chunks", "x"), ("size", "300")] {
            assert!(check(name, value).is_ok(), "{name}={value}");
        }
    }
}
