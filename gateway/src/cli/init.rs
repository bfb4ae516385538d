//! `fedgate init`: a commented configuration and a master key.

use std::io::Write as _;
use std::path::Path;

use super::{Failure, exists, print};
use crate::app::Randomness;
use crate::config::create_master_key;

const CONFIG: &str = "fedgate.toml";
const MASTER_KEY: &str = "master.key";
/// What is written: every key with its default, commented out.
pub(super) const TEMPLATE: &str = include_str!("fedgate.toml");

pub(super) fn run(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure(format!("{}: {error}", folder.display())))?;
    let (config, key) = (folder.join(CONFIG), folder.join(MASTER_KEY));
    for path in [&config, &key] {
        if exists(path) {
            return Err(Failure(format!(
                "{} exists already; nothing was written",
                path.display()
            )));
        }
    }
    create_master_key(&key, &mut Randomness.rng())?;
    // `create_new` refuses what has appeared since.
    let written =
        std::fs::File::create_new(&config).and_then(|mut file| file.write_all(TEMPLATE.as_bytes()));
    written.map_err(|error| Failure(format!("{}: {error}", config.display())))?;
    print(&format!("{}\n{}", config.display(), key.display()));
    Ok(())
}
