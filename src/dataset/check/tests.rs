//! Tests of `check`.

use super::*;
use crate::dataset::Datasets;
use crate::dataset::shape::TableKind;

/// A table from `name type`, `name type!` (no NULL) or `name type!=` (no NULL, a default).
fn table(name: &str, unique: &[&str], columns: &[&str]) -> TableShape {
    let field = |text: &&str| {
        let (name, rest) = text.split_once(' ').unwrap();
        let sql_type = rest.trim_end_matches('=').trim_end_matches('!');
        let inside = sql_type.split_once('(').map(|(_, inside)| inside.trim_end_matches(')'));
        let mut numbers = inside.into_iter().flat_map(|i| i.split(',')).map(|n| n.parse().unwrap());
        let (first, scale) = (numbers.next(), numbers.next());
        FieldShape {
            name: name.to_owned(),
            nullable: !rest.contains('!'),
            has_default: rest.ends_with('='),
            max_length: first.filter(|_| sql_type.starts_with("varchar")),
            precision: first.filter(|_| sql_type.starts_with("numeric")),
            scale,
            sql_type: sql_type.to_owned(),
            ..FieldShape::default()
        }
    };
    TableShape {
        table: name.to_owned(),
        columns: columns.iter().map(field).collect(),
        unique: unique.iter().map(|set| set.split(',').map(str::to_owned).collect()).collect(),
        ..TableShape::default()
    }
}

fn master(name: &str, column: &str) -> TableShape {
    table(
        name,
        &["id", column],
        &["id uuid!", &format!("{column} varchar(255)!"), "created_at timestamptz!"],
    )
}

fn tables() -> Vec<TableShape> {
    vec![
        table(
            "products",
            &["id", "sku"],
            &[
                "id int8!=",
                "sku varchar(64)!",
                "name varchar(255)!",
                "category_id uuid",
                "type varchar(64)",
                "brand_id uuid",
                "potency_id uuid",
                "form_id uuid",
                "pack_size varchar(64)",
                "uom varchar(64)",
                "cost_price numeric(12,2)",
                "selling_price numeric(12,2)",
                "mrp numeric(12,2)",
                "tax_percent numeric(5,2)",
                "hsn_code varchar(64)",
                "manufacturer varchar(255)",
                "description text",
                "barcode varchar(64)",
                "reorder_level numeric(12,2)",
                "min_stock numeric(12,2)",
                "max_stock numeric(12,2)",
                "current_stock numeric(12,2)",
                "is_active boolean!=",
                "tags jsonb",
                "created_at timestamptz!",
                "updated_at timestamptz!",
            ],
        ),
        master("categories", "name"),
        master("brands", "name"),
        master("potencies", "code"),
        master("forms", "name"),
        table(
            "product_prices",
            &["id"],
            &[
                "id int8!=",
                "product_id int8!",
                "cost_price numeric(12,2)",
                "selling_price numeric(12,2)",
                "mrp numeric(12,2)",
                "created_at timestamptz!",
                "archived_at timestamptz",
            ],
        ),
        table(
            "product_stocks",
            &["id"],
            &[
                "id int8!=",
                "product_id int8!",
                "current_stock numeric(12,2)",
                "created_at timestamptz!",
                "archived_at timestamptz",
            ],
        ),
    ]
}

/// The faults, without the file's name and line, after `change` to the tables.
fn faults(digits: u8, change: impl FnOnce(&mut Vec<TableShape>)) -> Vec<DefinitionFault> {
    let mut tables = tables();
    change(&mut tables);
    let shapes = |name: &str| tables.iter().find(|table| table.table == name).cloned();
    let datasets = Datasets::embedded();
    let products = datasets.iter().find(|compiled| compiled.dataset.name == "products").unwrap();
    check(products, &shapes, digits)
}

fn field<'a>(tables: &'a mut [TableShape], table: &str, field: &str) -> &'a mut FieldShape {
    let shape = tables.iter_mut().find(|shape| shape.table == table).unwrap();
    shape.columns.iter_mut().find(|column| column.name == field).unwrap()
}

#[track_caller]
fn check_fault(change: impl FnOnce(&mut Vec<TableShape>), key: &str, message: &str) {
    let found = faults(18, change);
    let [fault] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((fault.key.as_str(), fault.message.as_str()), (key, message));
    assert!(fault.line.is_some_and(|line| line > 2), "{fault}");
}

#[test]
fn tables_that_fit_have_no_fault() {
    assert_eq!(faults(18, |_| {}), []);
    assert_eq!(faults(15, |_| {}), []);
}

#[test]
fn sqlite_keeps_fifteen_digits() {
    let found = faults(11, |_| {});
    assert_eq!(found.len(), 7);
    assert!(found[0].to_string().ends_with(
        "column `cost_price`, `type`: this database keeps 11 digits of a decimal exactly, but \
         the type has 12"
    ));
}

#[test]
fn what_does_not_fit_is_told_with_its_line() {
    check_fault(
        |t| field(t, "products", "tax_percent").sql_type = "text".into(),
        "column `tax_percent`, `type`",
        "`products.tax_percent` is `text`, but the column needs a decimal",
    );
    check_fault(
        |t| field(t, "products", "mrp").name = "mrpp".into(),
        "column `mrp`, `field`",
        "table `products` has no column `mrp`; did you mean `mrpp`?",
    );
    check_fault(
        |t| field(t, "products", "barcode").max_length = Some(50),
        "column `barcode`, `max_length`",
        "`products.barcode` holds 50 characters; set `max_length` to 50 or less",
    );
    check_fault(
        |t| field(t, "products", "tax_percent").scale = Some(1),
        "column `tax_percent`, `type`",
        "`products.tax_percent` is decimal(5,1), which is too small for decimal(5,2)",
    );
    check_fault(
        |t| field(t, "products", "type").nullable = false,
        "column `type`, `required`",
        "`products.type` takes no NULL and has no default, so the column needs `required = true` or a `default`",
    );
    check_fault(
        |t| t[0].unique.truncate(1),
        "`key`",
        "table `products` has no unique index on (sku), so two records could have the same key",
    );
}

#[test]
fn references_and_histories_are_looked_at_too() {
    check_fault(
        |t| t.retain(|shape| shape.table != "brands"),
        "column `brand`, `references`",
        "there is no table `brands` in the database",
    );
    check_fault(
        |t| {
            let code = field(t, "potencies", "code");
            (code.name, code.nullable) = ("name".into(), true);
        },
        "column `potency`, `references`",
        "table `potencies` has no column `code`",
    );
    check_fault(
        |t| field(t, "forms", "id").sql_type = "int8".into(),
        "column `form`, `references`",
        "`forms.id` has no default, so no record can be created; leave `create` out",
    );
    check_fault(
        |t| field(t, "forms", "id").sql_type = "bytea".into(),
        "column `form`, `references`",
        "`forms.id` needs to be a UUID, an integer or a text, but it is `bytea`",
    );
    check_fault(
        |t| t[1].columns.push(FieldShape { name: "owner".into(), ..FieldShape::default() }),
        "column `category`, `references`",
        "`categories.owner` takes no NULL and has no default, but nothing fills it",
    );
    check_fault(
        |t| field(t, "product_stocks", "archived_at").nullable = false,
        "history `product_stocks`",
        "table `product_stocks` needs a column `archived_at`, a timestamp that may be NULL",
    );
    check_fault(
        |t| field(t, "product_stocks", "product_id").sql_type = "uuid".into(),
        "history `product_stocks`",
        "table `product_stocks` needs a column `product_id` of the type of `products.id`",
    );
    check_fault(
        |t| field(t, "product_prices", "mrp").sql_type = "date".into(),
        "column `mrp`, `type`",
        "`product_prices.mrp` is `date`, but the column needs a decimal",
    );
}

#[test]
fn small_integers_need_bounds() {
    let text = "name = 'd'\ntable = 'd'\nkey = ['a']\n[[column]]\nname = 'a'\nrequired = true\n\
                type = 'integer'\n";
    let shapes = |_: &str| Some(table("d", &["a"], &["id uuid!=", "a int4!"]));
    let with = |bounds: &str| {
        check(&super::super::compile("d", &format!("{text}{bounds}")).unwrap(), &shapes, 18)
    };
    assert_eq!(
        with("")[0].to_string(),
        "d:7: column `a`, `type`: `d.a` has 32 bits; set `min` and `max` within -2147483648 \
         and 2147483647"
    );
    assert_eq!(with("min = 0\nmax = 2147483647"), []);
}

#[test]
fn sqlite_may_declare_what_it_stores() {
    let found = faults(15, |t| {
        field(t, "products", "is_active").sql_type = "INTEGER".into();
        field(t, "products", "mrp").sql_type = "REAL".into();
        field(t, "product_prices", "archived_at").sql_type = "TEXT".into();
    });
    assert_eq!(found, []);
}

#[test]
fn join_tables_are_checked() {
    let text = "name = 'd'\ntable = 'd'\nkey = ['a']\ncolumn = [{ name = 'a', required = true }, \
                { name = 't', type = 'list', into = { table = 'dt', references = { table = 'ts' } } }]";
    let compiled = super::super::compile("d", text).unwrap();
    let faults = |digits: u8, change: &dyn Fn(&mut Vec<TableShape>)| {
        let mut tables = vec![
            table("d", &["a"], &["id int8!=", "a text!"]),
            table("dt", &["d_id,t_id"], &["d_id int8!", "t_id uuid!"]),
            table("ts", &["id", "name"], &["id uuid!", "name text!"]),
        ];
        change(&mut tables);
        let shapes = |name: &str| tables.iter().find(|it| it.table == name).cloned();
        let found = check(&compiled, &shapes, digits);
        found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    for (digits, change, said) in [
        (18, (|_| {}) as fn(&mut Vec<TableShape>), ""),
        (15, |_| {}, ""),
        (18, |t| drop(t.remove(1)), "`into`: there is no table `dt` in the database"),
        (18, |t| drop(t.remove(2)), "`references`: there is no table `ts` in the database"),
        (18, |t| drop(t[0].columns.remove(0)), "table `d` needs a column `id`, which `dt.d_id`"),
        (15, |t| t[0].columns[0].has_default = false, "needs a column `id` INTEGER PRIMARY KEY"),
        (18, |t| drop(t[1].columns.remove(1)), "table `dt` has no column `t_id`"),
        (18, |t| t[1].unique.clear(), "table `dt` has no unique index on (d_id, t_id)"),
        (
            18,
            |t| t[1].columns[1].sql_type = "int4".into(),
            "`dt.t_id` is `int4`, but it needs the type of `ts.id`, which is `uuid`",
        ),
        (18, |t| t[1].columns[0].is_generated = true, "`dt.d_id` is computed by the database"),
        (18, |t| t[1].kind = TableKind::View, "`dt` is a view; name the table behind it"),
        (15, |t| t[1].kind = TableKind::WithoutRowid, ""),
        (18, |t| t[1].columns.extend(table("", &[], &["updated_at timestamptz!"]).columns), ""),
        (
            18,
            |t| t[1].columns.extend(table("", &[], &["rank int4!"]).columns),
            "`dt.rank` takes no NULL and has no default, but nothing fills it",
        ),
    ] {
        let found = faults(digits, &change);
        assert!(found.contains(said) && found.is_empty() == said.is_empty(), "{said}: {found}");
    }
}
