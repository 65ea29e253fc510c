//! A database that holds a shop already: Loadbay's tables stand beside it, nothing of the shop is
//! taken over, and what cannot be offered is left out with a reason.

use std::sync::Arc;

use crate::support::*;

const FILE: &str = "SKU,Name,Brand\nA,Arnica,Bolt\nB,Bryonia,Acme\n";

/// Tables of a shop, with the names that the built-in dataset has.
const SHOP: &str = "create table brands (id integer primary key, label text not null); \
     create table products (number text primary key, brand integer references brands (id)); \
     insert into brands values (1, 'Own'); insert into products values ('P1', 1);";

/// The names of the datasets that a server offers.
async fn offered(server: &Server) -> Vec<String> {
    let list = server.datasets().await.ok()["datasets"].clone();
    let names = list.as_array().expect("a list").iter();
    names.map(|it| it["name"].as_str().expect("a name").to_owned()).collect()
}

/// A server that is not started, on a database with the shop's tables.
async fn beside_shop(kind: Kind) -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a data folder");
    let database = Database::create(kind, &data).await;
    database.execute(SHOP).await;
    Server::new(folder, Arc::new(database), &[])
}

async fn shop_is_as_it_was(server: &Server) {
    let shop = match server.database.kind() {
        Kind::Sqlite => ["products", "brands"],
        Kind::Postgres => ["public.products", "public.brands"],
    };
    let products = server.rows(&format!("select * from {}", shop[0])).await;
    assert_eq!(products, [["P1", "1"]]);
    assert_eq!(server.rows(&format!("select * from {}", shop[1])).await, [["1", "Own"]]);
}

#[tokio::test]
async fn on_postgres_the_tables_of_products_are_made_in_a_schema_of_their_own() {
    let mut server = beside_shop(Kind::Postgres).await;
    server.restart();
    assert_eq!(offered(&server).await, ["dealers", "products", "swim_events", "transactions"]);
    let job = server.load("products", Upload::csv(FILE).option("undo", "true")).await;
    assert_eq!(job["counts"]["created"], 2, "{job}");
    let made = "select p.sku, b.name from loadbay.products p \
                join loadbay.brands b on b.id = p.brand_id order by 1";
    assert_eq!(server.rows(made).await, [["A", "Bolt"], ["B", "Acme"]]);
    shop_is_as_it_was(&server).await;
    let outside = "select tablename from pg_tables where schemaname = 'public' order by 1";
    assert_eq!(server.rows(outside).await, [["brands"], ["products"]]);
    // Operators of an older system ask without a schema.
    let job = job["jobId"].to_string();
    let asked = "select id from public.\"ImportLog\" where type = 'PARTS'";
    assert_eq!(server.rows(asked).await, [[job.as_str()]]);
    let rolled = server.action(job.parse().unwrap(), "rollback").await;
    let rolled = rolled.ok()["jobId"].as_i64().unwrap();
    assert_eq!(server.finished(rolled).await["status"], "completed");
    assert_eq!(server.database.number("select count(*) from loadbay.products").await, 0);
    server.check_every_job().await;
}

#[tokio::test]
async fn in_a_file_with_such_names_the_dataset_is_left_out() {
    let mut server = beside_shop(Kind::Sqlite).await;
    server.restart();
    assert_eq!(offered(&server).await, ["dealers", "swim_events", "transactions"]);
    assert!(server.log().contains("dataset_left_out"), "{}", server.log());
    assert!(server.log().contains("tables_not_created"), "{}", server.log());
    shop_is_as_it_was(&server).await;
    let made = "select count(*) from sqlite_master where name in ('categories', 'product_stocks')";
    assert_eq!(server.database.number(made).await, 0, "half of the tables were made");
}

both!(
    only_the_datasets_that_are_asked_for_have_tables,
    [("LOADBAY_BUILT_IN_DATASETS", "dealers")],
    |server| {
        assert_eq!(offered(server).await, ["dealers"]);
        let tables = match server.database.kind() {
            Kind::Sqlite => {
                "select name from sqlite_master where type = 'table' \
             and name not like 'import%' and name not like 'access%' and name not like 'seaql%' and name not like 'sqlite%'"
            }
            Kind::Postgres => {
                "select tablename from pg_tables where schemaname in ('loadbay', 'public') \
             and tablename not like 'import%' and tablename not like 'access%' and tablename not like 'seaql%'"
            }
        };
        assert_eq!(server.rows(tables).await, [["dealers"]]);
    }
);

#[tokio::test]
async fn the_address_of_a_file_names_a_database_of_the_users_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = folder.path().join("shop.db");
    let database = Database::Sqlite { path: shop.clone() };
    database.execute(SHOP).await;
    let url = format!("sqlite://{}", shop.display());
    let mut server = Server::new(folder, Arc::new(database), &[("DATABASE_URL", &url)]);
    server.restart();
    let answer = server.upload("dealers", Upload::csv("Code,Name\nD1,Acme\n")).await;
    assert_eq!(answer.ok()["counts"]["created"], 1);
    assert_eq!(server.rows("select code from dealers").await, [["D1"]]);
    shop_is_as_it_was(&server).await;
    server.check_every_job().await;
}

/// The definition of a dataset of two columns.
fn definition(name: &str, table: &str) -> String {
    format!(
        "name = '{name}'\ntable = '{table}'\nkey = ['number']\n\
         [[column]]\nname = 'number'\nrequired = true\nmax_length = 10\n\
         [[column]]\nname = 'label'\nfield = 'The Label'\nhistory = '{table} log'\n"
    )
}

#[tokio::test]
async fn a_definition_names_tables_of_any_schema() {
    let mut server = Server::start(Kind::Postgres).await;
    let mut tables = "create schema \"My Shop\";".to_owned();
    for schema in ["public", "\"My Shop\""] {
        tables.push_str(&format!(
            "create table {schema}.products (id bigint generated by default as identity primary key, \
             number varchar(10) not null unique, \"The Label\" text); \
             create table {schema}.\"products log\" (id bigserial primary key, \
             product_id bigint not null, \"The Label\" text, created_at timestamptz not null, \
             archived_at timestamptz);"
        ));
    }
    server.database.execute(&tables).await;
    let folder = server.folder().join("definitions");
    std::fs::create_dir(&folder).expect("a folder");
    // Without a schema it is the user's own table, though Loadbay has one of the name.
    for (name, table) in [("plain", "products"), ("shop", "My Shop.products")] {
        std::fs::write(folder.join(format!("{name}.toml")), definition(name, table)).unwrap();
    }
    server.terminate();
    server.restart_with(&[("LOADBAY_DATASETS_DIR", folder.to_str().unwrap())]);
    for (dataset, label) in [("plain", "one"), ("shop", "two")] {
        for text in ["first", label] {
            let file = format!("Number;Label\nN1;{text}\n");
            let upload = Upload::csv(&file).option("undo", "true");
            let job = server.load(dataset, upload).await;
            assert_eq!(job["counts"]["failed"], 0, "{job}");
        }
    }
    let stored = "select \"The Label\", (select count(*) from public.\"products log\") \
                  from public.products \
                  union all select \"The Label\", (select count(*) from \"My Shop\".\"products log\") \
                  from \"My Shop\".products";
    assert_eq!(server.rows(stored).await, [["one", "2"], ["two", "2"]]);
    assert_eq!(server.database.number("select count(*) from loadbay.products").await, 0);
    for job in [4, 3] {
        let rolled = server.action(job, "rollback").await.ok()["jobId"].as_i64().unwrap();
        assert_eq!(server.finished(rolled).await["status"], "completed");
    }
    let left = "select count(*) from \"My Shop\".products";
    assert_eq!(server.database.number(left).await, 0);
    let indexes = "select count(*) from pg_indexes where indexname like 'loadbay_reach%'";
    assert_eq!(server.database.number(indexes).await, 0);
    server.check_every_job().await;
}

#[tokio::test]
async fn an_installation_that_is_there_stays_where_it_is() {
    let mut server = Server::start_with(Kind::Postgres, &[("LOADBAY_SCHEMA", "public")]).await;
    server.load("products", Upload::csv(FILE)).await;
    server.terminate();
    server.restart_with(&[]);
    let again = server.load("products", Upload::csv(FILE)).await;
    assert_eq!(again["counts"]["unchanged"], 2);
    let tables = "select schemaname from pg_tables where tablename in ('import_log', 'products')";
    assert_eq!(server.rows(tables).await, [["public"], ["public"]]);
    let schemas = "select count(*) from pg_namespace where nspname = 'loadbay'";
    assert_eq!(server.database.number(schemas).await, 0);
    server.check_every_job().await;
}

#[tokio::test]
async fn two_servers_that_start_together_make_the_schema_once() {
    let [mut one, two] = Server::start_two(&[]).await;
    for server in [&one, &two] {
        assert_eq!(offered(server).await.len(), 4);
    }
    let job = two.load("products", Upload::csv(FILE)).await;
    assert_eq!(job["counts"]["created"], 2, "{job}");
    one.check_every_job().await;
}
