//! Who uploaded: the name that a client gives itself, else its address.

use crate::support::*;

both!(a_client_is_known_by_its_name_or_address, |server| {
    let file = || Upload::csv("SKU,Name\nA,A\n");
    let named =
        server.import("products", file().header("X-Loadbay-Client", "nightly-prices")).await;
    let unnamed = server.import("products", file()).await;
    for (job, client) in [(named, "nightly-prices"), (unnamed, "127.0.0.1")] {
        server.finished(job).await;
        let sql = format!("select created_by from import_log where id = {job}");
        assert_eq!(server.database.value(&sql).await, client);
    }
    for name in ["", " ", "two words", "größe", &"x".repeat(101)] {
        let refused = server.upload("products", file().header("X-Loadbay-Client", name)).await;
        refused.assert_problem(400, "malformed_request");
        assert!(refused.text().contains("X-Loadbay-Client"), "{}", refused.text());
    }
});
