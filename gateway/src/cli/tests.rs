use std::path::Path;

use super::*;

fn run_in(folder: &Path, arguments: &[&str]) -> String {
    let config = folder.join("fedgate.toml");
    let mut line = vec![OsString::from("fedgate")];
    line.extend(arguments.iter().map(OsString::from));
    if arguments.contains(&"init") {
        line.push(folder.into());
    } else {
        line.push("--config".into());
        line.push(config.into());
    }
    format!("{:?}", run(line, Vec::new()))
}

fn code(number: u8) -> String {
    format!("{:?}", ExitCode::from(number))
}

#[test]
fn the_template_is_a_sound_configuration() {
    let config = Config::parse(init::TEMPLATE, Path::new("fedgate.toml"), []).unwrap();
    assert_eq!(config.limits, crate::limits::Limits::default());
    let commented: String = init::TEMPLATE
        .lines()
        .map(|line| {
            let bare = line
                .strip_prefix("# ")
                .filter(|bare| bare.starts_with("[[") || bare.contains(" = "))
                .unwrap_or(line);
            [bare, "\n"].concat()
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("demo.secret"), "a").unwrap();
    std::fs::write(folder.path().join("ops.secret"), "b").unwrap();
    let config = Config::parse(&commented, &folder.path().join("fedgate.toml"), []).unwrap();
    assert_eq!(config.applications.len(), 2);
}

#[test]
fn init_never_overwrites() {
    let folder = tempfile::tempdir().unwrap();
    let fresh = folder.path().join("new/folder");
    assert_eq!(run_in(&fresh, &["init"]), code(0));
    assert_eq!(run_in(&fresh, &["check-config"]), code(0));
    let key = std::fs::read(fresh.join("master.key")).unwrap();
    assert_eq!(run_in(&fresh, &["init"]), code(1));
    std::fs::remove_file(fresh.join("fedgate.toml")).unwrap();
    assert_eq!(run_in(&fresh, &["init"]), code(1));
    assert_eq!(std::fs::read(fresh.join("master.key")).unwrap(), key);
    assert!(!fresh.join("fedgate.toml").exists());
}

#[test]
fn wrong_usage_is_2_and_a_refusal_is_1() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run_in(folder.path(), &["check-config"]), code(1));
    assert_eq!(run_in(folder.path(), &["serve"]), code(1));
    assert_eq!(run_in(folder.path(), &["nonsense"]), code(2));
    assert_eq!(run_in(folder.path(), &["token", "create"]), code(2));
    assert_eq!(
        run_in(folder.path(), &["token", "create", "--scope", ""]),
        code(2)
    );
    assert_eq!(
        run_in(
            folder.path(),
            &["token", "create", "--scope", "read:conections"]
        ),
        code(2)
    );
}

#[test]
fn a_token_comes_from_the_keys_in_the_store_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run_in(folder.path(), &["init"]), code(0));
    let scope = [
        "token",
        "create",
        "--scope",
        "read:connections create:connections",
    ];
    assert_eq!(run_in(folder.path(), &scope), code(0));
    assert_eq!(run_in(folder.path(), &scope), code(0));
    std::fs::remove_file(folder.path().join("master.key")).unwrap();
    assert_eq!(run_in(folder.path(), &scope), code(1));
    assert!(!folder.path().join("master.key").exists());
}

#[test]
fn an_unknown_reference_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run_in(folder.path(), &["init"]), code(0));
    assert_eq!(run_in(folder.path(), &["explain", "FG-AAAAAAAA"]), code(1));
}
