//! What can be imported: several files, folders, patterns, standard input, addresses; and the options.

use std::fs;

use super::ended;
use crate::support::both;

both!(several_files_become_a_bulk, |server| {
    server.file("drop/a.csv", "SKU,Name\nA-1,Arnica\n");
    server.file("drop/b.csv", "SKU,Name\nB-1,Bryonia\n,nobody\n");
    server.file("drop/c.csv", "%PDF-1.4\n");
    let import = ["import", "drop", "-d", "products", "--errors-to", "bad.csv"];
    let all = server.run(&import);
    let out = all.with(4);
    assert!(out.contains("partial_success"), "{out}");
    assert!(out.contains("job 2 (b.csv): completed, 2 rows, 1 failed"), "{out}");
    assert!(out.contains("no job (c.csv): refused"), "{out}");
    let failed = fs::read_to_string(server.folder().join("bad.csv")).unwrap();
    assert!(failed.contains(",nobody,3,"), "{failed}");

    let good = server.run(&["import", "drop/[ab].csv", "-d", "products", "--json"]).json(3);
    assert_eq!(good["files"]["total"], 2);
    let bulk = good["bulkId"].as_str().unwrap();
    assert_eq!(server.run(&["status", bulk, "--json"]).json(0), good);
    server.run(&["watch", bulk]).with(3);
});

both!(standard_input_is_a_file, |server| {
    let import = ["import", "-", "--name", "prices.csv", "-d", "products", "--json"];
    let job = ended(server.program().args(import).write_stdin("SKU,Name\nA-1,Arnica\n")).json(0);
    assert_eq!((&job["fileName"], &job["counts"]["created"]), (&"prices.csv".into(), &1.into()));
    let empty = ended(server.program().args(["import", "-", "-d", "products"]).write_stdin(""));
    empty.with(4);
});

both!(what_is_stored_is_exported, |server| {
    server.file("p.csv", "SKU,Name,Brand\nA-1,Arnica,Acme\nB-1,Bryonia,Other\n");
    server.run(&["import", "p.csv", "-d", "products"]).with(0);
    let out = server.run(&["export", "-d", "products", "--scope", "{\"brand\": \"acme\"}"]);
    let out = out.with(0);
    assert!(out.starts_with("SKU,Name,") && out.contains("A-1,Arnica"), "{out}");
    assert!(!out.contains("B-1"), "{out}");
    server.run(&["export", "-d", "products", "--to", "all.xlsx"]).with(0);
    let again = server.run(&["import", "all.xlsx", "-d", "products", "--json"]).json(0);
    assert_eq!(again["counts"]["unchanged"], 2, "{again}");
});

both!(options_are_flags_and_a_dry_run_keeps_nothing, |server| {
    server.file("p.csv", "SKU;Name;MRP\nA-1;Arnica;1,50\n");
    let import = [
        "import",
        "p.csv",
        "-d",
        "products",
        "--dry-run",
        "--decimal",
        "comma",
        "-o",
        "priority=5",
        "--json",
    ];
    let job = server.run(&import).json(0);
    assert_eq!(job["dryRun"], true);
    assert_eq!(job["options"]["decimal"], "comma");
    assert_eq!(job["priority"], 5);
    assert_eq!(server.database.number("select count(*) from products").await, 0);
    let refused = server.run(&["import", "p.csv", "-d", "products", "--decimal", "dot"]);
    refused.with(4);
    assert!(refused.err.contains("point"), "{}", refused.err);
});

both!(the_failed_rows_of_an_earlier_run_do_not_stay, |server| {
    server.file("bad.csv", "of yesterday");
    server.file("good.csv", "SKU,Name\nA-1,Arnica\n");
    let import = ["import", "good.csv", "-d", "products", "--errors-to", "bad.csv"];
    server.run(&import).with(0);
    assert!(!server.folder().join("bad.csv").exists());
    server.file("good.csv", "SKU,Name\n,Arnica\n");
    server.run(&[&import[..5], &["failed.xlsx"]].concat()).with(3);
    let workbook = fs::read(server.folder().join("failed.xlsx")).unwrap();
    assert!(workbook.starts_with(b"PK"));
});

both!(an_address_is_downloaded_by_the_server, |server| {
    let import = ["import", "http://127.0.0.1:9/prices.csv", "-d", "products"];
    let refused = server.run(&import);
    refused.with(4);
    assert!(refused.err.contains("127.0.0.1"), "{}", refused.err);
});
