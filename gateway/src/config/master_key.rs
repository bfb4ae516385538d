//! The file of the master key: made once, and only while there is nothing that another key has sealed.

use std::io::{ErrorKind, Write as _};
use std::path::Path;

use fedgate_certs::seal::MasterKey;
use fedgate_providers::error::Refusal;
use rand::CryptoRng;
use zeroize::Zeroizing;

use super::ConfigRefusal;

/// The largest file of a master key, in bytes.
const FILE_BYTES: u64 = 4096;

/// Reads the master key, or makes one where the file is absent and the store holds nothing sealed.
///
/// # Errors
/// `config.master_key_file`, `config.master_key`, `config.master_key_exposed`, `config.master_key_absent`.
pub fn load_or_create_master_key(
    path: &Path,
    store_has_sealed: bool,
    rng: &mut dyn CryptoRng,
) -> Result<MasterKey, Refusal> {
    match std::fs::File::open(path) {
        Ok(file) => load(path, file),
        Err(error) if error.kind() == ErrorKind::NotFound && store_has_sealed => {
            Err(ConfigRefusal::MasterKeyAbsent
                .refuse()
                .found(path.display()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => create_master_key(path, rng),
        Err(error) => Err(unreadable(path, error)),
    }
}

/// Reads a master key that is there.
///
/// # Errors
/// `config.master_key_file`, `config.master_key`, `config.master_key_exposed`.
pub fn load_master_key(path: &Path) -> Result<MasterKey, Refusal> {
    let file = std::fs::File::open(path).map_err(|error| unreadable(path, error))?;
    load(path, file)
}

/// Makes a master key in a new file with mode 0600; an existing file is never touched.
///
/// # Errors
/// `config.master_key_file`
pub(crate) fn create_master_key(
    path: &Path,
    rng: &mut dyn CryptoRng,
) -> Result<MasterKey, Refusal> {
    let key = MasterKey::generate(rng);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(key.to_file_text().as_bytes())?;
        file.sync_all()?;
        sync_folder(path)
    });
    written
        .map(|()| key)
        .map_err(|error| unreadable(path, error))
}

/// The name must outlive a crash as the content does: what is sealed from now on opens with this key alone.
#[cfg(unix)]
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

fn load(path: &Path, file: std::fs::File) -> Result<MasterKey, Refusal> {
    use std::io::Read as _;
    refuse_exposed(path, &file)?;
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| unreadable(path, error))?;
    MasterKey::from_file_text(&text)
        .map_err(|_| ConfigRefusal::MasterKey.refuse().found(path.display()))
}

/// The opened file is asked, not its path, so that nothing changes between the question and the reading.
#[cfg(unix)]
fn refuse_exposed(path: &Path, file: &std::fs::File) -> Result<(), Refusal> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file
        .metadata()
        .map_err(|error| unreadable(path, error))?
        .permissions()
        .mode()
        & 0o777;
    // Group-read alone is how secrets are mounted for a user who is not their owner.
    if mode & !0o740 == 0 {
        return Ok(());
    }
    Err(ConfigRefusal::MasterKeyExposed
        .refuse()
        .expected("mode 0600")
        .found(format_args!("mode {mode:04o}")))
}

#[cfg(not(unix))]
fn refuse_exposed(_path: &Path, _file: &std::fs::File) -> Result<(), Refusal> {
    Ok(())
}

fn unreadable(path: &Path, error: std::io::Error) -> Refusal {
    ConfigRefusal::MasterKeyFile
        .refuse()
        .found(path.display())
        .detail(error)
}
