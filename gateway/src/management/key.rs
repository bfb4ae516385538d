//! `/api/v1/keys`: the gateway's own keys, announced, activated and retired by an operator. They come and go by
//! themselves as well ([`crate::rotation`]).

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use fedgate_certs::Timestamp;
use fedgate_certs::certified_key::certificate_end;
use fedgate_certs::error::CertError;
use fedgate_certs::generate::KeyShape;
use fedgate_certs::key::SigningAlgorithm;
use fedgate_certs::keyring::{KeyPurpose, Stage};
use fedgate_providers::error::Refusal;
use http::StatusCode;

use super::ApiRefusal;
use super::answer::{ApiError, ok};
use super::api::Api;
use super::body::{self, Members};
use super::key_input::{self, Material, NewKey};
use super::key_refusal::{KeyRefusal, unusable};
use super::key_view::{KeyList, KeyRead, KeyView};
use super::operation::{Operation, PathParameter};
use crate::app::{App, Shared};
use crate::rotation::{Kept, Lane, made, told};
use crate::store::StoreError;
use crate::store::key::{KeyChange, StoredKey};

/// The most keys of one purpose that are kept, retired ones included.
const KEYS_MOST: usize = 16;
/// A certificate that is brought is used for so long at least, in seconds.
const USED_LEAST: i64 = 24 * 3600;

const ID: PathParameter = PathParameter {
    name: "key_id",
    says: "The id of a key: 43 characters of base64url, the kid of a key that signs tokens.",
    example: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
};

pub(super) fn routes(api: Api) -> Api {
    let new_key = Members::schema(|members| {
        key_input::read(members);
    });
    let update = |id, summary| {
        Operation::new(id, summary, &["update:keys"])
            .answers::<KeyRead>(StatusCode::OK)
            .conflicts()
    };
    api.at("/keys", &[])
        .get(
            list,
            Operation::new("GetKeys", "List the gateway's own keys", &["read:keys"])
                .answers::<KeyList>(StatusCode::OK),
        )
        .post(
            create,
            Operation::new(
                "CreateKey",
                "Announce another key, made here or brought as PEM or PKCS#12",
                &["create:keys"],
            )
            .takes("NewKey", new_key)
            .answers::<KeyRead>(StatusCode::CREATED)
            .conflicts(),
        )
        .at("/keys/{key_id}/activate", &[ID])
        .post(
            activate,
            update(
                "ActivateKey",
                "Use an announced key from now on, whoever knows it yet",
            ),
        )
        .at("/keys/{key_id}/retire", &[ID])
        .post(
            retire,
            update(
                "RetireKey",
                "Withdraw a key at once that is announced or retiring",
            ),
        )
}

async fn list(State(app): State<Shared>) -> Result<Response, ApiError> {
    let rows = app.store.keys().await?;
    let keys = rows.iter().map(KeyView::of).collect();
    Ok(ok(StatusCode::OK, "Keys", KeyList { keys }))
}

async fn create(State(app): State<Shared>, body: Body) -> Result<Response, ApiError> {
    let body = body::object(body, app.limits.api_body_bytes).await?;
    let mut members = Members::new(&body);
    let asked = key_input::read(&mut members);
    members.finish()?;
    let now = app.clock.now();
    let row = announced(&app, asked, now).await?;
    let lane = Lane::of(&row).ok_or(StoreError::Corrupt("key"))?;
    let rows = of_purpose(&app, lane).await?;
    let is_underway =
        |row: &StoredKey| Lane::of(row) == Some(lane) && row.stage == Stage::Announced.as_str();
    if rows.iter().any(|known| known.id == row.id) {
        return Err(ApiError::whole(KeyRefusal::Taken));
    }
    if rows.len() >= KEYS_MOST || rows.iter().any(is_underway) {
        return Err(ApiError::whole(KeyRefusal::Underway));
    }
    let view = KeyView::of(&row);
    let change = KeyChange {
        expected: expected(&rows),
        events: vec![told(&row, Stage::Announced)],
        made: vec![row],
        ..KeyChange::default()
    };
    write(&app, lane, &change, now).await?;
    Ok(ok(
        StatusCode::CREATED,
        "Key announced",
        KeyRead { key: view },
    ))
}

async fn activate(State(app): State<Shared>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let (row, lane, rows) = found(&app, &id).await?;
    in_stage(&row, &[Stage::Announced])?;
    let now = app.clock.now();
    let end = row
        .certificate
        .as_deref()
        .and_then(|pem| certificate_end(pem.as_bytes()));
    if end.is_some_and(|end| end <= now) {
        return Err(ApiError::whole(ends_too_soon(now, end)));
    }
    let moved = |id: &str, stage: Stage| (id.to_owned(), stage.as_str().to_owned());
    let active = rows
        .iter()
        .filter(|other| Lane::of(other) == Some(lane) && other.stage == Stage::Active.as_str());
    let mut change = KeyChange {
        expected: expected(&rows),
        moved: active
            .map(|other| moved(&other.id, Stage::Retiring))
            .collect(),
        events: vec![told(&row, Stage::Active)],
        ..KeyChange::default()
    };
    change.moved.push(moved(&id, Stage::Active));
    write(&app, lane, &change, now).await?;
    answered(&app, &id, "Key activated").await
}

async fn retire(State(app): State<Shared>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let (row, lane, rows) = found(&app, &id).await?;
    in_stage(&row, &[Stage::Announced, Stage::Retiring])?;
    let change = KeyChange {
        expected: expected(&rows),
        moved: vec![(id.clone(), Stage::Retired.as_str().to_owned())],
        ..KeyChange::default()
    };
    write(&app, lane, &change, app.clock.now()).await?;
    answered(&app, &id, "Key retired").await
}

/// The row of a key that comes, sealed.
async fn announced(app: &App, asked: NewKey, now: Timestamp) -> Result<StoredKey, ApiError> {
    let (purpose, material) = (asked.purpose, asked.material);
    if let Material::Made(shape) = material {
        return made(app, lane_of(purpose, shape), shape, Stage::Announced, now)
            .await
            .map_err(|error| failed(&error));
    }
    let field = match material {
        Material::Pkcs12(..) => "pkcs12",
        _ => "private_key",
    };
    let reading = tokio::task::spawn_blocking(move || material.read());
    let brought = reading.await.map_err(|error| failed(&error))?;
    let brought = brought.map_err(|error| refused(&error, field))?;
    let kept = Kept::new(purpose, Stage::Announced, now).imported();
    let mut rng = app.randomness.rng();
    let row = match brought {
        Some(pair) => {
            check_end(app, purpose, pair.not_after(), now)?;
            kept.pair(&app.sealer, &pair, &mut rng)
        }
        None => Err(CertError::NotAKey),
    };
    row.map_err(|error| failed(&error))
}

fn lane_of(purpose: KeyPurpose, shape: KeyShape) -> Lane {
    match (purpose, shape) {
        (KeyPurpose::Tokens, KeyShape::P256) => Lane::Tokens(SigningAlgorithm::Es256),
        (KeyPurpose::Tokens, _) => Lane::Tokens(SigningAlgorithm::Rs256),
        (KeyPurpose::SamlSigning, _) => Lane::SamlSigning,
        (KeyPurpose::SamlDecryption, _) => Lane::SamlDecryption,
    }
}

/// The certificate of a pair must be worth announcing.
fn check_end(
    app: &App,
    purpose: KeyPurpose,
    end: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), ApiError> {
    let announced = lane_of(purpose, KeyShape::default())
        .policy(&app.limits)
        .announced;
    let least = now
        .as_second()
        .saturating_add(announced.as_secs())
        .saturating_add(USED_LEAST);
    let least = Timestamp::from_second(least).unwrap_or(Timestamp::MAX);
    if end.is_some_and(|end| end <= least) {
        return Err(ApiError::of(ends_too_soon(least, end), "certificate"));
    }
    Ok(())
}

fn ends_too_soon(least: Timestamp, end: Option<Timestamp>) -> Refusal {
    let refusal = KeyRefusal::EndsTooSoon.refuse();
    let refusal = refusal.expected(format_args!("an end after {least:.0}"));
    match end {
        Some(end) => refusal.found(format_args!("{end:.0}")),
        None => refusal,
    }
}

fn refused(error: &CertError, field: &str) -> ApiError {
    match unusable(error) {
        Some(refusal) => {
            let about_certificate =
                refusal == KeyRefusal::NotACertificate || refusal == KeyRefusal::Mismatch;
            let is_password = refusal == KeyRefusal::WrongPassword;
            ApiError::of(
                refusal,
                match field {
                    "pkcs12" if is_password => "password",
                    "private_key" if about_certificate => "certificate",
                    field => field,
                },
            )
        }
        None => failed(error),
    }
}

/// What is no fault of the caller's.
fn failed(error: &dyn std::fmt::Display) -> ApiError {
    tracing::error!(%error, "a key could not be made");
    ApiError::whole(crate::store::StoreRefusal::Unavailable)
}

async fn of_purpose(app: &App, lane: Lane) -> Result<Vec<StoredKey>, StoreError> {
    let mut rows = app.store.keys().await?;
    rows.retain(|row| row.purpose == lane.purpose());
    Ok(rows)
}

async fn found(app: &App, id: &str) -> Result<(StoredKey, Lane, Vec<StoredKey>), ApiError> {
    let rows = app.store.keys().await?;
    let row = rows.iter().find(|row| row.id == id);
    let row = row
        .ok_or_else(|| ApiError::whole(KeyRefusal::Unknown))?
        .clone();
    let lane = Lane::of(&row).ok_or(StoreError::Corrupt("key"))?;
    let rows = rows.into_iter().filter(|row| row.purpose == lane.purpose());
    Ok((row, lane, rows.collect()))
}

fn in_stage(row: &StoredKey, stages: &[Stage]) -> Result<(), ApiError> {
    if stages.iter().any(|stage| stage.as_str() == row.stage) {
        return Ok(());
    }
    let words: Vec<&str> = stages.iter().map(|stage| stage.as_str()).collect();
    let refusal = KeyRefusal::Stage.refuse().expected(words.join(" | "));
    Err(ApiError::whole(refusal.found(&row.stage)))
}

fn expected(rows: &[StoredKey]) -> Vec<(String, String)> {
    rows.iter()
        .map(|row| (row.id.clone(), row.stage.clone()))
        .collect()
}

/// Writes what was decided, unless somebody else was faster.
async fn write(app: &App, lane: Lane, change: &KeyChange, now: Timestamp) -> Result<(), ApiError> {
    match app.store.change_keys(lane.purpose(), change, now).await {
        Ok(true) => {
            app.reread_keys().await;
            Ok(())
        }
        Ok(false) => Err(ApiError::whole(ApiRefusal::LostUpdate)),
        // A key of another purpose.
        Err(StoreError::Conflict(_)) => Err(ApiError::whole(KeyRefusal::Taken)),
        Err(error) => Err(error.into()),
    }
}

async fn answered(app: &App, id: &str, message: &str) -> Result<Response, ApiError> {
    let (row, ..) = found(app, id).await?;
    let key = KeyView::of(&row);
    Ok(ok(StatusCode::OK, message, KeyRead { key }))
}
