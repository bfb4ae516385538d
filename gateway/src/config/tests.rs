use super::*;

const NO_ENVIRONMENT: [(String, String); 0] = [];

fn parse(text: &str) -> Result<Config, ConfigErrors> {
    Config::parse(text, Path::new("/etc/fedgate/fedgate.toml"), NO_ENVIRONMENT)
}

fn with_environment(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::parse(text, Path::new("fedgate.toml"), variables)
}

/// Line, key and code of everything that is wrong.
fn problems(text: &str) -> Vec<(usize, String, &'static str)> {
    let errors = parse(text).expect_err("a problem");
    errors
        .problems()
        .iter()
        .map(|p| (p.line.unwrap_or(0), p.key.clone(), p.code()))
        .collect()
}

fn one(text: &str) -> (usize, String, &'static str) {
    let mut found = problems(text);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn server(line: &str) -> String {
    format!("[server]\npublic_url = \"https://login.example.com\"\n{line}\n")
}

fn application(lines: &str) -> String {
    format!(
        "{}[[applications]]\nclient_id = \"a\"\n{lines}\n",
        server("")
    )
}

#[test]
fn one_key_is_enough() {
    let config = parse(&server("")).unwrap();
    assert_eq!(config.server.public_url, "https://login.example.com");
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.store.url, "sqlite:/etc/fedgate/fedgate.db");
    assert_eq!(
        config.secrets.master_key_file,
        Path::new("/etc/fedgate/master.key")
    );
    assert_eq!(config.limits, Limits::default());
    assert!(!config.egress.allow_private && config.applications.is_empty());
    assert_eq!(
        config.site().url("/logout"),
        "https://login.example.com/logout"
    );
}

#[test]
fn the_contracts_example_is_read() {
    let text = server("")
        + r#"
[[applications]]
client_id = "demo"
client_secret = "hush"
redirect_uris = ["http://127.0.0.1:3366/cb"]
post_logout_redirect_uris = []
backchannel_logout_uri = ""
initiate_login_uri = ""
fallback_connection = ""
id_token_signed_response_alg = "ES256"

[[applications]]
client_id = "ops"
client_secret = "hush too"
grant_types = ["client_credentials"]
scopes = ["read:connections", "create:connections", "update:connections", "delete:connections"]
"#;
    let config = parse(&text).unwrap();
    let [demo, ops] = config.applications.as_slice() else {
        panic!()
    };
    assert_eq!(demo.grant_types, ["authorization_code"]);
    assert_eq!(demo.id_token_signed_response_alg.as_str(), "ES256");
    assert!(demo.backchannel_logout_uri.is_none() && demo.fallback_connection.is_none());
    assert_eq!((ops.name.as_str(), ops.scopes.len()), ("ops", 4));
    assert!(!format!("{config:?}").contains("hush"));
}

#[test]
fn every_error_is_told_at_once_with_line_and_key() {
    let text = r#"
[server]
publicurl = "https://login.example.com"
listen = "localhost"
trusted_proxies = ["10.0.0.0/8", "10.1.2.3/8"]
[store]
url = "mysql://x"
[egress]
allow_private = "yes"
[limits]
code_seconds = 0
cod_seconds = 1
[tracing]
[[applications]]
client_id = "a b"
redirect_uris = ["https://a.example/cb#x", "https://*.example/cb"]
[[applications]]
client_id = "ops"
grant_types = ["password"]
scopes = ["read:conections"]
redirect_uris = ["https://a.example/cb"]
"#;
    let expected = [
        (2, "server.public_url", "config.missing"),
        (3, "server.publicurl", "config.unknown_key"),
        (4, "server.listen", "config.listen"),
        (5, "server.trusted_proxies[1]", "config.trusted_proxy"),
        (7, "store.url", "config.store_url"),
        (9, "egress.allow_private", "config.wrong_type"),
        (11, "limits.code_seconds", "config.limit"),
        (12, "limits.cod_seconds", "config.unknown_key"),
        (13, "tracing", "config.unknown_key"),
        (15, "applications[0].client_id", "config.client_id"),
        (
            16,
            "applications[0].redirect_uris[0]",
            "config.redirect_uri",
        ),
        (
            16,
            "applications[0].redirect_uris[1]",
            "config.redirect_uri",
        ),
        (19, "applications[1].grant_types[0]", "config.value"),
        (20, "applications[1].scopes[0]", "config.scope"),
    ];
    assert_eq!(
        problems(text),
        expected.map(|(line, key, code)| (line, key.to_owned(), code))
    );
}

#[test]
fn a_problem_reads_as_file_line_key_code_and_fix() {
    let errors = parse("[server]\npublicurl = 1\npublic_url = \"https://a.example\"")
        .unwrap_err()
        .to_string();
    assert_eq!(
        errors,
        "/etc/fedgate/fedgate.toml:2: server.publicurl: A key is not one that the gateway has. [config.unknown_key]\n    \
         expected: public_url\n    found: publicurl\n    \
         fix: Remove the key, or write it as shown under expected."
    );
}

#[test]
fn syntax_errors_have_their_lines() {
    let found = problems("[server]\npublic_url = \nlisten = [1\n");
    assert_eq!((found[0].0, found[0].2), (2, "config.syntax"));
    let repeated =
        one("[server]\npublic_url = \"https://a.example\"\npublic_url = \"https://b.example\"\n");
    assert_eq!((repeated.0, repeated.2), (3, "config.syntax"));
}

#[test]
fn the_environment_lies_over_the_file() {
    let config = with_environment(
        "[server]\npublic_url = \"not a url\"\n",
        &[
            ("FEDGATE_SERVER__PUBLIC_URL", "https://login.example.com/"),
            ("FEDGATE_SERVER__TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
            ("FEDGATE_EGRESS__ALLOW_PRIVATE", "true"),
            ("FEDGATE_LIMITS__CODE_SECONDS", "30"),
            ("FEDGATE_STORE__URL", "sqlite::memory:"),
            ("FEDGATE_SERVICE_HOST", "10.1.1.1"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(config.server.public_url, "https://login.example.com");
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert!(config.egress.allow_private);
    assert_eq!(
        (config.limits.code_seconds, config.store.url.as_str()),
        (30, "sqlite::memory:")
    );
}

#[test]
fn a_variable_is_named_in_its_problem() {
    let errors = with_environment(
        &server(""),
        &[
            ("FEDGATE_SERVER__LISTEN", "x"),
            ("FEDGATE_SERVR__X", "1"),
            ("FEDGATE_APPLICATIONS__0", "1"),
        ],
    )
    .unwrap_err();
    let found: Vec<_> = errors
        .problems()
        .iter()
        .map(|p| (p.variable.as_deref().unwrap(), p.code()))
        .collect();
    let expected = [
        ("FEDGATE_APPLICATIONS__0", "config.unknown_key"),
        ("FEDGATE_SERVR__X", "config.unknown_key"),
        ("FEDGATE_SERVER__LISTEN", "config.listen"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn public_url_is_an_origin_over_https() {
    for bad in [
        "http://login.example.com",
        "https://login.example.com/path",
        "https://login.example.com/?a",
        "login.example.com",
        "https://login.example.com/#a",
        "https://u@login.example.com",
        "ftp://login.example.com",
        "http://127.0.0.1.example",
    ] {
        let found = one(&format!("[server]\npublic_url = \"{bad}\"\n"));
        assert_eq!(
            found,
            (2, "server.public_url".to_owned(), "config.public_url"),
            "{bad}"
        );
    }
    for good in [
        "http://127.0.0.1:8080",
        "http://localhost:8080/",
        "http://[::1]:8080",
        "https://a.example:8443",
    ] {
        assert!(
            parse(&format!("[server]\npublic_url = \"{good}\"\n")).is_ok(),
            "{good}"
        );
    }
}

#[test]
fn a_database_server_is_taken_as_it_is_written_and_never_shown() {
    let url = "postgres://fedgate:hunter2@db.example.com:5432/fedgate?sslmode=verify-full";
    for url in [url, "postgresql:///fedgate?host=/run/postgresql"] {
        let config = parse(&server(&format!("[store]\nurl = \"{url}\""))).unwrap();
        assert_eq!(config.store.url, url);
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}

#[test]
fn what_this_version_lacks_is_refused_not_ignored() {
    assert_eq!(
        one(&server("[email]\nsmtp_url = \"smtp://127.0.0.1\"")),
        (4, "email.smtp_url".to_owned(), "config.not_in_this_version")
    );
}

#[test]
fn the_collector_is_an_address_without_a_secret() {
    for (endpoint, accepted) in [
        ("http://127.0.0.1:4318", true),
        ("https://collector.example/otlp", true),
        ("grpc://127.0.0.1:4317", false),
        ("https://user:secret@collector.example", false),
        ("https://collector.example/?api-key=secret", false),
        ("collector", false),
    ] {
        let text = server(&format!("[telemetry]\notlp_endpoint = \"{endpoint}\""));
        if accepted {
            assert!(parse(&text).is_ok(), "{endpoint}");
        } else {
            let (line, key, code) = one(&text);
            let expected = (4, "telemetry.otlp_endpoint", "config.value");
            assert_eq!((line, key.as_str(), code), expected, "{endpoint}");
        }
    }
}

#[test]
fn redirect_uris_are_https_loopback_or_private_use() {
    for bad in [
        "http://app.example/cb",
        "/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://a.example/cb#f",
        "myapp:/cb",
        "https://*.example/cb",
        "https://u:p@a.example/cb",
        "https:///cb ",
        "https://a.example/\\\\b",
        "https://a.example/a b",
        "https://bücher.example/cb",
        "https://a.example/zurück",
    ] {
        let text = application(&format!("redirect_uris = [\"{bad}\"]"));
        assert_eq!(one(&text).2, "config.redirect_uri", "{bad}");
    }
    for good in [
        "https://a.example/cb?x=1",
        "http://127.0.0.1:3366/cb",
        "http://[::1]/cb",
        "com.example.app:/cb",
    ] {
        assert!(
            parse(&application(&format!("redirect_uris = [\"{good}\"]"))).is_ok(),
            "{good}"
        );
    }
}

#[test]
fn client_ids_are_distinct() {
    let twice = application(
        "redirect_uris = [\"https://a.example/\"]\n[[applications]]\nclient_id = \"a\"\nredirect_uris = [\"https://a.example/\"]",
    );
    assert_eq!(one(&twice).2, "config.client_id_repeated");
}

#[test]
fn an_application_has_what_its_grants_need() {
    assert_eq!(one(&application("")).2, "config.redirect_uri_missing");
    assert_eq!(
        one(&application("grant_types = [\"client_credentials\"]")).2,
        "config.client_credentials"
    );
    let both = "client_secret = \"x\"\nclient_secret_file = \"y\"\nredirect_uris = [\"https://a.example/\"]";
    assert_eq!(one(&application(both)).2, "config.client_secret");
    let blank = "client_secret = \"\"\nredirect_uris = [\"https://a.example/\"]";
    assert_eq!(one(&application(blank)).2, "config.client_secret");
    let fallback = "fallback_connection = \"conn_1\"\nredirect_uris = [\"https://a.example/\"]";
    assert_eq!(one(&application(fallback)).2, "config.fallback_connection");
    let keys = "jwks = { keys = [] }\nredirect_uris = [\"https://a.example/\"]";
    assert_eq!(one(&application(keys)).2, "config.jwks");
}

#[test]
fn a_client_secret_can_be_in_a_file_beside() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "hush\n").unwrap();
    let text =
        application("client_secret_file = \"secret\"\nredirect_uris = [\"https://a.example/\"]");
    let config = Config::parse(&text, &folder.path().join("fedgate.toml"), NO_ENVIRONMENT).unwrap();
    assert_eq!(
        config.applications[0]
            .client_secret
            .as_ref()
            .unwrap()
            .reveal(),
        "hush"
    );
    let absent =
        application("client_secret_file = \"absent\"\nredirect_uris = [\"https://a.example/\"]");
    assert_eq!(one(&absent).2, "config.client_secret");
}

#[test]
fn types_are_named_where_they_are_wrong() {
    for (text, key) in [
        ("listen = 1.5", "server.listen"),
        ("trusted_proxies = \"10.0.0.0/8\"", "server.trusted_proxies"),
        ("trusted_proxies = [1]", "server.trusted_proxies[0]"),
        (
            "[limits]\ncode_seconds = 99999999999999999999",
            "limits.code_seconds",
        ),
        ("[limits]\ncode_seconds = \"1\"", "limits.code_seconds"),
    ] {
        let (_, found, code) = one(&server(text));
        assert_eq!((found.as_str(), code), (key, "config.wrong_type"), "{text}");
    }
    assert_eq!(problems("server = 1\nstore = {}")[0].2, "config.wrong_type");
    assert_eq!(
        one(&format!("applications = 1\n{}", server(""))).2,
        "config.wrong_type"
    );
}

#[test]
fn hostile_files_end_in_a_clear_refusal() {
    let deep = format!("a = {}1{}", "[".repeat(50_000), "]".repeat(50_000));
    assert!(
        problems(&deep)
            .iter()
            .all(|(.., code)| *code == "config.syntax")
    );
    let many = (0..5000).fold(server(""), |text, n| text + &format!("unknown{n} = 1\n"));
    assert_eq!(problems(&many).len(), 200);
    assert_eq!(problems("\u{0}")[0].2, "config.syntax");
}

#[test]
fn no_problem_shows_a_password() {
    let text = server("[store]\nurl = \"mysql://u:hush@h/d\"")
        + "[ephemeral]\nurl = \"redis://:hush@h\"\n[email]\nsmtp_url = \"smtp://u:hush@h\"\n\
           [[applications]]\nclient_id = \"a\"\nclient_secret = \"hush\"\nclient_secret_file = \"f\"\n\
           [[applications]]\nclient_id = \"b\"\nclient_secret = [\"hush\"]\n";
    let errors = parse(&text).unwrap_err();
    assert!(errors.problems().len() >= 5);
    assert!(!format!("{errors} {errors:?}").contains("hush"), "{errors}");
}

#[test]
fn a_folder_may_have_any_name() {
    let path = Path::new("/srv/50% off? #1/fedgate.toml");
    let config = Config::parse(&server(""), path, NO_ENVIRONMENT).unwrap();
    assert_eq!(config.store.url, "sqlite:/srv/50%25 off%3F %231/fedgate.db");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fedgate.toml");
    let code = |path: &Path| Config::load(path, NO_ENVIRONMENT).unwrap_err().problems()[0].code();
    assert_eq!(code(&path), "config.unreadable");
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    assert_eq!(code(&path), "config.unreadable");
    std::fs::write(&path, "#".repeat(1024 * 1024 + 1)).unwrap();
    assert_eq!(code(&path), "config.too_large");
}

mod master_key {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    fn load(path: &Path, sealed: bool) -> Result<[u8; 4], &'static str> {
        let key = load_or_create_master_key(path, sealed, &mut StdRng::seed_from_u64(1));
        key.map(|key| key.id()).map_err(|refusal| refusal.code())
    }

    #[test]
    fn it_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        assert_eq!(load(&path, true), Err("config.master_key_absent"));
        assert!(!path.exists());
        let made = load(&path, false).unwrap();
        assert_eq!(load(&path, true), Ok(made));
        assert_eq!(
            load(&folder.path().join("no/such"), false),
            Err("config.master_key_file")
        );
    }

    #[cfg(unix)]
    #[test]
    fn it_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        load(&path, false).unwrap();
        let mode =
            |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        for exposed in [0o644, 0o604, 0o660, 0o602] {
            mode(exposed);
            assert_eq!(
                load(&path, false),
                Err("config.master_key_exposed"),
                "{exposed:o}"
            );
        }
        mode(0o440);
        assert!(load(&path, false).is_ok());
    }

    #[test]
    fn a_damaged_one_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        load(&path, false).unwrap();
        std::fs::write(&path, "").unwrap();
        assert_eq!(load(&path, false), Err("config.master_key"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
    }
}
