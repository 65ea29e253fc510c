//! Rows that are not what the import left: changed, deleted, or changed and taken back.

use super::tables::*;
use crate::support::*;

both!(rows_that_changed_since_are_kept_and_listed, |server| {
    server
        .load("products", Upload::csv("SKU,Name,Category,Qty\nA,Arnica,Drops,1\nB,Belladonna,,2\n"))
        .await;
    let first = load(
        server,
        "SKU,Name,Category,Qty\nA,Arnica 1,Pills,10\nB,Belladonna 1,,20\nC,China,Drops,3\nD,Drosera,,4\n",
    )
    .await;
    // Another import changes A and C: it is not the first one's business any more.
    server.load("products", Upload::csv("SKU,Name,Qty\nA,Arnica 2,11\nC,China 2,3\n")).await;
    let rows = server.rows("select * from products where sku in ('A', 'C') order by sku").await;
    let status = take_back(server, first).await;
    assert_counts(&status, [1, 1, 0, 2]);
    let expected = [["changed_since", "2", "A"], ["changed_since", "4", "C"]];
    assert_eq!(errors(server, &status).await, expected);
    let kept = server.rows("select * from products where sku in ('A', 'C') order by sku").await;
    assert_eq!(kept, rows);
    assert_eq!(server.rows("select sku, name from products order by sku").await.len(), 3);

    let job = status["jobId"].as_i64().unwrap();
    let page = server.errors(job, "").await;
    let message = "`A` was changed after the import and is kept";
    assert_eq!(page.data()["errors"][0]["message"], message, "{}", page.text());
    assert_eq!(page.data()["errors"][0]["column"], "sku");
    let list = server.errors_file(job, "csv").await;
    let lines: Vec<_> = list.text().lines().collect();
    assert_eq!(lines[0], "SKU,Name,Category,Qty,_row,_error");
    // The cells are those of the table as it is now.
    assert!(lines[1].starts_with("A,Arnica 2,Pills,11"), "{}", lines[1]);
    assert!(lines[2].starts_with("C,China 2,Drops,3"), "{}", lines[2]);
    assert!(lines[1].ends_with(&format!(",2,sku: {message}")), "{}", lines[1]);
});

both!(columns_that_the_file_did_not_feed_may_change, |server| {
    server.load("products", Upload::csv("SKU,Name,UOM,Qty\nA,Arnica,ml,1\n")).await;
    let job = load(server, "SKU,Name,Qty\nA,Arnica 1,2\n").await;
    server.load("products", Upload::csv("SKU,Name,UOM\nA,Arnica 1,drops\n")).await;
    assert_counts(&take_back(server, job).await, [0, 1, 0, 0]);
    let found = server.rows("select name, uom, current_stock from products").await.concat();
    assert_eq!(&found[..2], ["Arnica", "drops"]);
    assert!(found[2].starts_with('1'), "{found:?}");
});

both!(a_row_that_is_gone_is_told_where_it_would_have_been_put_back, |server| {
    let before = "SKU,Name,Category,Qty\nA,Arnica,Drops,1\nB,Belladonna,,2\n";
    server.load("products", Upload::csv(before)).await;
    let job = load(
        server,
        "SKU,Name,Category,Qty\nA,Arnica 1,Pills,1\nB,Belladonna 1,,2\nC,China,,3\nD,D,,4\n",
    )
    .await;
    let gone = "delete from product_stocks; delete from products where sku in ('A', 'C'); \
                update products set sku = 'Z' where sku = 'B'";
    server.database.execute(gone).await;
    let status = take_back(server, job).await;
    // C would have been removed anyhow.
    assert_counts(&status, [1, 0, 1, 2]);
    let expected = [["changed_since", "2", "A"], ["changed_since", "3", "B"]];
    assert_eq!(errors(server, &status).await, expected);
    assert_eq!(server.rows("select sku, name from products").await, [["Z", "Belladonna 1"]]);
    let page = server.errors(status["jobId"].as_i64().unwrap(), "").await;
    let message = "`A` was deleted or got another key after the import; it is not put back";
    assert_eq!(page.data()["errors"][0]["message"], message, "{}", page.text());
    // The list has what was before: whoever wants the rows back uploads it.
    let list = server.errors_file(status["jobId"].as_i64().unwrap(), "csv").await;
    let lines: Vec<_> = list.text().lines().collect();
    assert!(lines[1].starts_with("A,Arnica,Drops,1"), "{}", lines[1]);
    assert!(lines[2].starts_with("B,Belladonna,,2"), "{}", lines[2]);
});

both!(a_row_that_was_made_anew_is_another_one, |server| {
    server.load("products", Upload::csv("SKU,Name\nZ,Zincum\nA,Arnica\n")).await;
    let job = load(server, "SKU,Name\nA,Arnica 1\nB,Belladonna\nY,Y\n").await;
    server.database.execute("delete from products where sku in ('A', 'B')").await;
    server.load("products", Upload::csv("SKU,Name\nB,Belladonna\nA,Arnica 1\n")).await;
    let status = take_back(server, job).await;
    assert_counts(&status, [1, 0, 0, 2]);
    assert_eq!(errors(server, &status).await.len(), 2);
});

both!(imports_are_taken_back_one_after_the_other, |server| {
    server.load("products", Upload::csv("SKU,Name,Price\nA,Arnica,1\n")).await;
    let start = (products(server).await, current(server).await);
    let first = load(server, "SKU,Name,Price\nA,Arnica,2\nB,Belladonna,2\n").await;
    let between = (products(server).await, current(server).await);
    let second = load(server, "SKU,Name,Price\nA,Arnica,3\nB,Belladonna,3\n").await;
    assert_counts(&take_back(server, second).await, [0, 2, 0, 0]);
    assert_eq!((products(server).await, current(server).await), between);
    assert_counts(&take_back(server, first).await, [1, 1, 0, 0]);
    assert_eq!((products(server).await, current(server).await), start);
});
