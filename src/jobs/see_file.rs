//! What the rows of an uploaded file hold, for a proposal of a definition. Keeps nothing.

use super::context::Jobs;
use super::error::JobsError;
use super::stop::StopOnDrop;
use crate::dataset::FileColumns;
use crate::definitions::{FileToSee, see_file};
use crate::domain::options::Options;
use crate::files::{TempUpload, name_inside};
use crate::reader::{Upload, may_be_workbook};

/// A file that is only looked at.
#[derive(Debug)]
pub struct SeenUpload {
    /// The file.
    pub upload: TempUpload,
    /// Its name.
    pub file_name: String,
    /// What the client says that it is.
    pub media_type: Option<String>,
    /// How it is read.
    pub options: Options,
}

impl Jobs {
    /// Looks at all rows of a file. Ends when the caller goes away. Answers with the name of the file,
    /// of what is inside where it is packed.
    ///
    /// # Errors
    /// When it is none that can be read.
    pub async fn see_upload(&self, seen: SeenUpload) -> Result<(String, FileColumns), JobsError> {
        self.while_awaited(|context| async move {
            let SeenUpload { mut upload, mut file_name, media_type, options } = seen;
            let limit = context.settings.max_upload;
            if let Some(inside) = context.data_dir.gunzip(&upload, limit).await? {
                upload = inside;
                file_name = name_inside(&file_name).to_owned();
            }
            let is_workbook = may_be_workbook(&upload.path).map_err(JobsError::File)?;
            let permit = context.settings.child.permit(is_workbook).await;
            let (home, tmp) = (context.settings.home_encoding.clone(), context.data_dir.tmp());
            let stop = StopOnDrop::default();
            let flag = stop.flag();
            let span = tracing::Span::current();
            let seeing = tokio::task::spawn_blocking(move || {
                let _in_request = span.entered();
                let folder = tempfile::Builder::new().prefix("rows-").tempdir_in(tmp);
                let folder = folder.map_err(JobsError::NoRoom)?;
                let file = FileToSee {
                    upload: Upload {
                        path: &upload.path,
                        file_name: &file_name,
                        media_type: media_type.as_deref(),
                        valid_utf8: upload.valid_utf8,
                        size: upload.size,
                    },
                    options: &options,
                    home_encoding: home.as_deref(),
                    folder: folder.path(),
                };
                let seen = see_file(file, &permit, &flag).map_err(JobsError::File)?;
                Ok((file_name, seen))
            });
            seeing.await.unwrap_or(Err(JobsError::Panicked))
        })
        .await
    }
}
