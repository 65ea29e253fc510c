//! `GET /api/metrics?shop=&period=`: sums over the order lines that were imported.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Months, NaiveDate, Utc};
use serde::Serialize;

use super::{TRANSACTIONS, json};
use crate::domain::error_code::ErrorCode;
use crate::http::api::Api;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::jobs::{Sales, SalesFilter};

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct SalesSums<'a> {
    shop: Option<&'a str>,
    period: Option<&'a str>,
    orders: u64,
    transactions: u64,
    quantity: u64,
    product_cost: f64,
    other_fees: f64,
    partner_fees: f64,
    total: f64,
    revenue: f64,
    potential_profit: f64,
}

/// 200 with the sums of a shop and a month; of all shops and all times where they are not named.
pub(in crate::http::compat) async fn metrics(
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let dataset = api.dataset(TRANSACTIONS)?;
    if let Some(missing) = Sales::COLUMNS.iter().find(|name| dataset.column_index(name).is_none()) {
        let detail = format!("dataset `{TRANSACTIONS}` has no column `{missing}` to be summed");
        return Err(Problem::new(ErrorCode::NotFound, detail));
    }
    let query = Query::only(&request, &["shop", "period"])?;
    let given = |name| query.get(name).map(str::trim).filter(|value| !value.is_empty());
    let (shop, period) = (given("shop"), given("period"));
    let filter = SalesFilter {
        table: dataset.table.clone(),
        shop: shop.map(str::to_owned),
        period: period.map(bounds).transpose()?,
    };
    let sales = api.jobs.sales(filter).await?;
    let metrics = SalesSums {
        shop,
        period,
        orders: sales.orders,
        transactions: sales.lines,
        quantity: sales.quantity,
        product_cost: sales.product_cost,
        other_fees: sales.other_fees,
        partner_fees: sales.partner_fees,
        total: sales.total,
        revenue: sales.revenue,
        potential_profit: sales.potential_profit,
    };
    json(StatusCode::OK, &metrics)
}

/// The first moment of a period and that of the next one: a day, a month or a year, in UTC.
fn bounds(period: &str) -> Result<(DateTime<Utc>, DateTime<Utc>), Problem> {
    let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let found = match period.split('-').count() {
        1 => day(&format!("{period}-01-01"))
            .and_then(|first| Some((first, first.checked_add_months(Months::new(12))?))),
        2 => day(&format!("{period}-01"))
            .and_then(|first| Some((first, first.checked_add_months(Months::new(1))?))),
        _ => day(period).and_then(|first| Some((first, first.succ_opt()?))),
    };
    let (from, until) = found.ok_or_else(|| {
        Problem::invalid_parameter("period", period, "a month such as 2024-01, a year or a day")
    })?;
    let midnight = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc();
    Ok((midnight(from), midnight(until)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_year_a_month_or_a_day() {
        let of = |period| {
            let (from, until) = bounds(period).map_err(|problem| problem.code().as_str())?;
            Ok::<_, &str>(format!("{} {}", from.date_naive(), until.date_naive()))
        };
        assert_eq!(of("2024-01").unwrap(), "2024-01-01 2024-02-01");
        assert_eq!(of("2024-12").unwrap(), "2024-12-01 2025-01-01");
        assert_eq!(of("2024").unwrap(), "2024-01-01 2025-01-01");
        assert_eq!(of("2024-02-29").unwrap(), "2024-02-29 2024-03-01");
        for period in ["2024-13", "January", "2024-01-32", "2024-1-1-1", "99999999"] {
            assert_eq!(of(period), Err("invalid_option"), "{period}");
        }
    }
}
