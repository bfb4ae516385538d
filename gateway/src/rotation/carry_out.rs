//! From steps to rows and events.

use fedgate_certs::Timestamp;
use fedgate_certs::certified_key::{CertifiedKey, CertifiedUse};
use fedgate_certs::error::CertError;
use fedgate_certs::generate::KeyShape;
use fedgate_certs::key::{SigningAlgorithm, SigningKey};
use fedgate_certs::keyring::Stage;
use fedgate_certs::rotation::Step;
use serde_json::{Value, json};

use super::{Kept, Lane, ROTATED, RotationError};
use crate::app::App;
use crate::serve::host;
use crate::store::key::{KeyChange, StoredKey};

/// What carries out `steps` in a lane, whose purpose's rows are given as they were read.
///
/// # Errors
/// A key that cannot be made.
pub(crate) async fn change<'r>(
    app: &App,
    lane: Lane,
    rows: impl Iterator<Item = &'r StoredKey>,
    steps: &[Step],
    now: Timestamp,
) -> Result<KeyChange, RotationError> {
    let rows: Vec<&StoredKey> = rows.collect();
    let mut change = KeyChange {
        expected: expected(&rows),
        ..KeyChange::default()
    };
    for step in steps {
        match step {
            Step::Make(stage) => {
                let shape = following(app, lane, &rows);
                let made = make(app, lane, shape, *stage, now).await?;
                change.events.push(told(&made, *stage));
                change.made.push(made);
            }
            Step::Move { id, to } => {
                if let Some(row) = rows.iter().find(|row| row.id == *id)
                    && *to == Stage::Active
                {
                    change.events.push(told(row, *to));
                }
                change.moved.push((id.clone(), to.as_str().to_owned()));
            }
            Step::Forget { id } => change.forgotten.push(id.clone()),
        }
    }
    Ok(change)
}

/// Each key with its stage.
fn expected(rows: &[&StoredKey]) -> Vec<(String, String)> {
    rows.iter()
        .map(|row| (row.id.clone(), row.stage.clone()))
        .collect()
}

/// The event of a key that enters a stage.
pub(crate) fn told(row: &StoredKey, stage: Stage) -> (&'static str, Value) {
    let payload = json!({
        "key_id": row.id, "purpose": row.purpose, "algorithm": row.algorithm, "stage": stage.as_str(),
    });
    (ROTATED, payload)
}

/// The shape in which the youngest key of a lane is followed.
fn following(app: &App, lane: Lane, rows: &[&StoredKey]) -> KeyShape {
    let own = rows.iter().filter(|row| Lane::of(row) == Some(lane));
    let youngest = own.max_by_key(|row| (row.created_at, &row.id));
    let kind = youngest.and_then(|row| match lane {
        Lane::Tokens(_) => {
            let ring = app.keyring.ring();
            ring.verifier(&row.id).map(|key| key.public().kind())
        }
        Lane::SamlSigning | Lane::SamlDecryption => {
            let keys = app.saml_keys.keys();
            let pair = keys.signing().chain(keys.decryption());
            pair.into_iter()
                .find(|pair| pair.id() == row.id)
                .map(CertifiedKey::kind)
        }
    });
    match (kind, lane) {
        // Other than tokens, an elliptic key can do neither for every identity provider.
        (_, Lane::Tokens(SigningAlgorithm::Es256)) => KeyShape::P256,
        (Some(kind), _) => match KeyShape::after(kind) {
            KeyShape::P256 => KeyShape::default(),
            shape => shape,
        },
        (None, _) => KeyShape::default(),
    }
}

/// A new key of a lane, made on a thread of its own.
///
/// # Errors
/// A key that cannot be made.
pub(crate) async fn make(
    app: &App,
    lane: Lane,
    shape: KeyShape,
    stage: Stage,
    now: Timestamp,
) -> Result<StoredKey, RotationError> {
    let name = host(&app.site).to_owned();
    let mut rng = app.randomness.rng();
    let sealer = std::sync::Arc::clone(&app.sealer);
    let kept = Kept::new(lane.key_purpose(), stage, now);
    let making = move || -> Result<StoredKey, CertError> {
        let usage = match lane {
            Lane::Tokens(_) => {
                let key = SigningKey::generate_shape(shape)?;
                return kept.token_key(&sealer, &key, &mut rng);
            }
            Lane::SamlSigning => CertifiedUse::Signing,
            Lane::SamlDecryption => CertifiedUse::Decryption,
        };
        let pair = CertifiedKey::generate_shape(shape, &name, usage, now, &mut rng)?;
        kept.pair(&sealer, &pair, &mut rng)
    };
    Ok(tokio::task::spawn_blocking(making).await??)
}
