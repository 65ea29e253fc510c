//! `unprocessed.csv` and `.xlsx`: the rows that a job left when it ended, ready to be imported.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};

use super::steer::*;
use crate::support::{Answer, SLOW, Upload, both};
use crate::survival::*;

async fn list(server: &crate::support::Server, job: i64, extension: &str) -> Answer {
    server.get(&format!("/api/v1/import/jobs/{job}/unprocessed.{extension}")).await
}

both!(
    the_rows_that_are_left_complete_the_table_when_they_are_uploaded,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "4"), ("LOADBAY_WRITERS", "2")],
    |server| {
        let (counts, expected) = undisturbed(server).await;
        server.load("products", Upload::csv(&before())).await;
        let mut job = server.import("products", Upload::csv(&file())).await;
        let mut parts = Vec::new();
        for extension in ["csv", "xlsx"] {
            reaches(server, job, 0, 100).await;
            let part = server.cancel(job).await.ok().clone();
            let link = format!("unprocessed{}", if extension == "csv" { "Csv" } else { "Xlsx" });
            let answer = server.get(part["links"][&link].as_str().unwrap()).await;
            assert_eq!(answer.status, 200, "{part}");
            let name = answer.header("content-disposition").unwrap();
            assert!(name.contains(&format!("unprocessed.{extension}")), "{name}");
            parts.push(part);
            let upload = Upload::file(&format!("rest.{extension}"), answer.bytes);
            job = server.import("products", upload).await;
        }
        let last = server.finished(job).await;
        assert_eq!(last["status"], "completed", "{last}");
        parts.push(last);
        assert_eq!(sum(&parts), counts, "the parts add up to the file");
        assert!(contents(server).await == expected, "the tables differ from an undisturbed run");
    }
);

both!(
    the_list_has_the_columns_of_the_file_and_is_known_when_it_comes_back,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "1")],
    |server| {
        let first = server.import_long("L").await;
        let text = "SKU;Shelf;Name;MRP\nA;1;=SUM(1);12,50\n\nB;2;'@x;7,25\nC;3;\"a;b\";x\n";
        let job = server.import("products", Upload::csv(text)).await;
        list(server, job, "csv").await.assert_problem(409, "invalid_job_state");
        server.cancel(job).await.ok();
        server.cancel(first).await.ok();
        let csv = list(server, job, "csv").await;
        assert_eq!(csv.header("content-type").unwrap(), "text/csv; charset=utf-8; header=present");
        assert_eq!(
            csv.text().replace('\r', ""),
            "SKU;Shelf;Name;MRP;_row;_error\nA;1;'=SUM(1);12,50;2;\nB;2;''@x;7,25;4;\n\
             C;3;\"a;b\";x;5;\n"
        );
        let xlsx = list(server, job, "xlsx").await;
        let mut book = Xlsx::new(Cursor::new(&*xlsx.bytes)).unwrap();
        let range = book.worksheet_range_at(0).unwrap().unwrap();
        assert_eq!(range.get_value((1, 2)), Some(&Data::String("=SUM(1)".to_owned())));
        assert_eq!(range.get_value((2, 4)), Some(&Data::String("4".to_owned())));
        let bom = server.get(&format!("/api/v1/import/jobs/{job}/unprocessed.csv?bom=1")).await;
        assert!(bom.bytes.starts_with(b"\xEF\xBB\xBFSKU;"));

        for (name, bytes) in [("rest.csv", csv.bytes), ("rest.xlsx", xlsx.bytes)] {
            let upload = Upload::file(name, bytes).option("decimal", "comma");
            let again = server.load("products", upload).await;
            assert_eq!(again["results"]["successCount"], 2, "{again}");
            let names = "select name from products where sku in ('A', 'B') order by sku";
            assert_eq!(server.rows(names).await.concat(), ["=SUM(1)", "'@x"], "{name}");
        }
        let prices = "select mrp from products where sku in ('A', 'B') order by sku";
        let prices = server.rows(prices).await.concat();
        let prices: Vec<f64> = prices.iter().map(|price| price.parse().unwrap()).collect();
        assert_eq!(prices, [12.5, 7.25]);
    }
);

both!(a_completed_job_leaves_an_empty_list, |server| {
    let job = server.load("products", Upload::csv("SKU,Name\nA,Arnica\nB,\n")).await;
    assert_eq!(job["links"].get("unprocessedCsv"), None);
    assert_eq!(list(server, id(&job), "csv").await.text(), "SKU,Name,_row,_error\r\n");
    assert_eq!(list(server, id(&job), "xlsx").await.status, 200);
});

both!(a_file_that_is_broken_gives_a_problem_and_no_torn_list, |server| {
    let mut text = "SKU,Name\n".to_owned();
    for row in 0..30_000 {
        text.push_str(&format!("R{row},Arnica\n"));
    }
    text.push_str(&format!("Q,{}\nX,x\n", "x".repeat((1 << 20) + 1)));
    let job = server.load("products", Upload::csv(&text)).await;
    assert_eq!(job["errorCode"], "field_too_long", "{job}");
    assert_eq!(job["links"].get("unprocessedCsv"), None);
    for extension in ["csv", "xlsx"] {
        let answer = list(server, id(&job), extension).await;
        answer.assert_problem(422, "field_too_long");
        assert!(answer.json["detail"].as_str().unwrap().contains("30002"), "{}", answer.text());
    }
    server.nothing_temporary_is_left().await;
});
