//! Writes `docs/TROUBLESHOOTING.md` from the table of staged misconfigurations.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/TROUBLESHOOTING.md");
    std::fs::write(path, fedgate_tests::explanations::document())
}
