//! Tests of `config`.

use super::*;

fn config(pairs: &[(&str, &str)]) -> Result<Config, ConfigFaults> {
    let pairs: BTreeMap<_, _> = pairs.iter().copied().collect();
    Config::from_lookup(|name| pairs.get(name).map(|text| (*text).to_owned()))
}

#[test]
fn without_a_setting_the_defaults_hold() {
    let config = config(&[("LOADBAY_DATASETS_DIR", " ")]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.max_upload, 1 << 30);
    assert_eq!(config.chunk_rows, 10_000);
    assert_eq!(config.lease, Duration::from_secs(30));
    assert_eq!((config.keep_alive.as_secs(), config.drain.as_secs()), (75, 2));
    assert_eq!(config.convert.wall_seconds, 900);
    assert_eq!((config.database_url, config.datasets_dir), (None, None));
    let origins = Origins::parse("http://localhost:3000,http://localhost:5173");
    assert_eq!(Ok(config.cors_origins), origins);
}

#[test]
fn all_faults_are_told_together_with_their_variable() {
    let faults = config(&[
        ("LOADBAY_LISTEN", "nowhere"),
        ("DATABASE_URL", "mysql://root:secret@host/db"),
        ("LOADBAY_CORS_ORIGINS", "localhost:3000"),
        ("LOADBAY_PATH_PREFIX", "loadbay"),
        ("LOADBAY_TRUSTED_PROXIES", "nginx"),
        ("LOADBAY_MAX_UPLOAD", "5Gb"),
        ("LOADBAY_CHUNK_ROWS", "0"),
        ("LOADBAY_LEASE", "1ms"),
        ("LOADBAY_HOME_ENCODING", "klingon"),
        ("LOADBAY_LOG_FORMAT", "xml"),
    ])
    .unwrap_err()
    .to_string();
    insta::assert_snapshot!(faults, @r"
    10 setting(s) cannot be used:
      LOADBAY_LISTEN: `nowhere` is not an address and port; write it like 127.0.0.1:8080
      LOADBAY_PATH_PREFIX: `loadbay` is not a path of letters, digits and - . _ ~; write it like /loadbay
      LOADBAY_TRUSTED_PROXIES: `nginx` is neither an address nor a network; write it like 10.0.0.2 or 10.0.0.0/8
      DATABASE_URL: the address begins with none of postgres://, postgresql:// and sqlite:///; leave it out to use the SQLite file in the data directory
      LOADBAY_CORS_ORIGINS: `localhost:3000` is not an origin; write it like https://shop.example:8443, without a path
      LOADBAY_MAX_UPLOAD: `5Gb` is not a size from 1.0 KiB to 1.0 TiB; write it in bytes or like 512MiB (B, KiB, MiB, GiB, TiB)
      LOADBAY_CHUNK_ROWS: `0` is not a whole number from 1 to 100000
      LOADBAY_LEASE: `1ms` is not a time from 1s to 1h; write it like 30s, 10min or 1h
      LOADBAY_HOME_ENCODING: `klingon` is not an encoding of text files beside UTF-8; write it like windows-1250, iso-8859-15 or shift_jis
      LOADBAY_LOG_FORMAT: `xml` is not a log format; it takes text or json
    ");
}

#[test]
fn no_origin_at_all_is_a_setting_too() {
    let origins = config(&[("LOADBAY_CORS_ORIGINS", " ")]).map(|c| c.cors_origins);
    assert_eq!(origins, Ok(Origins::default()));
}

#[test]
fn every_setting_has_its_own_flag_and_the_help_builds() {
    let command = flags(Command::new("serve"));
    command.clone().debug_assert();
    let matches = command.try_get_matches_from(["serve", "--chunk-rows", "7"]).unwrap();
    assert_eq!(Config::read(&matches).unwrap().chunk_rows, 7);
}
