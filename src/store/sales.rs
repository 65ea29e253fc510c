//! Sums over the order lines that were imported.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, QueryResult};

use crate::dataset::TableName;
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::unsigned;

/// Which order lines are summed.
#[derive(Debug, Clone)]
pub struct SalesFilter {
    /// The table of the order lines.
    pub table: String,
    /// Only those of this shop.
    pub shop: Option<String>,
    /// Only those ordered from the first moment on, before the second one.
    pub period: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// What order lines come to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sales {
    /// Orders.
    pub orders: u64,
    /// Their lines.
    pub lines: u64,
    /// Pieces.
    pub quantity: u64,
    /// What the supplier takes for them.
    pub product_cost: f64,
    /// Fees beside the partner's.
    pub other_fees: f64,
    /// The partner's fees.
    pub partner_fees: f64,
    /// What the lines cost in all.
    pub total: f64,
    /// What they are sold for.
    pub revenue: f64,
    /// What may be earned.
    pub potential_profit: f64,
}

impl Sales {
    /// The columns that are summed.
    pub const COLUMNS: &'static [&'static str] = &[
        "order_code",
        "shop",
        "ordered_at",
        "qty",
        "total_product_price",
        "other_fees",
        "partner_fee",
        "total",
        "total_channel_price",
        "potential_profit",
    ];

    fn of(row: &QueryResult) -> Result<Self, sea_orm::DbErr> {
        let count = |name| row.try_get("", name).map(unsigned);
        let money = |name| row.try_get("", name).map(cents);
        Ok(Self {
            orders: count("orders")?,
            lines: count("lines")?,
            quantity: count("qty")?,
            product_cost: money("total_product_price")?,
            other_fees: money("other_fees")?,
            partner_fees: money("partner_fee")?,
            total: money("total")?,
            revenue: money("total_channel_price")?,
            potential_profit: money("potential_profit")?,
        })
    }
}

/// Without what floats add behind the second digit.
fn cents(sum: f64) -> f64 {
    (sum * 100.0).round() / 100.0
}

impl SalesFilter {
    fn select(&self) -> SelectStatement {
        let mut sums = Query::select();
        sums.expr_as(Expr::cust("count(DISTINCT order_code)"), "orders")
            .expr_as(Expr::cust("count(*)"), "lines")
            .expr_as(Expr::cust("CAST(coalesce(sum(qty), 0) AS bigint)"), "qty");
        for column in [
            "total_product_price",
            "other_fees",
            "partner_fee",
            "total",
            "total_channel_price",
            "potential_profit",
        ] {
            let sum = format!("CAST(coalesce(sum({column}), 0) AS double precision)");
            sums.expr_as(Expr::cust(sum), column);
        }
        let TableName { schema, name } = TableName::of(&self.table);
        match schema {
            Some(schema) => sums.from((Alias::new(schema), Alias::new(name))),
            None => sums.from(Alias::new(name)),
        };
        if let Some(shop) = &self.shop {
            sums.and_where(Expr::col("shop").eq(shop.as_str()));
        }
        if let Some((from, until)) = self.period {
            sums.and_where(Expr::col("ordered_at").gte(from));
            sums.and_where(Expr::col("ordered_at").lt(until));
        }
        sums
    }
}

impl Store {
    /// What the order lines of a table come to, which has the columns of [`Sales::COLUMNS`].
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sales(&self, of: &SalesFilter) -> Result<Sales, StoreError> {
        let action = "sum the order lines";
        let row = self.lists.query_one(&of.select()).await.context(action)?;
        row.map_or_else(|| Ok(Sales::default()), |row| Sales::of(&row).context(action))
    }
}
