//! What only the server reaches stays closed: however an address is written, wherever a server leads,
//! and whatever a name means a moment later.

use super::web::{Reply, Web};
use super::{OPEN, products};
use crate::support::*;
use serde_json::json;

both!(private_addresses_are_refused_before_there_is_a_job, |server| {
    for url in [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://017700000001/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fd00::1]/",
        "http://[fe80::1]/",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "http://user:s3cret@8.8.8.8/",
        "http://8.8.8.8:22/",
        "file:///etc/passwd",
        "ftp://8.8.8.8/x",
        "s3://files/a.csv",
        "prices.csv",
    ] {
        let refused = server.far(json!({"url": url})).await;
        refused.assert_problem(422, "url_not_allowed");
        assert!(!refused.text().contains("s3cret"), "{}", refused.text());
    }
    assert!(!server.log().contains("s3cret"));
    // A name is known when it is asked for: its job ends with the same code.
    let job = server.far_job(json!({"url": "http://localhost/a.csv"})).await;
    let status = server.finished(job).await;
    assert_eq!(
        (&status["status"], &status["errorCode"]),
        (&json!("failed"), &json!("url_not_allowed"))
    );
});

both!(every_hop_is_checked, [OPEN[0], OPEN[1], OPEN[2], OPEN[3]], |server| {
    let inside = Web::start_on("127.0.0.2:0", |_, _| Reply::file(products(1)));
    let (port, target) = (inside.port(), inside.url("/a.csv"));
    let web = Web::start(move |_, asked| match asked.path.as_str() {
        "/literal" => Reply::to(&target),
        "/decimal" => Reply::to(&format!("http://2130706434:{port}/a.csv")),
        "/mapped" => Reply::to(&format!("http://[::ffff:127.0.0.2]:{port}/a.csv")),
        "/metadata" => Reply::to("http://169.254.169.254/latest/meta-data"),
        "/scheme" => Reply::to("file:///etc/passwd"),
        "/secret" => Reply::to("http://me:s3cret@127.0.0.1/a.csv"),
        "/round" => Reply::to("/round"),
        "/nowhere" => Reply::status(302),
        "/first" => Reply::to("second?x=1"),
        "/second?x=1" => Reply::file(products(3)),
        _ => Reply::status(404),
    });
    for (path, code) in [
        ("/literal", "url_not_allowed"),
        ("/decimal", "url_not_allowed"),
        ("/mapped", "url_not_allowed"),
        ("/metadata", "url_not_allowed"),
        ("/scheme", "url_not_allowed"),
        ("/secret", "url_not_allowed"),
        ("/round", "fetch_failed"),
        ("/nowhere", "fetch_failed"),
    ] {
        let status = server.finished(server.far_job(json!({"url": web.url(path)})).await).await;
        assert_eq!(status["errorCode"], code, "{path}: {status}");
        assert!(!status.to_string().contains("s3cret"), "{status}");
    }
    let status = server.finished(server.far_job(json!({"url": web.url("/first")})).await).await;
    assert_eq!(status["counts"]["created"], 3, "{status}");
    assert_eq!(status["fileName"], "first");
    assert!(inside.asked().is_empty(), "{:?}", inside.asked());
    assert!(!server.log().contains("s3cret"));
});

/// The name is that of an open address first, and of a closed one when it is asked again: what is
/// checked and what is connected to is one answer.
const TURNING: (&str, &str) =
    ("FAILPOINTS", "fetch.resolve=1*return(127.0.0.1)->return(127.0.0.2)");

both!(
    a_name_that_turns_private_is_not_followed,
    [OPEN[0], OPEN[1], OPEN[2], OPEN[3], TURNING],
    |server| {
        // Two machines with the same port.
        let (web, inside) = loop {
            let web = Web::start(|_, asked| {
                Reply::ranged(asked, products(5_000).as_bytes(), "\"1\"").cut(30_000)
            });
            let taken = std::net::TcpListener::bind(("127.0.0.2", web.port()));
            if let Ok(free) = taken {
                drop(free);
                let listen = format!("127.0.0.2:{}", web.port());
                break (web, Web::start_on(&listen, |_, _| Reply::file(products(1))));
            }
        };
        let url = format!("http://supplier.test:{}/a.csv", web.port());
        let status = server.finished(server.far_job(json!({"url": url})).await).await;
        assert_eq!(status["errorCode"], "url_not_allowed", "{status}");
        assert_eq!(web.asked().len(), 1);
        assert!(inside.asked().is_empty(), "{:?}", inside.asked());
    }
);

/// Of a name with both, only the public address is left.
const MIXED: (&str, &str) = ("FAILPOINTS", "fetch.resolve=return(127.0.0.2 10.0.0.1 127.0.0.1)");

both!(
    of_several_addresses_the_private_ones_are_left_out,
    [OPEN[0], OPEN[1], OPEN[2], OPEN[3], MIXED],
    |server| {
        let web = Web::start(|_, _| Reply::file(products(2)));
        let url = format!("http://supplier.test:{}/a.csv", web.port());
        let status = server.finished(server.far_job(json!({"url": url})).await).await;
        assert_eq!(status["counts"]["created"], 2, "{status}");
    }
);
