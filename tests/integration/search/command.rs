//! `loadbay sync`: a new collection, beside a running server and without one.

use std::process::{Command, Output};

use super::*;

fn sync(server: &Server, typesense: &Typesense, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadbay"));
    command
        .arg("sync")
        .args(arguments)
        .arg("--data-dir")
        .arg(server.data_dir())
        .current_dir(server.folder())
        .env_clear()
        .envs(typesense.settings())
        .envs(server.database.url().map(|url| ("DATABASE_URL", url)));
    command.output().expect("the command runs")
}

both!(a_command_builds_a_collection_anew, |server| {
    let typesense = Typesense::start().await;
    server.load("products", Upload::csv(&products(20))).await;
    server.restart_with_search(&typesense, &[]);
    server.load_and_sync("SKU,Name\nB,Bella\n").await;
    assert_eq!(typesense.count("products").await, 21, "the first one has what was there before");
    // What another program does nobody notes.
    server.database.execute("delete from product_stocks").await;
    server.database.execute("delete from products where sku <> 'B'").await;
    let old = typesense.collections().await;
    let done = sync(server, &typesense, &["products"]);
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{text} {}", String::from_utf8_lossy(&done.stderr));
    assert!(text.starts_with("products: 1 documents in products_"), "{text}");
    assert_eq!(lines(&typesense).await, ["\"B\" \"Bella\""]);
    let new = typesense.collections().await;
    assert!(new.len() == 1 && new != old, "{new:?}");

    server.terminate();
    let done = sync(server, &typesense, &[]);
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    for dataset in ["dealers", "products", "swim_events", "transactions"] {
        assert!(text.contains(&format!("{dataset}: ")), "{text}");
    }
    let unknown = sync(server, &typesense, &["shelves"]);
    assert_eq!(unknown.status.code(), Some(1));
    let error = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(error.contains("`shelves`"), "{error}");
});
