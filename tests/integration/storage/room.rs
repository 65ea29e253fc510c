//! A disk without room: uploads are told before they are read, jobs wait, everything else goes on.

use std::io::{Read, Write};

use super::files::{folders, list};
use crate::support::*;

both!(
    without_room_uploads_are_refused_and_jobs_wait,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        let job = server.import("products", Upload::csv(&list("A", 2_000))).await;
        let other = server.import("products", Upload::csv(&list("B", 100))).await;
        server.until(job, |status| status["progress"]["current"].as_u64() > Some(0)).await;
        server.kill();
        server.restart_with(&[("LOADBAY_CHUNK_ROWS", "10"), ("LOADBAY_MIN_FREE", "1TiB")]);

        // Told before a byte of the file was sent.
        let address = server.address().trim_start_matches("http://");
        let mut early = std::net::TcpStream::connect(address).unwrap();
        early.set_read_timeout(Some(std::time::Duration::from_mins(1))).unwrap();
        let head = "POST /api/v1/import/products HTTP/1.1\r\nHost: localhost\r\n\
                    Content-Type: text/csv\r\nContent-Length: 1000000\r\n\r\n";
        early.write_all(head.as_bytes()).unwrap();
        let mut answer = [0; 13];
        early.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 507 ");
        drop(early);

        for upload in [Upload::csv(&list("C", 10)), Upload::csv(&list("C", 10)).raw()] {
            let refused = server.full(upload).await;
            assert_eq!(
                (refused.status, refused.code()),
                (507, "storage_full"),
                "{}",
                refused.text()
            );
        }
        assert!(folders(&server.data_dir().join("tmp")).is_empty());
        assert_eq!(folders(&server.data_dir().join("uploads")).len(), 2);
        assert_eq!(server.jobs("").await.ok()["jobs"].as_array().map(Vec::len), Some(2));
        assert_eq!(server.status(other).await.ok()["status"], "pending");
        assert_eq!(server.cancel(other).await.ok()["status"], "cancelled");
        assert!(server.log().contains("disk has too little space, no jobs are claimed"));

        server.terminate();
        server.restart_with(&[("LOADBAY_CHUNK_ROWS", "10")]);
        let status = server.finished(job).await;
        assert_eq!(status["status"], "completed", "{status}");
        assert_eq!(server.status(other).await.ok()["status"], "cancelled");
    }
);
