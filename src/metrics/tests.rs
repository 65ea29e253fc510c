//! What is counted is said under its name.

use super::*;

#[test]
fn what_is_counted_is_said_under_its_name() {
    let metrics = ServerMetrics::new(["products"]);
    metrics.rows("products", &Counts { created: 3, failed: 1, ..Counts::default() });
    metrics.refused(ErrorCode::NotFound);
    metrics.uploaded("products", 40);
    metrics.chunk_committed("products", Duration::from_millis(30));
    let listening = metrics.listens(StreamKind::Job);
    let text = metrics.text(&Gauges::default()).unwrap();
    for line in [
        "loadbay_rows_total{dataset=\"products\",outcome=\"created\"} 3",
        "loadbay_rows_total{dataset=\"products\",outcome=\"removed\"} 0",
        "loadbay_problems_total{code=\"not_found\"} 1",
        "loadbay_upload_bytes_total{dataset=\"products\"} 40",
        "loadbay_chunk_seconds_bucket{dataset=\"products\",le=\"0.05\"} 1",
        "loadbay_listeners{stream=\"job\"} 1",
        "loadbay_database_up 0.0",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is missing in\n{text}");
    }
    assert!(!text.contains("loadbay_oldest_waiting"), "what nobody knows is not said");
    drop(listening);
    let text = metrics.text(&Gauges::default()).unwrap();
    assert!(text.contains("loadbay_listeners{stream=\"job\"} 0"), "{text}");
}
