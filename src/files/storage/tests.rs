//! The three kinds of storage keep one promise.

use std::time::Duration;

use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;

use super::location::shared_location;
use super::*;
use crate::domain::row_error::{RowCode, RowError};
use crate::domain::row_number::RowNumber;
use crate::files::TempUpload;

/// A server's data directory, and what the storages share.
struct TestStorages {
    shared: tempfile::TempDir,
    bucket: Bucket,
    _data: tempfile::TempDir,
    data_dir: Arc<DataDir>,
}

fn test_storages() -> TestStorages {
    let data = tempfile::tempdir().unwrap();
    let data_dir = Arc::new(DataDir::open(data.path()).unwrap());
    let bucket = Bucket::new(Arc::new(InMemory::new()), ObjectPath::from("prefix"));
    TestStorages { shared: tempfile::tempdir().unwrap(), bucket, _data: data, data_dir }
}

impl TestStorages {
    fn storages(&self) -> [Storage; 3] {
        let url = StorageUrl::Folder(self.shared.path().to_owned());
        [
            Storage::own(Arc::clone(&self.data_dir)),
            Storage::connect(Arc::clone(&self.data_dir), Some(&url), &BucketAccess::default())
                .unwrap(),
            Storage {
                data_dir: Arc::clone(&self.data_dir),
                location: shared_location("bucket").into(),
                shown: "s3://bucket/prefix".into(),
                backend: Backend::Bucket(self.bucket.clone()),
            },
        ]
    }

    async fn upload(&self, text: &str) -> TempUpload {
        let mut receiver = self.data_dir.receive(1 << 30, None).unwrap();
        receiver.write(text.as_bytes()).await.unwrap();
        receiver.finish().await.unwrap()
    }

    /// Waits until nothing unfinished is left: unneeded files are removed in the background.
    async fn wait_until_tmp_is_empty(&self) {
        let limit = tokio::time::Instant::now() + Duration::from_secs(20);
        while fs::read_dir(self.data_dir.tmp()).unwrap().count() > 0 {
            assert!(tokio::time::Instant::now() < limit, "something is left");
            tokio::task::yield_now().await;
        }
    }
}

fn failed(number: u32) -> FailedRow {
    let row_number = RowNumber::new(number);
    let error = RowError {
        row_number,
        line: u64::from(row_number),
        column: None,
        code: RowCode::Required,
        message: "the cell is empty".to_owned(),
        value: None,
    };
    FailedRow { row_number, cells: vec!["a".to_owned()], errors: vec![error] }
}

#[tokio::test]
async fn what_is_kept_is_read_copied_and_removed() {
    let test = test_storages();
    for storage in test.storages() {
        let received = storage.store(test.upload("SKU\n1\n").await).await.unwrap();
        test.wait_until_tmp_is_empty().await;
        let (first, second) = (received.keep(), Uuid::new_v4());
        storage.copy_source(first, second).await.unwrap();
        storage.copy_source(first, second).await.unwrap();
        storage.remove(first).await.unwrap();
        storage.remove(first).await.unwrap();
        let gone = storage.open(first).await.unwrap_err();
        assert_eq!((gone.code().as_str(), gone.is_transient()), ("source_unreadable", false));
        assert!(storage.copy_source(first, Uuid::new_v4()).await.is_err());
        let source = storage.open(second).await.unwrap();
        assert_eq!(fs::read_to_string(source.path()).unwrap(), "SKU\n1\n");
        assert_eq!(source.is_own(), !storage.is_shared());
        drop(source);
        test.wait_until_tmp_is_empty().await;
        let job_dirs = storage.job_dirs().await.unwrap();
        assert!(job_dirs.iter().any(|job| job.uuid == second));
        assert!(job_dirs.iter().all(|job| job.age < Duration::from_mins(1)));
        assert_eq!(storage.remove(second).await.unwrap(), 6);
    }
}

fn part(chunk: u32) -> FailedPart {
    FailedPart { chunk, epoch: 1 }
}

#[tokio::test]
async fn small_files_and_failed_rows_come_back() {
    let test = test_storages();
    for storage in test.storages() {
        let uuid = Uuid::new_v4();
        storage.put(uuid, "notes.json", b"old".to_vec()).await.unwrap();
        storage.put(uuid, "notes.json", b"{}".to_vec()).await.unwrap();
        assert_eq!(storage.get(uuid, "notes.json").await.unwrap(), b"{}");
        assert!(storage.get(uuid, "other").await.is_err());
        let [one, two, three] = [2, 3, 9].map(failed);
        storage.write_failed_part(uuid, part(0), &[one, three]).await.unwrap();
        storage.write_failed_part(uuid, part(1), &[two]).await.unwrap();
        storage.write_failed_part(uuid, part(2), &[]).await.unwrap();
        let rows = storage.failed_rows(uuid, &[part(0), part(1)]).await.unwrap();
        let numbers: Vec<_> = rows.map(|row| row.unwrap().row_number.get()).collect();
        assert_eq!(numbers, [2, 3, 9]);
        assert!(storage.failed_rows(uuid, &[part(0), part(2)]).await.is_err(), "a part is missing");
        test.wait_until_tmp_is_empty().await;
    }
}

#[test]
fn an_upload_of_which_no_job_comes_is_removed_again() {
    let test = test_storages();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for storage in test.storages() {
        runtime.block_on(async {
            let received = storage.store(test.upload("a").await).await.unwrap();
            let uuid = received.uuid;
            drop(received);
            let limit = tokio::time::Instant::now() + Duration::from_secs(20);
            while storage.open(uuid).await.is_ok() {
                assert!(tokio::time::Instant::now() < limit, "it is still there");
                tokio::task::yield_now().await;
            }
        });
    }
}

#[test]
fn a_location_is_the_same_for_every_server_and_another_for_another_folder() {
    let (one, two) = (test_storages(), test_storages());
    let url = StorageUrl::Folder(one.shared.path().to_owned());
    let first =
        Storage::connect(Arc::clone(&one.data_dir), Some(&url), &BucketAccess::default()).unwrap();
    let second =
        Storage::connect(Arc::clone(&two.data_dir), Some(&url), &BucketAccess::default()).unwrap();
    assert_eq!(first.location(), second.location());
    assert!(first.location().len() <= 64 && first.is_shared());
    assert_eq!(first.reachable_locations().len(), 2);
    let other = StorageUrl::Folder(two.shared.path().to_owned());
    let other = Storage::connect(Arc::clone(&two.data_dir), Some(&other), &BucketAccess::default())
        .unwrap();
    assert_ne!(other.location(), first.location());

    let own = Storage::own(Arc::clone(&one.data_dir));
    assert_eq!(own.reachable_locations(), [one.data_dir.server_id().to_string()]);
    assert!(!first.at(own.location()).unwrap().is_shared());
    assert!(first.at(first.location()).unwrap().is_shared());
    let elsewhere = first.at(&two.data_dir.server_id().to_string()).unwrap_err();
    assert_eq!(elsewhere.code().as_str(), "files_on_other_server");
}

#[test]
fn a_shared_folder_that_is_not_there_is_refused() {
    let test = test_storages();
    let url = StorageUrl::Folder(test.shared.path().join("missing"));
    let refused =
        Storage::connect(Arc::clone(&test.data_dir), Some(&url), &BucketAccess::default())
            .unwrap_err();
    assert!(refused.to_string().contains("create or mount it first"), "{refused}");
}

#[tokio::test]
async fn a_shared_folder_that_goes_away_is_waited_for_and_not_written_to() {
    let test = test_storages();
    let [_, storage, _] = test.storages();
    let kept = storage.store(test.upload("a").await).await.unwrap().keep();
    let (uploads, elsewhere) =
        (test.shared.path().join("uploads"), test.shared.path().join("elsewhere"));
    fs::rename(&uploads, &elsewhere).unwrap();
    let faults = [
        storage.store(test.upload("b").await).await.unwrap_err(),
        storage.open(kept).await.unwrap_err(),
        storage.copy_source(kept, Uuid::new_v4()).await.unwrap_err(),
        storage.put(kept, "x", vec![]).await.unwrap_err(),
    ];
    for fault in faults {
        assert_eq!(fault.code().as_str(), "storage_unavailable");
        assert!(fault.is_transient());
    }
    assert!(!uploads.exists());
    fs::rename(&elsewhere, &uploads).unwrap();
    storage.open(kept).await.unwrap();
}

#[tokio::test]
async fn files_belong_to_the_first_database_until_somebody_says_otherwise() {
    let test = test_storages();
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    for storage in test.storages() {
        assert!(storage.belongs_to(first).await.unwrap());
        assert!(!storage.belongs_to(second).await.unwrap());
        assert!(storage.belongs_to(first).await.unwrap());
        assert!(storage.job_dirs().await.unwrap().is_empty());
    }
    let [_, shared, _] = test.storages();
    let owner = test.shared.path().canonicalize().unwrap().join("database-id");
    assert_eq!(shared.owner_file(), owner.display().to_string());
    fs::write(&owner, "half a na").unwrap();
    assert!(!shared.belongs_to(first).await.unwrap(), "nobody knows whose they are");
    fs::remove_file(&owner).unwrap();
    assert!(shared.belongs_to(second).await.unwrap());
}

#[tokio::test]
async fn room_is_looked_for_where_files_stay() {
    let shared = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let data_dir = Arc::new(DataDir::open(data.path()).unwrap().with_min_free(1 << 60));
    let url = StorageUrl::Folder(shared.path().to_owned());
    let access = BucketAccess::default();
    let storage = Storage::connect(Arc::clone(&data_dir), Some(&url), &access).unwrap();
    let refused = storage.check_free_space(0).await.unwrap_err();
    assert_eq!(refused.code().as_str(), "storage_full");
    assert!(refused.to_string().contains("shared folder"), "{refused}");
    let refused = Storage::own(data_dir).check_free_space(0).await.unwrap_err();
    assert!(refused.to_string().contains("data directory"), "{refused}");

    let test = test_storages();
    for storage in test.storages() {
        storage.check_free_space(1).await.unwrap();
        assert!(storage.check_free_space(1 << 60).await.is_err());
    }
    let [_, storage, _] = test.storages();
    fs::rename(test.shared.path().join("uploads"), test.shared.path().join("away")).unwrap();
    assert!(storage.check_free_space(0).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn messages_name_the_file_and_not_this_machine() {
    let test = test_storages();
    let uuid = Uuid::new_v4();
    for storage in test.storages() {
        let message = storage.open(uuid).await.unwrap_err().to_string();
        assert_eq!(
            message,
            format!("failed to read the uploaded file {uuid}/source: it is not there")
        );
    }
    let url = StorageUrl::Folder(test.shared.path().join("missing"));
    let access = BucketAccess::default();
    let message = Storage::connect(Arc::clone(&test.data_dir), Some(&url), &access).unwrap_err();
    assert!(message.to_string().starts_with("the shared folder `"), "{message}");
}
