//! SQLite: the limit, written by hand with rusqlite: one thread, prepared statements stepped for
//! each row, each chunk sorted by its key and committed in one transaction, history included.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Statement, ToSql, params};

use crate::files::BenchFile;

const SCHEMA: &str = include_str!("../sql/schema_sqlite.sql");

/// How the table stores its decimals, by its declared type.
#[derive(Debug, Clone, Copy)]
enum Decimals {
    /// Integers in hundredths.
    Hundredths,
    Real,
    Text,
}

impl Decimals {
    fn value(self, text: &str) -> Result<Value> {
        Ok(match self {
            Self::Hundredths => {
                let (whole, part) = text.split_once('.').unwrap_or((text, "00"));
                Value::Integer(whole.parse::<i64>()? * 100 + part.parse::<i64>()?)
            }
            Self::Real => Value::Real(text.parse()?),
            Self::Text => Value::Text(text.to_owned()),
        })
    }
}

/// Makes an empty database with the tables as Loadbay would; only where no server makes them.
pub(crate) fn make_tables(path: &Path) -> Result<()> {
    let connection = Connection::open(path)?;
    connection.execute_batch(&format!("pragma journal_mode = wal;\n{SCHEMA}"))?;
    Ok(())
}

/// Copies the database that a server made and left.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    let path = to.to_str().context("the path is not UTF-8")?;
    Connection::open(from)?.execute("vacuum into ?1", [path])?;
    Ok(())
}

/// Rows in the products table, and in the two histories together.
pub(crate) fn row_counts(path: &Path) -> Result<(u64, u64)> {
    let connection = Connection::open(path)?;
    let sql = "select (select count(*) from products), \
               (select count(*) from product_prices) + (select count(*) from product_stocks)";
    let counts: (i64, i64) = connection.query_row(sql, [], |row| row.try_into())?;
    Ok((counts.0.try_into()?, counts.1.try_into()?))
}

/// Reads the CSV file and writes it into the tables, and gives the time that took.
pub(crate) fn limit(path: &Path, file: &BenchFile, chunk_rows: u32) -> Result<Duration> {
    let connection = Connection::open(path)?;
    // Checkpoints every 1,000, 4,000 and 20,000 pages: 9.9, 9.6 and 8.6 s of CPU for 600,000 rows.
    connection.execute_batch(
        "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;
         pragma cache_size = -32768; pragma wal_autocheckpoint = 20000;",
    )?;
    let decimals = decimals(&connection)?;
    let begin = Instant::now();
    let mut reader = csv::Reader::from_path(&file.path)?;
    let mut writer = Writer::prepare(&connection, decimals)?;
    let mut chunk = vec![csv::StringRecord::new(); usize::try_from(chunk_rows)?];
    loop {
        let mut read = 0;
        for record in &mut chunk {
            if !reader.read_record(record)? {
                break;
            }
            read += 1;
        }
        let rows = chunk.get_mut(..read).unwrap_or_default();
        if rows.is_empty() {
            break;
        }
        rows.sort_unstable_by(|a, b| a.get(0).cmp(&b.get(0)));
        connection.execute_batch("begin immediate")?;
        for row in rows.iter() {
            writer.write(row)?;
        }
        connection.execute_batch("commit")?;
    }
    drop(writer);
    Ok(begin.elapsed())
}

fn decimals(connection: &Connection) -> Result<Decimals> {
    let sql = "select lower(type) from pragma_table_info('products') where name = 'selling_price'";
    let declared: String = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(if declared.contains("int") {
        Decimals::Hundredths
    } else if declared.contains("text") || declared.contains("char") {
        Decimals::Text
    } else {
        Decimals::Real
    })
}

/// The names of one reference table and their keys.
struct References<'c> {
    known: HashMap<String, Value>,
    insert: Statement<'c>,
}

impl<'c> References<'c> {
    fn load(connection: &'c Connection, table: &str, column: &str) -> Result<Self> {
        let mut all = connection.prepare(&format!("select {column}, id from {table}"))?;
        let known = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let known = known.collect::<Result<_, _>>()?;
        let insert = connection.prepare(&format!(
            "insert into {table} (id, {column}, created_at) values (?1, ?2, ?3)"
        ))?;
        Ok(Self { known, insert })
    }

    /// The key of a name, created when it is new; nothing for an empty cell.
    fn key(&mut self, name: &str, now: &str) -> Result<Value> {
        if name.is_empty() {
            return Ok(Value::Null);
        }
        if let Some(key) = self.known.get(name) {
            return Ok(key.clone());
        }
        let key = Value::Blob(uuid::Uuid::new_v4().as_bytes().to_vec());
        self.insert.execute(params![key, name, now])?;
        self.known.insert(name.to_owned(), key.clone());
        Ok(key)
    }
}

/// The columns of the products table in the order of the statements' parameters.
const COLUMNS: &str = "sku, name, category_id, brand_id, potency_id, form_id, description, uom, \
                       selling_price, current_stock, barcode, is_active";

struct Writer<'c> {
    decimals: Decimals,
    now: String,
    references: [References<'c>; 4],
    insert: Statement<'c>,
    find: Statement<'c>,
    update: Statement<'c>,
    archive_price: Statement<'c>,
    insert_price: Statement<'c>,
    archive_stock: Statement<'c>,
    insert_stock: Statement<'c>,
    connection: &'c Connection,
}

impl<'c> Writer<'c> {
    fn prepare(connection: &'c Connection, decimals: Decimals) -> Result<Self> {
        let now = connection.query_row(
            "select strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')",
            [],
            |row| row.get(0),
        )?;
        Ok(Self {
            decimals,
            now,
            references: [
                References::load(connection, "categories", "name")?,
                References::load(connection, "brands", "name")?,
                References::load(connection, "potencies", "code")?,
                References::load(connection, "forms", "name")?,
            ],
            insert: connection.prepare(&format!(
                "insert into products ({COLUMNS}, created_at, updated_at) \
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13) \
                 on conflict (sku) do nothing"
            ))?,
            find: connection
                .prepare(&format!("select id, {COLUMNS} from products where sku = ?1"))?,
            update: connection.prepare(
                "update products set name = ?2, category_id = ?3, brand_id = ?4, potency_id = ?5, \
                 form_id = ?6, description = ?7, uom = ?8, selling_price = ?9, \
                 current_stock = ?10, barcode = ?11, is_active = ?12, updated_at = ?13 \
                 where id = ?1",
            )?,
            archive_price: connection.prepare(
                "update product_prices set archived_at = ?2 \
                 where product_id = ?1 and archived_at is null returning cost_price, mrp",
            )?,
            insert_price: connection.prepare(
                "insert into product_prices (product_id, cost_price, selling_price, mrp, \
                 created_at) values (?1, ?2, ?3, ?4, ?5)",
            )?,
            archive_stock: connection.prepare(
                "update product_stocks set archived_at = ?2 \
                 where product_id = ?1 and archived_at is null",
            )?,
            insert_stock: connection.prepare(
                "insert into product_stocks (product_id, current_stock, created_at) \
                 values (?1, ?2, ?3)",
            )?,
            connection,
        })
    }

    /// Creates the product, or updates it when something of it differs.
    fn write(&mut self, record: &csv::StringRecord) -> Result<()> {
        let cell = |index| record.get(index).unwrap_or_default();
        let text = |index| Some(cell(index)).filter(|text| !text.is_empty());
        let mut keys = [const { Value::Null }; 4];
        for ((key, references), index) in keys.iter_mut().zip(&mut self.references).zip(2..) {
            *key = references.key(cell(index), &self.now)?;
        }
        let row = Row {
            sku: cell(0),
            name: cell(1),
            keys,
            description: text(6),
            uom: text(7),
            price: self.decimals.value(cell(8))?,
            stock: self.decimals.value(cell(9))?,
            barcode: text(10),
            is_active: cell(11) == "yes",
        };
        // First as if it were new: for a file of new products that saves one look into the index.
        if row.execute(&mut self.insert, &row.sku, &self.now)? == 0 {
            return self.update(&row);
        }
        let (id, now) = (self.connection.last_insert_rowid(), &self.now);
        self.insert_price.execute(params![id, Value::Null, row.price, Value::Null, now])?;
        self.insert_stock.execute(params![id, row.stock, now])?;
        Ok(())
    }

    fn update(&mut self, row: &Row<'_>) -> Result<()> {
        let mut found = self.find.query([row.sku])?;
        let stored = found.next()?.context("the product that was in the way is gone")?;
        let id: i64 = stored.get(0)?;
        let is_price_same = same(stored.get_ref(9)?, &row.price);
        let is_stock_same = same(stored.get_ref(10)?, &row.stock);
        let is_same = is_price_same && is_stock_same && row.is_same_otherwise(stored)?;
        drop(found);
        if is_same {
            return Ok(());
        }
        let now = &self.now;
        row.execute(&mut self.update, &id, now)?;
        if !is_price_same {
            let kept: (Value, Value) =
                self.archive_price.query_row(params![id, now], |row| row.try_into())?;
            self.insert_price.execute(params![id, kept.0, row.price, kept.1, now])?;
        }
        if !is_stock_same {
            self.archive_stock.execute(params![id, now])?;
            self.insert_stock.execute(params![id, row.stock, now])?;
        }
        Ok(())
    }
}

/// The values of one row, as the statements take them.
struct Row<'r> {
    sku: &'r str,
    name: &'r str,
    /// Of category, brand, potency and form.
    keys: [Value; 4],
    description: Option<&'r str>,
    uom: Option<&'r str>,
    price: Value,
    stock: Value,
    barcode: Option<&'r str>,
    is_active: bool,
}

impl Row<'_> {
    /// Executes the insert or the update, which differ in their first parameter only.
    fn execute(
        &self,
        statement: &mut Statement<'_>,
        first: &dyn ToSql,
        now: &str,
    ) -> Result<usize> {
        let [category, brand, potency, form] = &self.keys;
        Ok(statement.execute(params![
            first,
            self.name,
            category,
            brand,
            potency,
            form,
            self.description,
            self.uom,
            self.price,
            self.stock,
            self.barcode,
            self.is_active,
            now
        ])?)
    }

    /// Compares everything but price and stock with what `Writer::find` gives.
    fn is_same_otherwise(&self, stored: &rusqlite::Row<'_>) -> Result<bool> {
        let [category, brand, potency, form] = &self.keys;
        Ok(same_text(stored.get_ref(2)?, Some(self.name))
            && same(stored.get_ref(3)?, category)
            && same(stored.get_ref(4)?, brand)
            && same(stored.get_ref(5)?, potency)
            && same(stored.get_ref(6)?, form)
            && same_text(stored.get_ref(7)?, self.description)
            && same_text(stored.get_ref(8)?, self.uom)
            && same_text(stored.get_ref(11)?, self.barcode)
            && stored.get::<_, bool>(12)? == self.is_active)
    }
}

fn same(stored: ValueRef<'_>, new: &Value) -> bool {
    stored == ValueRef::from(new)
}

fn same_text(stored: ValueRef<'_>, new: Option<&str>) -> bool {
    stored == new.map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes()))
}
