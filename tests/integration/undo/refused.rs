//! Rows that the database does not let be taken back, and imports of which it refused rows.

use super::tables::*;
use crate::support::*;

/// `rows` products from number `from` on.
fn file(rows: std::ops::Range<u32>, price: u32) -> String {
    let row = |row| format!("S{row:03},Name {row},{price},4006{row}\n");
    format!("SKU,Name,Price,Barcode\n{}", rows.map(row).collect::<String>())
}

/// Orders that refer to some of the products.
async fn order(server: &Server, skus: &str, constraint: &str) {
    let sql = format!(
        "create table order_lines (product_id bigint references products (id) {constraint});
         insert into order_lines select id from products where sku in ({skus})"
    );
    server.database.execute(&sql).await;
}

both!(rows_that_others_refer_to_are_kept, [("LOADBAY_CHUNK_ROWS", "20")], |server| {
    server.load("products", Upload::csv(&file(0..10, 1))).await;
    let before = products(server).await;
    let job = load(server, &file(0..50, 2)).await;
    let prices = "select count(*) from product_prices h join products p on p.id = h.product_id \
                  where p.sku in ('S010', 'S029', 'S049')";
    assert_eq!(server.database.number(prices).await, 3);
    order(server, "'S003', 'S010', 'S029', 'S049'", "").await;
    let status = take_back(server, job).await;
    assert_counts(&status, [37, 10, 0, 3]);
    let refused = ["S010", "S029", "S049"];
    let expected = [("12", refused[0]), ("31", refused[1]), ("51", refused[2])]
        .map(|(row, sku)| ["constraint_violated", row, sku]);
    assert_eq!(errors(server, &status).await, expected);
    assert_eq!(server.database.number(prices).await, 3, "what is kept keeps its history");
    let gone = "delete from order_lines; delete from product_prices where product_id in \
                (select id from products where sku > 'S009'); delete from products where sku > 'S009'";
    server.database.execute(gone).await;
    assert_eq!(products(server).await, before);
});

#[tokio::test]
async fn a_reference_that_is_checked_late_refuses_its_row_alone() {
    let mut server = Server::start(Kind::Postgres).await;
    let job = load(&server, &file(0..20, 2)).await;
    order(&server, "'S007'", "deferrable initially deferred").await;
    assert_counts(&take_back(&server, job).await, [19, 0, 0, 1]);
    server.check_every_job().await;
}

both!(a_former_value_that_is_taken_by_now_stays_away, |server| {
    server.load("products", Upload::csv("SKU,Name,Barcode\nA,Arnica,1\nB,Bryonia,2\n")).await;
    server.database.execute("create unique index one_barcode on products (barcode)").await;
    let job = load(server, "SKU,Name,Barcode\nA,Arnica,3\nB,Bryonia,4\nC,China,5\n").await;
    server.load("products", Upload::csv("SKU,Name,Barcode\nD,Drosera,1\n")).await;
    let status = take_back(server, job).await;
    assert_counts(&status, [1, 1, 0, 1]);
    assert_eq!(errors(server, &status).await, [["constraint_violated", "2", "A"]]);
    let found = server.rows("select sku, barcode from products order by sku").await;
    assert_eq!(found, [["A", "3"], ["B", "2"], ["D", "1"]]);
});

both!(a_row_that_a_trigger_does_not_let_go_is_kept, |server| {
    server.load("products", Upload::csv("SKU,Name\nA,Arnica\nB,Bryonia\n")).await;
    let job = load(server, "SKU,Name\nA,Arnica 1\nB,Bryonia 1\nC,China\nD,Drosera\n").await;
    let sql = match server.database.kind() {
        Kind::Sqlite => {
            "create trigger keep_c before delete on products when old.sku = 'C' \
             begin select raise(ignore); end;
             create trigger keep_a before update on products when old.sku = 'A' \
             begin select raise(ignore); end;"
        }
        Kind::Postgres => {
            "create function keep() returns trigger language plpgsql as $$ begin \
             if old.sku in ('A', 'C') then return null; end if; \
             if tg_op = 'DELETE' then return old; end if; return new; end $$;
             create trigger keep before delete or update on products for each row \
             execute function keep()"
        }
    };
    server.database.execute(sql).await;
    let status = take_back(server, job).await;
    assert_counts(&status, [1, 1, 0, 2]);
    let expected = [["refused_by_database", "2", "A"], ["refused_by_database", "4", "C"]];
    assert_eq!(errors(server, &status).await, expected);
    let found = server.rows("select sku, name from products order by sku").await;
    assert_eq!(found, [["A", "Arnica 1"], ["B", "Bryonia"], ["C", "China"]]);
});

both!(a_chunk_with_refused_rows_keeps_the_journal_of_the_others, |server| {
    server.load("products", Upload::csv(&file(0..20, 1))).await;
    let (before, records) = (products(server).await, current(server).await);
    let sql = match server.database.kind() {
        Kind::Sqlite => {
            "create trigger no_bad before insert on products when new.barcode like 'BAD%' \
             begin select raise(abort, 'barcodes are never bad'); end;
             create trigger not_bad before update on products when new.barcode like 'BAD%' \
             begin select raise(abort, 'barcodes are never bad'); end;"
        }
        Kind::Postgres => {
            "alter table products add constraint never_bad check (barcode not like 'BAD%')"
        }
    };
    server.database.execute(sql).await;
    let bad = ["S003", "S004", "S019", "S020", "S044", "S059"];
    let mut text = file(0..60, 2);
    for sku in bad {
        let number: u32 = sku.trim_start_matches('S').parse().unwrap();
        text = text.replace(&format!(",4006{number}\n"), &format!(",BAD{number}\n"));
    }
    let job = server.load("products", undoable(&text)).await;
    assert_eq!(job["counts"]["failed"], 6, "{job}");
    let rows = server.rows("select row_number from import_undo order by row_number").await;
    assert_eq!(rows.len(), 54);
    assert!(!rows.contains(&vec!["5".to_owned()]), "row 5 was refused");
    assert_counts(&take_back(server, job["jobId"].as_i64().unwrap()).await, [37, 17, 0, 0]);
    assert_eq!(products(server).await, before);
    assert_eq!(current(server).await, records);
});

both!(what_triggers_made_of_a_row_is_what_the_import_left, |server| {
    server.load("products", Upload::csv("SKU,Name,UOM\nA,Arnica,ml\n")).await;
    let before = products(server).await;
    let sql = match server.database.kind() {
        Kind::Sqlite => {
            "create trigger shout after insert on products \
             begin update products set manufacturer = upper(new.name) where id = new.id; end;
             create trigger shout_again after update of name on products \
             begin update products set manufacturer = upper(new.name) where id = new.id; end;"
        }
        Kind::Postgres => {
            "create function shout() returns trigger language plpgsql as $$ begin \
             update products set manufacturer = upper(new.name) where id = new.id; \
             return null; end $$;
             create trigger shout after insert or update of name on products for each row \
             execute function shout()"
        }
    };
    server.database.execute(sql).await;
    let job = load(server, "SKU,Name,UOM\nA,Arnica 1,l\nB,Bryonia,\n").await;
    let made = "select manufacturer from products order by sku";
    assert_eq!(server.rows(made).await, [["ARNICA 1"], ["BRYONIA"]]);
    assert_counts(&take_back(server, job).await, [1, 1, 0, 0]);
    assert_eq!(server.rows(made).await, [["ARNICA"]], "the trigger had its say again");
    let names =
        |rows: &[Vec<String>]| rows.iter().map(|row| row[..10].to_vec()).collect::<Vec<_>>();
    assert_eq!(names(&products(server).await), names(&before));
});

both!(a_history_that_refuses_a_row_keeps_that_row_alone, |server| {
    let file = |price: u32| {
        let row = |row: u32| format!("S{row:03},Name {row},{price}\n");
        format!("SKU,Name,Price\n{}", (0..30).map(row).collect::<String>())
    };
    server.load("products", Upload::csv(&file(1))).await;
    let job = load(server, &file(2)).await;
    let sql = match server.database.kind() {
        Kind::Sqlite => {
            "create trigger not_s007 before insert on product_prices \
             when new.product_id = (select id from products where sku = 'S007') \
             begin select raise(abort, 'S007 keeps its price'); end"
        }
        Kind::Postgres => {
            "create function not_s007() returns trigger language plpgsql as $$ begin \
             if new.product_id = (select id from products where sku = 'S007') then \
             raise check_violation using message = 'S007 keeps its price'; end if; \
             return new; end $$;
             create trigger not_s007 before insert on product_prices for each row \
             execute function not_s007()"
        }
    };
    server.database.execute(sql).await;
    let status = take_back(server, job).await;
    assert_counts(&status, [0, 29, 0, 1]);
    assert_eq!(errors(server, &status).await, [["constraint_violated", "9", "S007"]]);
    let prices = "select count(*) from product_prices where archived_at is null";
    assert_eq!(server.database.number(prices).await, 30);
});
