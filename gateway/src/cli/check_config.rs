//! `fedgate check-config`

use super::{ConfigFile, Environment, Failure, print};

pub(super) fn run(file: &ConfigFile, environment: Environment) -> Result<(), Failure> {
    let config = file.load(environment)?;
    print(&format!(
        "{}: sound; {} applications, public_url {}",
        file.config.display(),
        config.applications.len(),
        config.server.public_url
    ));
    Ok(())
}
