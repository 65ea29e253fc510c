//! The migrations that have landed, each with the SHA-256 of its file: a database that ran one never
//! runs it again, so a change of it would reach new databases only.

use sha2::{Digest, Sha256};

use super::sources::{check, sources};

const LANDED: [(&str, &str); 27] = [
    (
        "m20261122_000001_create_import_tables.rs",
        "1a79ccd5d2e0c531637d2615ab5251b8874c578910e2aecf192c9d45648bdb50",
    ),
    (
        "m20261122_000002_create_product_tables.rs",
        "80c86a85ebfe075c4d0a8a6ad091a4ec259bc83722d76a85ad9431e6aed59767",
    ),
    (
        "m20261122_000003_create_event_tables.rs",
        "db512db51983f9fcd5b43c6868c6d8688806ced577164357905790de7aeb4cd1",
    ),
    (
        "m20261122_000004_index_changes_of_jobs.rs",
        "9ad11fec1e17bb45e307f49e39941d764fd054e4bfe706bbb7668d16f6e21a13",
    ),
    (
        "m20261122_000005_add_control_of_jobs.rs",
        "6a728f19922a5fbb81a7e437b4ec472023838e8cd4aa23ddb078081f93da62b7",
    ),
    (
        "m20261122_000006_name_the_database.rs",
        "16d646024809ad0a6be0a64b3127c97b47454061e1653450cba3ad563397a708",
    ),
    (
        "m20261128_000007_prune_whole_events.rs",
        "37fd1fd0a45152839af2b24b26ee8599dbc1e55c4ce27363ceb68481aa55da8e",
    ),
    (
        "m20261128_000008_count_warnings.rs",
        "f381a1ab8fc50772f1236156d25fd35eedee8cce40215cf0038f3016e2d2dfbb",
    ),
    (
        "m20261128_000009_add_key_of_row_errors.rs",
        "0c03719a416dac6621a47d8b68fb890c82752a20c7c3497782c24b99aece67e2",
    ),
    (
        "m20261128_000010_index_lists_of_jobs.rs",
        "cfeeda8e574ed26293fcb1bb1b1f116139108bb21316b22fab64fc73ec3c3099",
    ),
    (
        "m20261128_000011_add_dry_run_and_run_time.rs",
        "bdac1cc33dbfc7f7373bb481ed19ab95d3a92a5843d42080ebe66ee872ebc4d4",
    ),
    (
        "m20261128_000012_create_dealers_and_transactions.rs",
        "3ac8e69f27c3783f28d9cf80fe1cd2b3672603d92d116e37191b93ad01012e90",
    ),
    (
        "m20261128_000013_create_bulks.rs",
        "2959c7d73a0c1f276c22957c73b493739c715248f44b5c32473edabfb3a73bc7",
    ),
    (
        "m20261128_000014_add_downloads.rs",
        "1cd8732a39f9e82f06cd7de32c408c88886e67792328df6e149acef31bf6a28e",
    ),
    (
        "m20261128_000015_create_swim_events.rs",
        "9a25df74bccc113dc00cd24648367c3cb0717a0dd32d7c088d23dc1a4a1b63c7",
    ),
    (
        "m20261128_000016_add_views_of_older_operators.rs",
        "8349e6e054fe2149ff6ccd0733ec7f375acc8ef2f68ccb3eda490b14d2774f93",
    ),
    (
        "m20261128_000017_create_sessions.rs",
        "05e4e9c05de586d1215b656f7e47a27a0fde940dc2722a812f28e0a2668549d8",
    ),
    (
        "m20261128_000018_add_dry_run_differences.rs",
        "f0803f072995e7b7804fdc6cbd74aaff769862e5b3a26cd60321d778450f5ab9",
    ),
    (
        "m20261128_000019_create_outbox.rs",
        "94ec340588b36af01a3cf214977be30d152e4719c3b827d3983684af12534ada",
    ),
    (
        "m20261128_000020_create_webhooks.rs",
        "05e86bdd7b840dd5289ad0661a37a5217387a6e634ab4f33b75f54a32afb4365",
    ),
    (
        "m20261128_000022_add_outcomes_of_rows.rs",
        "a6f7d2c61b386bc9f522f65de8fd6ba7863a660b0f112750d4b9300a9945ee6d",
    ),
    (
        "m20261128_000023_create_mappings.rs",
        "f382650afc844bda1b4d5f947791ca04bbf651d37768bd7fa80257cdddab6036",
    ),
    (
        "m20261128_000021_create_access_keys.rs",
        "fc70b5b9d72aa766f0a0c3a430c9f7b27f4c7d04727469025294aae0ab6d07db",
    ),
    (
        "m20261128_000024_create_seen_keys.rs",
        "7274b62eaa03475a1819eb30a6163a95318695ba7f95cb30f59e2ebd743fda64",
    ),
    (
        "m20261128_000025_add_traces.rs",
        "b6bc5c65493f195ccd69cd2f78e964c8ddba8c8b94d5ef537a4386e63020389c",
    ),
    (
        "m20261128_000026_add_new_references.rs",
        "f579f0bf73f495b7cf5c04f73b664ba0c96935694f5d7a091e884c7716a76dc3",
    ),
    (
        "m20261128_000027_create_chunk_keys.rs",
        "ef50c7d58f64cda02e17d9ca4abeb2fa3f52124f3e4373d7b25e31f2015216cd",
    ),
];

/// The SHA-256 of a text in hexadecimal digits.
fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

#[test]
fn a_landed_migration_never_changes() {
    let files: Vec<(String, String)> = sources(&["migration/src"])
        .into_iter()
        .filter_map(|source| {
            let name = source.path.strip_prefix("migration/src/")?;
            let digest = sha256(&source.text);
            name.starts_with("m2").then(|| (name.to_owned(), digest))
        })
        .collect();
    let mut faults = Vec::new();
    for (name, digest) in &files {
        match LANDED.iter().find(|(landed, _)| landed == name) {
            Some((_, landed)) if landed == digest => {}
            Some(_) => faults.push(format!("{name} was changed; its SHA-256 is now {digest}")),
            None => faults.push(format!("{name} is new; its line here has {digest}")),
        }
    }
    let is_there = |name: &str| files.iter().any(|(file, _)| file == name);
    let gone = LANDED.iter().filter(|(name, _)| !is_there(name));
    faults.extend(gone.map(|(name, _)| format!("{name} is gone")));
    check(
        "A landed migration never changes: add a new one, and a line for it in \
         tests/tidy/migrations.rs.",
        &faults,
    );
}
