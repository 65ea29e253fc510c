//! Tables of a user's own: a definition is proposed from a table or a file, checked, and takes a
//! supplier's file with its own headers; what cannot be imported into is refused with a reason.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::support::*;

/// A shop: suppliers with numbers, countries with codes, items that refer to both.
fn shop(kind: Kind) -> String {
    let (id, price, state, mood) = match kind {
        Kind::Sqlite => (
            "integer primary key",
            "real(10,2) not null default 0",
            "text not null default 'new' check (state in ('new', 'sold out'))",
            "",
        ),
        Kind::Postgres => (
            "serial primary key",
            "numeric(10,2) not null default 0",
            "mood not null default 'new'",
            "create type mood as enum ('new', 'sold out');",
        ),
    };
    format!(
        "{mood} create table countries (code varchar(2) primary key, name varchar(40) not null unique);
         insert into countries values ('DE', 'Germany'), ('IT', 'Italy');
         create table suppliers (supplier_id {id}, company_name varchar(40) not null unique);
         insert into suppliers (company_name) values ('Acme'), ('Bolt & Sons');
         create table \"Items\" (\"ItemID\" {id}, sku varchar(20) not null unique, \
         name varchar(80) not null, supplier_id integer references suppliers (supplier_id), \
         country_code varchar(2) references countries (code), \
         \"UnitPrice\" {price}, stock smallint, state {state}, active boolean, notes text);"
    )
}

/// The address of the server's database.
fn address(server: &Server) -> String {
    let file = || format!("sqlite://{}", server.data_dir().join("loadbay.sqlite").display());
    server.database.url().map_or_else(file, str::to_owned)
}

/// Runs `loadbay datasets …` on the server's database.
pub(crate) fn datasets(server: &Server, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadbay"));
    command.arg("datasets").args(arguments).args(["--database", &address(server)]);
    command.current_dir(server.folder()).env_clear().env("LC_ALL", "C.UTF-8");
    command.output().expect("the command runs")
}

#[track_caller]
pub(crate) fn text(output: &Output) -> String {
    let fault = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{fault}{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout.clone()).expect("text")
}

#[track_caller]
fn refusal(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A supplier's file with its own headers and habits.
const PRICES: &str = "Artikelnummer;Bezeichnung;Lieferant;Ländercode;Preis;Bestand;State;Active\n\
     A1;Birne;ACME;de;1.234,50;3;SOLD OUT;ja\n\
     A2;Apfel;Bolt & Sons;it;;;;nein\n\
     A3;Kirsche;Nobody;;1,00;1;new;ja\n\
     A4;Pflaume;;;1,00;40000;new;ja\n\
     A5;Quitte;;;2,00;1;lost;ja\n";

both!(a_table_becomes_a_dataset_and_takes_a_foreign_file, |server| {
    server.database.execute(&shop(server.database.kind())).await;
    let definition = text(&datasets(server, &["infer", "Items"]));
    for line in [
        "name  = \"items\"",
        "table = \"Items\"",
        "key   = [\"sku\"]",
        "field      = \"UnitPrice\"\ntype       = \"decimal(10,2)\"",
        "references = { table = \"suppliers\", match = \"company_name\", key = \"supplier_id\" }",
        "references = { table = \"countries\", match = \"code\", key = \"code\" }",
        "allowed    = [\"new\", \"sold out\"]",
        "name       = \"stock\"\ntitle      = \"Stock\"\ntype       = \"integer\"",
    ] {
        assert!(definition.contains(line), "{line} is not in\n{definition}");
    }
    server.define("items", &definition, &[]);
    let mapping = "{\"Ländercode\": \"country_code\"}";
    let upload = || Upload::csv(PRICES).option("mapping", mapping).option("undo", "true");
    let job = server.load("items", upload()).await;
    assert_eq!(
        (&job["counts"]["created"], &job["counts"]["failed"]),
        (&2.into(), &3.into()),
        "{job}"
    );
    let stored = "select i.sku, s.company_name, i.country_code, cast(\"UnitPrice\" as text), \
                  coalesce(stock, -1), cast(state as text), active from \"Items\" i \
                  left join suppliers s on s.supplier_id = i.supplier_id order by 1";
    let rows = server.rows(stored).await;
    let price = |row: usize| rows[row][3].trim_end_matches('0').trim_end_matches('.').to_owned();
    assert_eq!((price(0), price(1)), ("1234.5".to_owned(), "0".to_owned()), "{rows:?}");
    assert_eq!(rows[0][..3], ["A1", "Acme", "DE"]);
    assert_eq!(rows[0][4..], ["3", "sold out", "1"]);
    assert_eq!(rows[1][4..], ["-1", "new", "0"], "an empty cell means the default");
    let number = job["jobId"].as_i64().unwrap();
    let errors = server.errors(number, "").await.ok()["errors"].clone();
    let codes: Vec<_> = errors.as_array().unwrap().iter().map(|it| it["code"].clone()).collect();
    assert_eq!(codes, ["unknown_reference", "out_of_range", "not_allowed"], "{errors}");
    // A stored value stays where a cell that takes no NULL is empty.
    server.database.execute("update \"Items\" set \"UnitPrice\" = 7 where sku = 'A2'").await;
    let again = server.load("items", upload()).await;
    assert_eq!(again["counts"]["unchanged"], 2, "{again}");
    assert_eq!(
        server
            .database
            .number("select cast(\"UnitPrice\" as integer) from \"Items\" where sku = 'A2'")
            .await,
        7
    );
    // Suppliers that are made get the number that the database counts.
    let creating =
        definition.replace("key = \"supplier_id\" }", "key = \"supplier_id\", create = true }");
    server.define("items", &creating, &[]);
    let job = server.load("items", upload()).await;
    assert_eq!(
        (&job["counts"]["created"], &job["counts"]["failed"]),
        (&1.into(), &2.into()),
        "{job}"
    );
    let made = "select s.company_name from \"Items\" i join suppliers s \
                on s.supplier_id = i.supplier_id where i.sku = 'A3'";
    assert_eq!(server.rows(made).await, [["Nobody"]]);
    let rolled = server.action(job["jobId"].as_i64().unwrap(), "rollback").await;
    let rolled = rolled.ok()["jobId"].as_i64().unwrap();
    assert_eq!(server.finished(rolled).await["counts"]["removed"], 1);
});

both!(keys_that_cannot_be_guessed_are_asked_for, |server| {
    let tables = "create table both_keys (a varchar(5) not null unique, b varchar(5) not null, \
                  c varchar(5) not null, unique (b, c)); \
                  create table no_key (a text); create unique index part on no_key (a) where a > 'b';";
    server.database.execute(tables).await;
    let said = refusal(&datasets(server, &["infer", "both_keys"]));
    assert!(said.contains("`a`") && said.contains("`b,c`") && said.contains("--key"), "{said}");
    let chosen = text(&datasets(server, &["infer", "both_keys", "--key", "c,b"]));
    assert!(chosen.contains("key   = [\"b\", \"c\"]"), "{chosen}");
    let said = refusal(&datasets(server, &["infer", "no_key"]));
    assert!(said.contains("has no unique index"), "{said}");
    let said = refusal(&datasets(server, &["infer", "both_key"]));
    assert!(said.contains("did you mean `both_keys`?"), "{said}");
});

both!(a_file_alone_becomes_a_table, |server| {
    let file = "Artikel-Nr.;Name;Price;Since;Active;EAN\n\
                A1;Pear;1,50;2026-01-13;yes;4006381333931\n\
                A2;Apple;12,25;2026-02-14;no;4006381333948\n";
    let path = server.folder().join("Price list.csv");
    std::fs::write(&path, file).unwrap();
    let infer = ["infer", "--file", path.to_str().unwrap(), "--name", "prices"];
    let definition = text(&datasets(server, &infer));
    assert!(definition.contains("create_table = true"), "{definition}");
    assert!(definition.contains("artikel_nr 100.0 %"), "{definition}");
    server.define("prices", &definition, &[]);
    let job = server.load("prices", Upload::csv(file)).await;
    assert_eq!(job["counts"]["created"], 2, "{job}");
    let rows = server
        .rows("select artikel_nr, name, cast(since as text), ean from prices order by 1")
        .await;
    assert_eq!(rows[0], ["A1", "Pear", "2026-01-13", "4006381333931"]);
    assert_eq!(server.load("prices", Upload::csv(file)).await["counts"]["unchanged"], 2);
    let folder = server.folder().join("definitions");
    let folder = folder.to_str().unwrap();
    let checked = text(&datasets(server, &["check", "--datasets-dir", folder]));
    assert!(checked.contains("prices: table `prices` fits"), "{checked}");
    let matched = ["show", "prices", "--datasets-dir", folder, "--file", path.to_str().unwrap()];
    let matched = text(&datasets(server, &matched));
    assert!(matched.contains("Artikel-Nr.  → artikel_nr"), "{matched}");
});

/// A definition of two columns.
fn definition(table: &str, field: &str) -> String {
    format!(
        "name = 'odd'\ntable = '{table}'\nkey = ['a']\n[[column]]\nname = 'a'\nrequired = true\n\
         max_length = 5\n[[column]]\nname = 'b'\nfield = '{field}'\nmax_length = 5\n"
    )
}

/// What `check` says of this definition.
fn checked(server: &Server, table: &str, field: &str) -> (bool, String) {
    let folder = server.folder().join("odd");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("odd.toml"), definition(table, field)).unwrap();
    let output = datasets(server, &["check", "--datasets-dir", folder.to_str().unwrap()]);
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

both!(odd_tables_are_refused_with_a_reason, |server| {
    let kind = server.database.kind();
    let odd = match kind {
        Kind::Sqlite => {
            "create table plain (a varchar(5) not null unique, b varchar(5), \
             c varchar(5) generated always as (a || b)); create view seen as select a, b from plain; \
             create table numberless (a varchar(5) primary key, b varchar(5)) without rowid; \
             create table partly (a varchar(5) not null, b varchar(5)); \
             create unique index part on partly (a) where b is null;"
        }
        Kind::Postgres => {
            "create table plain (a varchar(5) not null unique, b varchar(5), \
             c varchar(5) generated always as (a || b) stored); \
             create view seen as select a, b from plain; \
             create table ruled (a varchar(5) not null unique, b varchar(5)); \
             create rule away as on delete to ruled do instead nothing; \
             create table divided (a varchar(5) not null unique, b varchar(5)) partition by hash (a); \
             create table partly (a varchar(5) not null, b varchar(5)); \
             create unique index part on partly (a) where b is null;"
        }
    };
    server.database.execute(odd).await;
    let mut refused = vec![
        ("seen", "b", "is a view"),
        ("plain", "c", "is computed by the database"),
        ("partly", "b", "has no unique index on (a)"),
    ];
    if kind == Kind::Postgres {
        refused.push(("ruled", "b", "has rules"));
        refused.push(("divided", "b", "is partitioned"));
    } else {
        refused.push(("numberless", "b", "WITHOUT ROWID"));
    }
    for (table, field, why) in refused {
        let (fits, said) = checked(server, table, field);
        assert!(!fits && said.contains(why), "{table}.{field}: {said}");
    }
    let (fits, said) = checked(server, "plain", "b");
    assert!(fits, "{said}");
});

#[tokio::test]
async fn a_database_is_left_as_it_is_by_a_proposal() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("shop.db");
    let database = Database::Sqlite { path: path.clone() };
    database.execute(&shop(Kind::Sqlite)).await;
    let before = std::fs::read(&path).expect("the file");
    let infer = |path: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadbay"));
        let address = format!("sqlite://{}", path.display());
        command.args(["datasets", "infer", "Items", "--database", &address]);
        command.current_dir(folder.path()).env_clear().output().expect("the command runs")
    };
    assert!(text(&infer(&path)).contains("name  = \"items\""));
    assert_eq!(std::fs::read(&path).expect("the file"), before);
    let missing = folder.path().join("none.db");
    refusal(&infer(&missing));
    assert!(!missing.exists());
    assert_eq!(json!(database.rows("select count(*) from suppliers").await), json!([["2"]]));
}
