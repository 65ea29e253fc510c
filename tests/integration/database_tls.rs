//! TLS to PostgreSQL: every `sslmode`, with and without the certificate of an authority, with client
//! certificates; what does not work says which file or which name is wrong.

use std::path::{Path, PathBuf};
use std::process::Command;

use loadbay::store::{Store, StoreSettings};

use crate::support::*;

/// Certificates of an authority of one's own.
pub(crate) struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let authority = Self { folder: tempfile::tempdir().expect("a folder") };
        authority.openssl(&["-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Test Authority"]);
        authority
    }

    /// Issues a certificate for a name of the DNS; its file and that of its key.
    pub(crate) fn issue(&self, name: &str) -> (PathBuf, PathBuf) {
        self.issue_for(name, "2")
    }

    /// The same for so many days.
    pub(crate) fn issue_for(&self, name: &str, days: &str) -> (PathBuf, PathBuf) {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
        let (subject, names) = (format!("/CN={name}"), format!("subjectAltName=DNS:{name}"));
        self.openssl(&[
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
            "-keyout",
            &key,
            "-out",
            &certificate,
            "-subj",
            &subject,
            "-addext",
            &names,
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-days",
            days,
        ]);
        (self.folder.path().join(certificate), self.folder.path().join(key))
    }

    /// The file of its own certificate.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    fn openssl(&self, arguments: &[&str]) {
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-nodes", "-days", "2"])
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .expect("openssl starts: `scripts/test` installs it");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

/// Puts a file into the cluster's folder, as its own.
fn install(cluster: &PrivateCluster, from: &Path, name: &str) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let folder = cluster.folder.join("cluster");
    let to = folder.join(name);
    std::fs::copy(from, &to).expect("the file is copied");
    std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    let owner = std::fs::metadata(&folder).expect("the folder is there");
    std::os::unix::fs::chown(&to, Some(owner.uid()), Some(owner.gid())).expect("it is given");
}

/// Who may connect how, from the next start on.
fn admit(cluster: &PrivateCluster, line: &str) {
    let text = format!("local all all trust\n{line}\n");
    let from = cluster.folder.join("hba");
    std::fs::write(&from, text).expect("the file is written");
    install(cluster, &from, "pg_hba.conf");
    std::fs::remove_file(from).expect("it was a copy");
    cluster.restart();
}

/// A cluster that speaks TLS as `localhost`, and trusts the clients of the authority.
async fn cluster(authority: &Authority) -> PrivateCluster {
    let cluster = PrivateCluster::start();
    let (certificate, key) = authority.issue("localhost");
    install(&cluster, &certificate, "server.crt");
    install(&cluster, &key, "server.key");
    install(&cluster, &authority.certificate(), "ca.crt");
    let database = Database::given(cluster.address.clone());
    for setting in ["ssl = on", "ssl_ca_file = 'ca.crt'"] {
        database.execute(&format!("alter system set {setting}")).await;
    }
    cluster
}

/// Connects as the server does: whether the connection has TLS, else what it says.
async fn reached(address: &str, host: &str, parameters: &str) -> Result<bool, String> {
    let url = format!("{}?{parameters}", address.replace("127.0.0.1", host));
    let settings = StoreSettings {
        database_url: Some(url),
        sqlite_path: PathBuf::new(),
        schema: "loadbay".to_owned(),
        lease: std::time::Duration::from_secs(30),
    };
    let store = match Store::connect(&settings).await {
        Ok(store) => store,
        Err(fault) => {
            let cause = std::error::Error::source(&fault).map(ToString::to_string);
            return Err(format!("{fault}: {}", cause.unwrap_or_default()));
        }
    };
    // Its own connection says how it came.
    let tls = store.speaks_tls().await;
    store.close().await;
    Ok(tls.expect("it answers"))
}

#[track_caller]
fn says(reached: Result<bool, String>, words: &str) {
    let said = reached.expect_err(words);
    assert!(said.contains(words), "{said}");
}

#[tokio::test]
async fn every_mode_works_or_says_what_is_missing() {
    let (ours, other) = (Authority::new(), Authority::new());
    let cluster = cluster(&ours).await;
    admit(&cluster, "host all all 127.0.0.1/32 password");
    let address = cluster.address.as_str();
    let root = format!("&sslrootcert={}", ours.certificate().display());
    let wrong = format!("&sslrootcert={}", other.certificate().display());
    let ask = |host: &'static str, parameters: String| async move {
        reached(address, host, &parameters).await
    };

    for (mode, tls) in [("disable", false), ("allow", false), ("prefer", true), ("require", true)] {
        assert_eq!(ask("localhost", format!("sslmode={mode}")).await, Ok(tls), "{mode}");
    }
    for mode in ["require", "verify-ca", "verify-full"] {
        assert_eq!(ask("localhost", format!("sslmode={mode}{root}")).await, Ok(true), "{mode}");
        says(ask("localhost", format!("sslmode={mode}{wrong}")).await, "not trusted");
    }
    for mode in ["verify-ca", "verify-full"] {
        says(ask("localhost", format!("sslmode={mode}")).await, "`sslrootcert`");
        let missing = format!("sslmode={mode}&sslrootcert=/nowhere/ca.crt");
        says(ask("localhost", missing).await, "/nowhere/ca.crt");
    }
    assert_eq!(ask("127.0.0.1", format!("sslmode=verify-ca{root}")).await, Ok(true));
    let named = ask("127.0.0.1", format!("sslmode=verify-full{root}")).await;
    says(named, "is not for the name `127.0.0.1`");

    // A server that wants TLS, then one that has none.
    admit(&cluster, "hostssl all all 127.0.0.1/32 password");
    for mode in ["allow", "prefer", "require"] {
        assert_eq!(ask("localhost", format!("sslmode={mode}")).await, Ok(true), "{mode}");
    }
    says(ask("localhost", "sslmode=disable".to_owned()).await, "no encryption");
    admit(&cluster, "hostnossl all all 127.0.0.1/32 password");
    assert_eq!(ask("localhost", "sslmode=prefer".to_owned()).await, Ok(false));
    let database = Database::given(format!("{address}?sslmode=disable"));
    database.execute("alter system set ssl = off").await;
    cluster.restart();
    assert_eq!(ask("localhost", "sslmode=prefer".to_owned()).await, Ok(false));
    says(ask("localhost", "sslmode=require".to_owned()).await, "does not speak TLS");
}

#[tokio::test]
async fn a_client_certificate_opens_the_door() {
    let (ours, other) = (Authority::new(), Authority::new());
    let cluster = cluster(&ours).await;
    admit(&cluster, "hostssl all all 127.0.0.1/32 password clientcert=verify-ca");
    let address = cluster.address.as_str();
    let pair = |authority: &Authority| {
        let (certificate, key) = authority.issue("client");
        let root = ours.certificate();
        format!(
            "sslmode=verify-full&sslrootcert={}&sslcert={}&sslkey={}",
            root.display(),
            certificate.display(),
            key.display()
        )
    };
    assert_eq!(reached(address, "localhost", &pair(&ours)).await, Ok(true));
    let without = format!("sslmode=verify-full&sslrootcert={}", ours.certificate().display());
    says(reached(address, "localhost", &without).await, "client certificate");
    says(reached(address, "localhost", &pair(&other)).await, "certificate");
    let half = format!("{without}&sslcert=/nowhere/client.crt");
    says(reached(address, "localhost", &half).await, "`sslcert` needs `sslkey`");
}
