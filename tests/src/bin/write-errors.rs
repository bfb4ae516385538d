//! Writes `docs/errors.md` from the catalogue.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors.md");
    std::fs::write(path, fedgate_tests::errors::document())
}
