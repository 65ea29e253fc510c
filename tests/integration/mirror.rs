//! `mode=mirror`: records of the scope that the file does not have are removed, as the dataset says.

use serde_json::{Value, json};

use crate::support::*;

const DEFINITION: &str = r#"
name = "offers"
table = "supplier_offers"
key = ["code", "size"]

MIRROR

[[column]]
name = "code"
required = true
max_length = 10

[[column]]
name = "size"
type = "integer"
required = true

[[column]]
name = "supplier"
references = { table = "suppliers", match = "name", key = "id", create = true }

[[column]]
name = "price"
type = "decimal(12,2)"

[[column]]
name = "active"
type = "boolean"
"#;

const DEACTIVATE: &str = "[mirror]\nabsent = \"deactivate\"\ncolumn = \"active\"\nvalue = false";
const DELETE: &str = "[mirror]\nabsent = \"delete\"";

/// A server with the tables and a definition.
async fn with_offers(server: &mut Server, mirror: &str, settings: &[(&str, &str)]) {
    let (id, decimal, boolean) = match server.database.kind() {
        Kind::Sqlite => ("integer primary key", "real", "boolean"),
        Kind::Postgres => {
            ("bigint generated always as identity primary key", "numeric(12,2)", "boolean")
        }
    };
    let tables = [
        format!("create table suppliers (id {id}, name varchar(64) not null unique)"),
        format!(
            "create table supplier_offers (id {id}, code varchar(10) not null, \
             size bigint not null, supplier_id bigint references suppliers (id), price {decimal}, \
             active {boolean}, note text default 'x', unique (code, size))"
        ),
        format!("create table orders (id {id}, offer_id bigint references supplier_offers (id))"),
    ];
    for table in tables {
        server.database.execute(&table).await;
    }
    server.define("offers", &DEFINITION.replace("MIRROR", mirror), settings);
}

const CHUNKS: &[(&str, &str)] = &[("LOADBAY_CHUNK_ROWS", "2")];

fn mirror(text: &str) -> Upload {
    Upload::csv(text)
        .option("mode", "mirror")
        .option("mirrorMax", "100%")
        .option("undo", "true")
        .option("scope", r#"{"supplier":"ACME"}"#)
}

const BEFORE: &str = "Code,Size,Supplier,Price,Active\n\
                      A,1,Acme,1,yes\nA,2,Acme,1,yes\nB,1,Acme,1,yes\nC,1,Acme,1,yes\n\
                      D,1,Acme,1,no\nE,1,Acme,1,yes\nF,1,Acme,1,yes\nA,3,Other,1,yes\nG,1,,1,yes\n";

/// A with its size 1 changed, B as it is, one that fails with a key, one that is new, one of another
/// supplier.
const FILE: &str = "Code,Size,Supplier,Price,Active\n\
                    A,1,acme,2,yes\nB,1,Acme,1,yes\nC,1,Acme,much,yes\nN,1,Acme,1,yes\n\
                    A,3,Other,9,yes\nF,1,Acme,1,yes\n";

/// Created, updated, unchanged, failed, removed.
fn counts(status: &Value) -> [u64; 5] {
    ["created", "updated", "unchanged", "failed", "removed"]
        .map(|name| status["counts"][name].as_u64().unwrap_or(0))
}

async fn active(server: &Server) -> Vec<String> {
    let rows = "select code, size from supplier_offers where active order by 1, 2";
    server.rows(rows).await.iter().map(|row| row.concat()).collect()
}

async fn offers(server: &Server) -> Vec<Vec<String>> {
    server.rows("select * from supplier_offers order by id").await
}

fn id(status: &Value) -> i64 {
    status["jobId"].as_i64().unwrap()
}

async fn rolled_back(server: &Server, job: i64) -> Value {
    let answer = server.action(job, "rollback").await;
    server.finished(answer.ok()["jobId"].as_i64().unwrap()).await
}

both!(what_the_file_lacks_is_deactivated_once, |server| {
    with_offers(server, DEACTIVATE, CHUNKS).await;
    server.load("offers", Upload::csv(BEFORE)).await;
    let before = offers(server).await;
    let job = server.load("offers", mirror(FILE)).await;
    assert_eq!(job["status"], "completed", "{job}");
    assert_eq!(counts(&job), [1, 1, 2, 2, 2], "{job}");
    assert_eq!(job["progress"], json!({"current": 6, "total": 6, "percentage": 100}), "{job}");
    // A2 and E are gone; D was; C failed and its key stands in the file; A3 and G are no ACME's.
    assert_eq!(active(server).await, ["A1", "A3", "B1", "C1", "F1", "G1", "N1"]);
    let errors = "select code, column_name from import_errors order by row_number";
    let expected = [["not_a_number", "price"], ["out_of_scope", "supplier"]];
    assert_eq!(server.rows(errors).await, expected);
    let left = "select count(*) from import_chunk_keys";
    wait_until!(server.database.number(left).await == 0, "the keys are forgotten");

    let again = server.load("offers", mirror(FILE)).await;
    assert_eq!(counts(&again), [0, 0, 4, 2, 0], "nothing is removed twice: {again}");

    let rollback = rolled_back(server, id(&job)).await;
    assert_eq!(counts(&rollback), [0, 3, 0, 0, 1], "{rollback}");
    assert_eq!(offers(server).await, before);
});

both!(what_the_file_lacks_is_deleted_and_put_back, |server| {
    with_offers(server, DELETE, CHUNKS).await;
    server.load("offers", Upload::csv(BEFORE)).await;
    let order = "insert into orders (offer_id) select id from supplier_offers where code = 'E'";
    server.database.execute(order).await;
    let before = offers(server).await;
    let job = server.load("offers", mirror(FILE)).await;
    // E has an order.
    assert_eq!(counts(&job), [1, 1, 2, 2, 2], "{job}");
    let warnings = job["warnings"].as_array().unwrap();
    let kept = warnings.iter().find(|it| it["code"] == "not_removed").unwrap();
    assert_eq!((&kept["count"], &kept["examples"][0]["value"]), (&json!(1), &json!("E, 1")));
    let codes = "select code, size from supplier_offers where supplier_id = 1 order by 1, 2";
    let left: Vec<String> = server.rows(codes).await.iter().map(|row| row.concat()).collect();
    assert_eq!(left, ["A1", "B1", "C1", "E1", "F1", "N1"]);
    let rollback = rolled_back(server, id(&job)).await;
    assert_eq!(counts(&rollback), [2, 1, 0, 0, 1], "{rollback}");
    assert_eq!(offers(server).await, before);
    let again = rolled_back(server, id(&job)).await;
    assert_eq!(counts(&again), [0, 0, 4, 0, 0], "{again}");
});

both!(a_dry_run_shows_what_would_be_removed, |server| {
    with_offers(server, DEACTIVATE, CHUNKS).await;
    server.load("offers", Upload::csv(BEFORE)).await;
    let before = offers(server).await;
    let dry_run = server.load("offers", mirror(FILE).option("dryRun", "true")).await;
    assert_eq!(counts(&dry_run), [1, 1, 2, 2, 2], "{dry_run}");
    assert_eq!(offers(server).await, before);
    let differences = dry_run["differences"].as_array().unwrap();
    let removed: Vec<&Value> = differences.iter().filter(|it| it["outcome"] == "removed").collect();
    let change = json!([{"column": "active", "before": "true", "after": "false"}]);
    assert_eq!(removed.len(), 2, "{dry_run}");
    for (row, key) in removed.iter().zip(["A, 2", "E, 1"]) {
        assert_eq!((&row["key"], &row["changes"]), (&json!(key), &change), "{dry_run}");
    }
    let path = format!("/api/v1/import/jobs/{}/diff.csv", id(&dry_run));
    let csv = server.get(&path).await.text().to_string();
    assert!(csv.contains("\"A, 2\",removed,active,true,false"), "{csv}");
    let path = format!("/api/v1/import/jobs/{}/confirm", id(&dry_run));
    let answer = server.send(server.request(reqwest::Method::POST, &path).body("{}")).await;
    let job = server.finished(answer.ok()["jobId"].as_i64().unwrap()).await;
    assert_eq!(counts(&job), counts(&dry_run), "{job}");
    assert_eq!(active(server).await, ["A1", "A3", "B1", "C1", "F1", "G1", "N1"]);
});

both!(too_many_are_not_removed, |server| {
    with_offers(server, DEACTIVATE, CHUNKS).await;
    server.load("offers", Upload::csv(BEFORE)).await;
    let upload = |max: Option<&'static str>| {
        let upload =
            Upload::csv(FILE).option("mode", "mirror").option("scope", r#"{"supplier":"acme"}"#);
        max.into_iter().fold(upload, |upload, max| upload.option("mirrorMax", max))
    };
    // 2 of 6 that are active, of 7 with the new one: a tenth is none, 28 % is one.
    for max in [None, Some("28%"), Some("1")] {
        let job = server.load("offers", upload(max)).await;
        assert_eq!(
            (&job["status"], &job["errorCode"]),
            (&json!("failed"), &json!("too_many_removed")),
            "{job}"
        );
        assert_eq!(counts(&job)[4], 0, "{job}");
        assert_eq!(active(server).await.len(), 9, "{job}");
    }
    let dry_run = server.load("offers", upload(None).option("dryRun", "true")).await;
    assert_eq!(dry_run["errorCode"], "too_many_removed", "{dry_run}");
    assert_eq!(counts(&dry_run)[4], 2, "it shows what they are: {dry_run}");
    let job = server.load("offers", upload(Some("2"))).await;
    assert_eq!((&job["status"], counts(&job)[4]), (&json!("completed"), 2), "{job}");
});

both!(a_file_that_is_certain_to_lack_too_many_writes_nothing, |server| {
    with_offers(server, DEACTIVATE, CHUNKS).await;
    server.load("offers", Upload::csv(BEFORE)).await;
    let before = offers(server).await;
    // Two keys and a row without one stand for three of six records at most.
    let text = "Code,Size,Supplier,Price,Active\nA,1,Acme,8,yes\nA,1,Acme,9,yes\nN,1,Acme,1,yes\n\
                B,,Acme,1,yes\n";
    let upload = |max: &'static str| {
        let upload = Upload::csv(text).option("mode", "mirror").option("mirrorMax", max);
        upload.option("scope", r#"{"supplier":"ACME"}"#)
    };
    for max in ["2", "49%"] {
        let job = server.load("offers", upload(max)).await;
        assert_eq!(
            (&job["status"], &job["errorCode"]),
            (&json!("failed"), &json!("too_many_removed")),
            "{job}"
        );
        assert_eq!(job["progress"], json!({"current": 0, "total": 4, "percentage": 0}), "{job}");
        assert_eq!(job["results"]["unprocessed"], 4, "{job}");
        assert_eq!(offers(server).await, before);
        let chunks = "select count(*) from import_chunks where import_log_id = ";
        assert_eq!(server.database.number(&format!("{chunks}{}", id(&job))).await, 0);
    }
    let dry_run = server.load("offers", upload("2").option("dryRun", "true")).await;
    assert_eq!(counts(&dry_run)[..2], [1, 1], "a dry run looks at every row: {dry_run}");
    let job = server.load("offers", upload("3")).await;
    assert_eq!((&job["status"], counts(&job)), (&json!("completed"), [1, 1, 0, 1, 0]), "{job}");
});

/// A dataset of its own table by this key.
fn readings(name: &str, key: &str) -> String {
    let column = |name: &str, kind: &str| {
        format!("[[column]]\nname = \"{name}\"\ntype = \"{kind}\"\nrequired = true\n")
    };
    format!(
        "name = \"{name}\"\ntable = \"{name}\"\nkey = {key}\ncreate_table = true\n\
         [mirror]\nabsent = \"delete\"\n{}{}{}{}",
        column("amount", "decimal(12,3)"),
        column("taken", "datetime"),
        column("day", "date"),
        column("good", "boolean"),
    )
}

both!(keys_of_every_type_are_found_again, |server| {
    let keys = [
        ("by_amount", r#"["amount"]"#),
        ("by_time", r#"["taken"]"#),
        ("by_day", r#"["day"]"#),
        ("by_all", r#"["good", "amount", "taken", "day"]"#),
    ];
    for (name, key) in keys {
        server.define(name, &readings(name, key), CHUNKS);
    }
    let row = |row: u32| {
        let (day, thousandth) = (1 + row % 28, row * 7 + 1);
        format!(
            "{row}.{thousandth:03},2026-01-{day:02}T10:00:00.{thousandth:03}+02:00,2026-01-{day:02},{}\n",
            row.is_multiple_of(2)
        )
    };
    let file = |rows: &[u32]| {
        let rows: String = rows.iter().map(|it| row(*it)).collect();
        format!("amount,taken,day,good\n{rows}")
    };
    let all: Vec<u32> = (0..20).collect();
    for (name, _) in keys {
        server.load(name, Upload::csv(&file(&all))).await;
        let mirror = |rows: &[u32]| {
            Upload::csv(&file(rows)).option("mode", "mirror").option("mirrorMax", "100%")
        };
        let same = server.load(name, mirror(&all)).await;
        assert_eq!(counts(&same), [0, 0, 20, 0, 0], "{name}: {same}");
        let fewer = server.load(name, mirror(&all[3..9]).option("undo", "true")).await;
        assert_eq!(counts(&fewer), [0, 0, 6, 0, 14], "{name}: {fewer}");
        let rows = format!("select count(*) from {name}");
        assert_eq!(server.database.number(&rows).await, 6, "{name}");
        let rollback = rolled_back(server, id(&fewer)).await;
        assert_eq!(counts(&rollback), [14, 0, 0, 0, 0], "{name}: {rollback}");
        let again = server.load(name, mirror(&all)).await;
        assert_eq!(counts(&again), [0, 0, 20, 0, 0], "{name}: {again}");
    }
});

both!(nothing_is_removed_where_a_trigger_changes_keys, |server| {
    with_offers(server, DEACTIVATE, CHUNKS).await;
    server.load("offers", Upload::csv(BEFORE)).await;
    let triggers: &[&str] = match server.database.kind() {
        Kind::Sqlite => {
            &["create trigger marked after insert on supplier_offers when new.code = 'N' \
             begin update supplier_offers set code = code || '*' where id = new.id; end"]
        }
        Kind::Postgres => &[
            "create function marked() returns trigger language plpgsql as \
             $$ begin new.code = new.code || '*'; return new; end $$",
            "create trigger marked before insert on supplier_offers for each row when (new.code = 'N') \
             execute function marked()",
        ],
    };
    for trigger in triggers {
        server.database.execute(trigger).await;
    }
    let job = server.load("offers", mirror(FILE)).await;
    assert_eq!((&job["status"], counts(&job)[4]), (&json!("completed"), 0), "{job}");
    let warnings = job["warnings"].to_string();
    assert!(warnings.contains("key_unknown"), "the record N became N*: {job}");
    assert_eq!(active(server).await.len(), 9, "{job}");
});

both!(what_is_not_known_removes_nothing, |server| {
    with_offers(server, DEACTIVATE, CHUNKS).await;
    server.load("offers", Upload::csv(BEFORE)).await;
    let unreadable =
        "Code,Size,Supplier,Active\nA,1,Acme,yes\nB,one,Acme,yes\nTOOLONGACODE,1,Acme,yes\n";
    let job = server.load("offers", mirror(unreadable)).await;
    assert_eq!((&job["status"], counts(&job)[4]), (&json!("completed"), 0), "{job}");
    let warnings = job["warnings"].as_array().unwrap();
    let unknown = warnings.iter().find(|it| it["code"] == "key_unknown").unwrap();
    assert_eq!((&unknown["count"], &unknown["examples"][0]["rowNumber"]), (&json!(2), &json!(3)));
    assert_eq!(active(server).await.len(), 8);
    // A retry of some rows knows only these.
    let body = server.request(
        reqwest::Method::POST,
        &format!("/api/v1/import/jobs/{}/retry?rows=failed", id(&job)),
    );
    let answer = server.send(body).await;
    let retry = server.finished(answer.ok()["jobId"].as_i64().unwrap()).await;
    assert_eq!(counts(&retry)[4], 0, "{retry}");
    assert!(retry["warnings"].to_string().contains("nothing_removed"), "{retry}");
    assert_eq!(active(server).await.len(), 8);
});

both!(a_mirror_survives_being_killed, [SLOW], |server| {
    with_offers(server, DELETE, &[SLOW, ("LOADBAY_CHUNK_ROWS", "5")]).await;
    let row = |row: u32| format!("R{row:03},1,Acme,1,yes\n");
    let file = |rows: std::ops::Range<u32>| {
        format!("Code,Size,Supplier,Price,Active\n{}", rows.map(row).collect::<String>())
    };
    server.load("offers", Upload::csv(&file(0..120))).await;
    let before = offers(server).await;
    let job = server.import("offers", mirror(&file(0..20))).await;
    for removed in [1, 20, 60] {
        wait_until!(
            counts(server.status(job).await.ok())[4] >= removed,
            "{}",
            server.status(job).await.text()
        );
        server.kill();
        server.restart();
    }
    let status = server.finished(job).await;
    assert_eq!(counts(&status), [0, 0, 20, 0, 100], "{status}");
    assert_eq!(server.database.number("select count(*) from supplier_offers").await, 20);
    let rollback = rolled_back(server, job).await;
    assert_eq!(counts(&rollback), [100, 0, 0, 0, 0], "{rollback}");
    assert_eq!(offers(server).await, before);
});

both!(nothing_is_removed_when_the_dataset_no_longer_says_how, |server| {
    with_offers(server, DEACTIVATE, CHUNKS).await;
    server.load("offers", Upload::csv(BEFORE)).await;
    let before = offers(server).await;
    let dry_run = server.load("offers", mirror(FILE).option("dryRun", "true")).await;
    assert_eq!(counts(&dry_run)[4], 2, "{dry_run}");
    server.define("offers", &DEFINITION.replace("MIRROR", ""), CHUNKS);
    let confirmed = server.action(id(&dry_run), "confirm").await;
    let job = server.finished(confirmed.ok()["jobId"].as_i64().unwrap()).await;
    assert_eq!((&job["status"], &job["errorCode"]), (&json!("failed"), &json!("invalid_option")));
    assert_eq!(offers(server).await, before);
});

#[tokio::test]
async fn what_cannot_be_mirrored_is_refused() {
    let mut server = Server::start(Kind::Sqlite).await;
    with_offers(&mut server, "", CHUNKS).await;
    server.upload("offers", mirror(FILE)).await.assert_problem(400, "invalid_option");
    let upload = Upload::csv("SKU,Name\nA,A\n").option("scope", r#"{"brand":"x"}"#);
    server.upload("products", upload).await.assert_problem(400, "invalid_option");
    for scope in
        ["ACME", "[]", r#"{"brand":null}"#, r#"{"colour":"red"}"#, r#"{"cost_price":"much"}"#]
    {
        let upload =
            Upload::csv("SKU,Name,Brand\nA,A,x\n").option("mode", "mirror").option("scope", scope);
        server.upload("products", upload).await.assert_problem(400, "invalid_option");
    }
    let upload =
        Upload::csv("SKU,Name\nA,A\n").option("mode", "mirror").option("scope", r#"{"brand":"x"}"#);
    server.upload("products", upload).await.assert_problem(422, "missing_column");
    let upload = Upload::csv("SKU,Name\n").option("mode", "mirror");
    server.upload("products", upload).await.assert_problem(422, "empty_file");
    server.check_every_job().await;
}
