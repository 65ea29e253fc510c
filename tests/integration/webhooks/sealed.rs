//! The secrets of webhooks in the database: in clear text without a key, sealed with one.

use std::process::Command;

use super::*;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER: &str = "HxwdGhsYGRYXFBUSExAREA8ODQwLCgkIBwYFBAMCAQA=";
const OWN: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What the command says of the secrets.
fn doctor(server: &Server, settings: Settings<'_>) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_loadbay"))
        .args(["doctor", "--data-dir"])
        .arg(server.data_dir())
        .env_clear()
        .envs(server.database.url().map(|url| ("DATABASE_URL", url)))
        .envs(settings.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let about = |line: &&str| line.contains(" secrets ");
    said.lines().find(about).unwrap_or_else(|| panic!("{said}")).to_owned()
}

async fn stored(server: &Server) -> String {
    server.rows("select secret from import_webhooks").await.concat().concat()
}

both!(secrets_are_sealed_where_there_is_a_key, [OPEN[0], OPEN[1], OPEN[2], OPEN[3]], |server| {
    let web = Web::start(|_, _| Reply::status(204));
    let hook = json!({ "url": web.url("/"), "secret": OWN });
    let (webhook, secret) = server.registered(hook).await;
    assert_eq!(secret, OWN);
    assert_eq!(stored(server).await, OWN);
    assert!(doctor(server, &[]).contains("1 of webhooks lie in clear text"));

    // The next start with a key seals what is there, and messages are signed as before.
    let with = |key| [OPEN.as_slice(), &[("LOADBAY_SECRETS_KEY", key)]].concat();
    server.terminate();
    server.restart_with(&with(KEY));
    let sealed = stored(server).await;
    assert!(sealed.starts_with("sealed1_") && !sealed.contains("MfKQ"), "{sealed}");
    assert!(doctor(server, &[("LOADBAY_SECRETS_KEY", KEY)]).contains("1 of webhooks are sealed"));
    server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    server.message(&webhook, "delivered").await;
    assert!(sent::verifies(OWN, &web.asked()[0]));
    // A new one is shown once and never stored as it is.
    let (_, new) = server.registered(json!({ "url": web.url("/new") })).await;
    assert!(new.starts_with("whsec_") && !stored(server).await.contains(&new));

    // Another key opens nothing, and everybody is told so; imports go on.
    server.terminate();
    server.restart_with(&with(OTHER));
    assert!(server.log().contains("secret_closed"));
    for settings in [vec![("LOADBAY_SECRETS_KEY", OTHER)], vec![]] {
        assert!(doctor(server, &settings).contains("2 cannot be opened"), "{settings:?}");
    }
    server.load("products", Upload::csv("SKU,Name\nB,Bella\n")).await;
    wait_until!(server.log().contains("sealed with another key"), "{}", server.log());
    let asked = web.asked().len();

    // With both of them the first one seals, and what waits is delivered.
    server.terminate();
    let both = format!("{OTHER},{KEY}");
    server.restart_with(&with(&both));
    assert_ne!(stored(server).await, sealed);
    let deliveries = format!("{webhook}/deliveries");
    let newest = server.get(&deliveries).await.ok()["deliveries"][0]["id"].as_i64().unwrap();
    let again = format!("{deliveries}/{newest}/redeliver");
    server.send(server.request(Method::POST, &again)).await.ok();
    wait_until!(web.asked().len() > asked, "{}", server.log());
    let last = web.asked().into_iter().rfind(|it| it.path == "/").unwrap();
    assert!(sent::verifies(OWN, &last));
    // The key may lie in a file, and the older one is needed no longer.
    server.terminate();
    let file = server.folder().join("secrets.key");
    std::fs::write(&file, format!("{OTHER}\n")).unwrap();
    let from_file = [("LOADBAY_SECRETS_KEY_FILE", file.to_str().unwrap())];
    assert!(doctor(server, &from_file).contains("2 of webhooks are sealed"));
    server.restart_with(&[OPEN.as_slice(), &from_file].concat());
    assert!(!server.log().contains(KEY) && !server.log().contains(OWN));
});
