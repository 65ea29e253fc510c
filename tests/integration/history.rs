//! What a file does to products that are there already: old prices and stocks are archived, what is
//! the same is left alone, empty cells clear or keep, references are found whatever the letter case.

use crate::support::*;
use serde_json::Value;

/// A decimal column in hundredths, the same text on both databases.
fn hundredths(column: &str) -> String {
    format!("cast(round({column} * 100) as bigint)")
}

/// The prices of a product, oldest first: selling price in hundredths, and whether it is archived.
async fn prices(server: &Server, sku: &str) -> Vec<[String; 2]> {
    let price = hundredths("h.selling_price");
    history(server, "product_prices", &price, sku).await
}

async fn stocks(server: &Server, sku: &str) -> Vec<[String; 2]> {
    let stock = hundredths("h.current_stock");
    history(server, "product_stocks", &stock, sku).await
}

async fn history(server: &Server, table: &str, value: &str, sku: &str) -> Vec<[String; 2]> {
    let sql = format!(
        "select {value}, case when h.archived_at is null then 'current' else 'archived' end \
         from {table} h join products p on p.id = h.product_id where p.sku = '{sku}' order by h.id"
    );
    let rows = server.rows(&sql).await;
    rows.into_iter().map(|row| row.try_into().expect("two columns")).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<[String; 2]> {
    expected.iter().map(|(value, state)| [(*value).to_owned(), (*state).to_owned()]).collect()
}

#[track_caller]
fn assert_counts(job: &Value, created: u64, updated: u64, unchanged: u64) {
    let counts = &job["counts"];
    let found = ["created", "updated", "unchanged", "superseded", "failed"]
        .map(|name| counts[name].as_u64().unwrap_or(u64::MAX));
    assert_eq!(found, [created, updated, unchanged, 0, 0], "{job}");
}

both!(a_changed_price_is_archived_and_the_new_one_is_current, |server| {
    let first = "SKU,Name,Selling Price,Qty\nA,Arnica,10,5\nB,Belladonna,20.50,7\n";
    let job = server.load("products", Upload::csv(first)).await;
    assert_counts(&job, 2, 0, 0);
    assert_eq!(prices(server, "A").await, pairs(&[("1000", "current")]));
    assert_eq!(stocks(server, "A").await, pairs(&[("500", "current")]));

    let second = "SKU,Name,Selling Price,Qty\nA,Arnica,12.25,5\nB,Belladonna,20.5,7.00\n";
    let job = server.load("products", Upload::csv(second)).await;
    assert_counts(&job, 0, 1, 1);
    assert_eq!(prices(server, "A").await, pairs(&[("1000", "archived"), ("1225", "current")]));
    assert_eq!(prices(server, "B").await, pairs(&[("2050", "current")]));
    assert_eq!(stocks(server, "A").await, pairs(&[("500", "current")]));

    let third = "SKU,Name,Selling Price,Qty\nA,Arnica,10,6\n";
    assert_counts(&server.load("products", Upload::csv(third)).await, 0, 1, 0);
    let expected = pairs(&[("1000", "archived"), ("1225", "archived"), ("1000", "current")]);
    assert_eq!(prices(server, "A").await, expected);
    assert_eq!(stocks(server, "A").await, pairs(&[("500", "archived"), ("600", "current")]));
    let stamps = "select count(*) from product_prices where archived_at < created_at";
    assert_eq!(server.database.number(stamps).await, 0);
});

both!(a_change_of_the_name_alone_adds_no_history, |server| {
    let header = "SKU,Name,Selling Price,Qty\n";
    server.load("products", Upload::csv(&format!("{header}A,Arnica,10,5\n"))).await;
    let job = server.load("products", Upload::csv(&format!("{header}A,Arnica C30,10,5\n"))).await;
    assert_counts(&job, 0, 1, 0);
    assert_eq!(prices(server, "A").await, pairs(&[("1000", "current")]));
    assert_eq!(stocks(server, "A").await, pairs(&[("500", "current")]));
});

both!(columns_that_the_file_does_not_have_keep_their_values_in_table_and_history, |server| {
    let first = "SKU,Name,Cost Price,Selling Price,MRP,Barcode\nA,Arnica,1,2,3,4006381333931\n";
    server.load("products", Upload::csv(first)).await;
    let job = server.load("products", Upload::csv("SKU,Name,Selling Price\nA,Arnica,5\n")).await;
    assert_counts(&job, 0, 1, 0);
    let [cost, selling, mrp] = ["cost_price", "selling_price", "mrp"].map(hundredths);
    let product = format!("select {cost}, {selling}, {mrp}, barcode from products");
    assert_eq!(server.rows(&product).await, [["100", "500", "300", "4006381333931"]]);
    let history = format!("select {cost}, {selling}, {mrp} from product_prices order by id");
    assert_eq!(server.rows(&history).await, [["100", "200", "300"], ["100", "500", "300"]]);
});

both!(an_empty_cell_clears_the_stored_value, |server| {
    let header = "SKU,Name,Category,Selling Price,Qty,Tags,Active\n";
    let first = format!("{header}A,Arnica,Drops,10,5,\"a, b\",no\n");
    server.load("products", Upload::csv(&first)).await;
    let job = server.load("products", Upload::csv(&format!("{header}A,Arnica,,, ,,\n"))).await;
    assert_counts(&job, 0, 1, 0);
    let cleared = "select count(*) from products where category_id is null and selling_price \
                   is null and current_stock is null and tags is null and is_active is null";
    assert_eq!(server.database.number(cleared).await, 1);
    assert_eq!(prices(server, "A").await, pairs(&[("1000", "archived")]));
    assert_eq!(stocks(server, "A").await, pairs(&[("500", "archived")]));

    let again = server.load("products", Upload::csv(&format!("{header}A,Arnica,,,,,\n"))).await;
    assert_counts(&again, 0, 0, 1);
});

both!(with_blank_keep_an_empty_cell_leaves_the_stored_value_alone, |server| {
    let header = "SKU,Name,Category,Selling Price,Qty,Active\n";
    server.load("products", Upload::csv(&format!("{header}A,Arnica,Drops,10,5,no\n"))).await;
    let blank = format!("{header}A,Arnica,,,,\nB,Bryonia,,,,\n");
    let job = server.load("products", Upload::csv(&blank).option("blank", "keep")).await;
    assert_counts(&job, 1, 0, 1);
    let part = format!("{header}A,Arnica,,11,,\n");
    let job = server.load("products", Upload::csv(&part).option("blank", "keep")).await;
    assert_counts(&job, 0, 1, 0);
    let sql = format!(
        "select c.name, {}, {}, p.is_active from products p \
         join categories c on c.id = p.category_id where p.sku = 'A'",
        hundredths("p.selling_price"),
        hundredths("p.current_stock")
    );
    assert_eq!(server.rows(&sql).await, [["Drops", "1100", "500", "0"]]);
    assert_eq!(prices(server, "A").await, pairs(&[("1000", "archived"), ("1100", "current")]));
    assert_eq!(stocks(server, "A").await, pairs(&[("500", "current")]));
});

both!(products_that_the_file_does_not_change_are_not_touched, |server| {
    let header = "SKU,Name,Selling Price\n";
    let first = format!("{header}A,Arnica,1\nB,Bryonia,2\nC,China,3\n");
    server.load("products", Upload::csv(&first)).await;
    let stamps = "select sku, created_at, updated_at from products where sku <> 'B' order by sku";
    let before = server.rows(stamps).await;
    let changed = "select updated_at from products where sku = 'B'";
    let changed_before = server.rows(changed).await;
    let job = server.load("products", Upload::csv(&format!("{header}A,Arnica,1\nB,Bryonia,9\n")));
    assert_counts(&job.await, 0, 1, 1);
    assert_eq!(server.rows(stamps).await, before);
    assert_ne!(server.rows(changed).await, changed_before);
});

both!(
    a_reference_is_created_once_whatever_its_letter_case,
    [("LOADBAY_CHUNK_ROWS", "2")],
    |server| {
        let mut file = "SKU,Name,Category,Brand,Potency,Form\n".to_owned();
        for (number, word) in ["Drops", "DROPS", "drops", "dRoPs", "Drops "].iter().enumerate() {
            file.push_str(&format!("S{number},Name,{word},{word},{word},{word}\n"));
        }
        assert_counts(&server.load("products", Upload::csv(&file)).await, 5, 0, 0);
        for (table, column) in
            [("categories", "name"), ("brands", "name"), ("potencies", "code"), ("forms", "name")]
        {
            let names = server.rows(&format!("select lower({column}) from {table}")).await;
            assert_eq!(names, [["drops"]], "{table}");
        }
        let used = "select count(distinct category_id) + count(distinct form_id) from products";
        assert_eq!(server.database.number(used).await, 2);
        // The same names in another letter case change nothing.
        let other = file.replace("Drops", "DrOpS");
        assert_counts(&server.load("products", Upload::csv(&other)).await, 0, 0, 5);
    }
);

both!(a_reference_that_is_there_is_found_whatever_its_letter_case, |server| {
    let id = "0195f1a4-0000-7000-8000-000000000001";
    let stored = match server.database.kind() {
        Kind::Sqlite => format!("x'{}'", id.replace('-', "")),
        Kind::Postgres => format!("'{id}'"),
    };
    let insert = format!("insert into categories (id, name) values ({stored}, 'Étuis ÄRNICA')");
    server.database.execute(&insert).await;
    let file = "SKU,Name,Category\nA,Arnica,étuis ärnica\nB,Bryonia,ÉTUIS Ärnica\n";
    assert_counts(&server.load("products", Upload::csv(file)).await, 2, 0, 0);
    assert_eq!(server.rows("select name from categories").await, [["Étuis ÄRNICA"]]);
    let used = server.rows("select distinct category_id from products").await;
    assert_eq!(used, [[id]]);
});

both!(names_that_only_the_database_takes_for_the_same_are_one_reference, |server| {
    // The last letter is a final sigma in one and not in the other.
    let file = "SKU,Name,Category\nA,Arnica,ΟΔΟΣ\nB,Bryonia,οδοσ\nC,China,οδος\n";
    let job = server.load("products", Upload::csv(file)).await;
    assert_counts(&job, 3, 0, 0);
    let nameless = "select count(*) from products where category_id is null";
    assert_eq!(server.database.number(nameless).await, 0);
});
