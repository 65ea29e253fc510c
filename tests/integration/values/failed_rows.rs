//! `errors.csv`: the failed rows with their columns, safe to open and ready to be imported again.

use crate::support::{Answer, Upload, both};

/// The records of a CSV file.
pub(crate) fn records(answer: &Answer) -> Vec<Vec<String>> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&*answer.bytes);
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The same records as CSV.
pub(crate) fn written(records: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for record in records {
        writer.write_record(record).unwrap();
    }
    writer.into_inner().unwrap()
}

/// Names that a spreadsheet would take for formulas, and some that look like it.
pub(crate) const NAMES: [&str; 13] = [
    "=SUM(1)",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-x",
    "@x",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "'=x",
    "''@x",
    "'tis",
    "-12.50",
];

/// One row for each of the names, all with the same fault.
pub(crate) fn dangerous() -> String {
    let row = |(n, name): (usize, &&str)| format!("S{n:02},\"{name}\",oops\n");
    "SKU,Name,MRP\n".to_owned() + NAMES.iter().enumerate().map(row).collect::<String>().as_str()
}

both!(the_failed_rows_come_back_with_their_columns_and_the_reason, |server| {
    let text = "SKU,Shelf,Name,MRP\nA,1,Arnica,3\nB,2,\"Bella\ndonna\",x\n\nC,3,,1\n";
    let job = server.load("products", Upload::file("list.csv", text)).await;
    let answer = server.errors_file(job["jobId"].as_i64().unwrap(), "csv").await;
    let media_type = answer.header("content-type").unwrap();
    assert!(media_type.starts_with("text/csv"), "{media_type}");
    let name = answer.header("content-disposition").unwrap();
    assert!(name.starts_with("attachment") && name.contains("list-errors.csv"), "{name}");
    assert_eq!(
        records(&answer),
        [
            vec!["SKU", "Shelf", "Name", "MRP", "_row", "_error"],
            vec![
                "B",
                "2",
                "Bella\ndonna",
                "x",
                "3",
                "mrp: `x` is not a number; write it like 12.50"
            ],
            vec!["C", "3", "", "1", "5", "name: Name is required"],
        ]
    );
});

both!(no_cell_of_the_file_begins_a_formula, |server| {
    let job = server.load("products", Upload::csv(&dangerous())).await;
    assert_eq!(job["counts"]["failed"], NAMES.len());
    let list = records(&server.errors_file(job["jobId"].as_i64().unwrap(), "csv").await);
    for cell in list.iter().flatten().filter(|cell| *cell != "-12.50") {
        let first = cell.chars().next().unwrap_or('x');
        assert!(!"=+-@\t\r＝＋－＠".contains(first), "{cell}");
    }
});

both!(a_mended_list_is_imported_as_it_is, |server| {
    let job = server.load("products", Upload::csv(&dangerous())).await;
    let mut list = records(&server.errors_file(job["jobId"].as_i64().unwrap(), "csv").await);
    list[1][2] = "12.50".into();
    let again = server.load("products", Upload::file("mended.csv", written(&list))).await;
    assert_eq!(again["counts"]["created"], 1, "{again}");
    assert_eq!(again["counts"]["failed"], NAMES.len() - 1);
    assert_eq!(server.database.value("select name from products").await, "=SUM(1)");

    // The list of the list is the same list without the row that was mended.
    let rest = records(&server.errors_file(again["jobId"].as_i64().unwrap(), "csv").await);
    assert_eq!(rest[0], list[0]);
    let cells = |list: &[Vec<String>]| -> Vec<Vec<String>> {
        list.iter().map(|row| row[..3].to_vec()).collect()
    };
    assert_eq!(cells(&rest[1..]), cells(&list[2..]));

    let mut mended = rest;
    for row in mended.iter_mut().skip(1) {
        row[2] = "1".into();
    }
    let all = server.load("products", Upload::file("mended.csv", written(&mended))).await;
    assert_eq!(all["counts"]["created"], NAMES.len() - 1);
    let names = server.rows("select name from products order by sku").await.concat();
    assert_eq!(names, NAMES, "each name came back exactly as it was");
});

both!(an_apostrophe_of_any_other_file_stays, |server| {
    server.load("products", Upload::csv("SKU,Name\nA,'=SUM(1)\nB,'-x\n")).await;
    let names = server.rows("select name from products order by sku").await.concat();
    assert_eq!(names, ["'=SUM(1)", "'-x"]);
});

both!(a_row_that_nobody_mended_fails_again, |server| {
    // Most lines with letters beyond ASCII are UTF-8, so the others are broken.
    let text = b"SKU,Name,Tags\nA,Arnica,\xC3\xA4\nB,Bella\xFFdonna,\xC3\xA4\n\xFE,x,\xC3\xA4\n\
                 C,Calendula,\xC3\xA4\nD,Drosera,\xC3\xA4\n";
    let job = server.load("products", Upload::file("p.csv", &text[..])).await;
    assert_eq!(job["counts"]["failed"], 2);
    let list = server.errors_file(job["jobId"].as_i64().unwrap(), "csv").await;
    let again = server.load("products", Upload::file("errors.csv", list.bytes)).await;
    assert_eq!(again["counts"]["failed"], 2, "no sign of a lost letter is stored: {again}");
    let codes = server.rows("select distinct code from import_errors").await;
    assert_eq!(codes, [["bad_encoding"]]);
});

both!(an_error_names_the_key_of_its_row, |server| {
    let text = "Name,SKU,MRP\nArnica, A-1 ,free\nBelladonna,,2\n,A-3,cheap\nDrosera,A-4,4\n";
    let job = server.load("products", Upload::csv(text)).await;
    let keys = "select row_number, coalesce(key, 'none') from import_errors \
                order by row_number, id";
    let expected = [["2", "A-1"], ["3", "none"], ["4", "A-3"], ["4", "A-3"]];
    assert_eq!(server.rows(keys).await, expected);
    let path = job["links"]["errors"].as_str().unwrap();
    let answer = server.send(server.request(reqwest::Method::GET, path)).await;
    let errors = answer.data()["errors"].clone();
    assert_eq!(errors[0]["key"], "A-1");
    assert_eq!(errors[1]["key"], serde_json::Value::Null);
});

both!(the_list_of_a_job_without_failed_rows_is_empty, |server| {
    let job = server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    let list = records(&server.errors_file(job["jobId"].as_i64().unwrap(), "csv").await);
    assert_eq!(list, [["SKU", "Name", "_row", "_error"]]);
    assert_eq!(job["links"].get("errorsCsv"), None);
});

both!(the_list_keeps_the_dialect_of_its_file, |server| {
    let text = "SKU;Name;MRP\nA;Arnica;12,50\nB;;7,25\n";
    let job = server.load("products", Upload::csv(text)).await;
    let list = server.errors_file(job["jobId"].as_i64().unwrap(), "csv").await;
    assert!(list.text().starts_with("SKU;Name;MRP;_row;_error\r\nB;;7,25;3;"), "{}", list.text());
    let mended = list.text().replace("B;;", "B;Belladonna;");
    let again = server.load("products", Upload::csv(&mended)).await;
    assert_eq!(again["counts"]["created"], 1, "{again}");
    let bom = server.get(&format!("{}?bom=1", job["links"]["errorsCsv"].as_str().unwrap())).await;
    assert!(bom.bytes.starts_with(b"\xEF\xBB\xBFSKU;"));
});
