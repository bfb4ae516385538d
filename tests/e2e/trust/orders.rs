//! An identity provider rolls its key in every order that real ones do, under logins. Where its metadata names the key
//! that it signs with, no login fails.

use std::sync::Arc;

use fedgate_lab::key::LabKey;
use fedgate_tests::ending::Ending;
use fedgate_tests::gateway::Gateway;
use fedgate_tests::upstream::{Connected, SamlUpstream};
use serde_json::json;

use super::{login, step};
use crate::saml_flow::FAST;

/// Logins of each order.
const LOGINS: usize = 200;
/// Logins at once.
const AT_ONCE: usize = 4;
const HOUR: i64 = 3600;

/// What the identity provider does before the next logins: signs with a key, names keys, and lets time pass.
struct Phase {
    signs: usize,
    names: &'static [usize],
    passes: i64,
}

#[derive(Debug, Default)]
struct Counts {
    signed_in: usize,
    /// Failed while the metadata named the key.
    failed: usize,
    /// Failed while it did not.
    failed_untrue: usize,
}

const fn phase(signs: usize, names: &'static [usize], passes: i64) -> Phase {
    Phase {
        signs,
        names,
        passes,
    }
}

async fn run(order: &str, more: &str, phases: &[Phase]) -> Counts {
    let gateway = Arc::new(Gateway::with(&format!("{FAST}{more}")).await);
    let upstream = SamlUpstream::start().await;
    let connection = Arc::new(upstream.connect(&gateway, json!({})).await);
    let keys: Vec<Arc<LabKey>> = std::iter::once(upstream.idp.current_key())
        .chain((0..2).map(|_| upstream.idp.fresh_key().expect("a key")))
        .collect();
    let mut counts = Counts::default();
    let each = LOGINS.div_ceil(phases.len());
    for phase in phases {
        let named: Vec<_> = phase.names.iter().map(|key| keys[*key].clone()).collect();
        upstream.idp.publish(&named);
        upstream.idp.sign_with(&keys[phase.signs]);
        step(&gateway, &upstream, phase.passes);
        let is_true = phase.names.contains(&phase.signs);
        for ending in logins(&gateway, &connection, each).await {
            match ending {
                Ending::SignedIn { .. } => counts.signed_in += 1,
                _ if is_true => counts.failed += 1,
                _ => counts.failed_untrue += 1,
            }
        }
    }
    println!("{order}: {counts:?}");
    counts
}

async fn logins(gateway: &Arc<Gateway>, connection: &Arc<Connected>, most: usize) -> Vec<Ending> {
    let one = |number: usize| {
        let (gateway, connection) = (Arc::clone(gateway), Arc::clone(connection));
        tokio::spawn(async move {
            let mut endings = Vec::new();
            for _ in (number..most).step_by(AT_ONCE) {
                endings.push(Ending::of(&login(&gateway, &connection).await));
            }
            endings
        })
    };
    let tasks: Vec<_> = (0..AT_ONCE).map(one).collect();
    let mut endings = Vec::new();
    for task in tasks {
        endings.extend(task.await.expect("logins"));
    }
    endings
}

async fn nobody_is_locked_out(order: &str, phases: &[Phase]) {
    let counts = run(order, "", phases).await;
    assert_eq!(counts.failed, 0, "{order}: {counts:?}");
    assert!(counts.signed_in >= LOGINS / 2, "{order}: {counts:?}");
    let all_true = phases
        .iter()
        .all(|phase| phase.names.contains(&phase.signs));
    assert!(!all_true || counts.signed_in >= LOGINS, "{counts:?}");
}

/// Both keys are named for a while, as federations ask for.
const OVERLAP: &[Phase] = &[
    phase(0, &[0], 0),
    phase(0, &[0, 1], 7 * HOUR),
    phase(1, &[0, 1], 7 * HOUR),
    phase(1, &[1], 7 * HOUR),
];
/// One key in the morning, another in the evening.
const CUT_OVER: &[Phase] = &[phase(0, &[0], 0), phase(1, &[1], 4)];
/// The new key signs before the metadata names it.
const LATE: &[Phase] = &[phase(0, &[0], 0), phase(1, &[0], 4), phase(1, &[1], 4)];
/// The metadata names the new key, and it alone, before it signs.
const EARLY: &[Phase] = &[
    phase(0, &[0], 0),
    phase(0, &[1], 7 * HOUR),
    phase(0, &[1], 12 * HOUR),
    phase(1, &[1], 7 * HOUR),
];
/// The new key is taken back.
const REVERT: &[Phase] = &[
    phase(0, &[0], 0),
    phase(1, &[1], 4),
    phase(0, &[0], 4),
    phase(0, &[0], 30 * HOUR),
];
/// Two rolls within seconds.
const TWICE: &[Phase] = &[phase(0, &[0], 0), phase(1, &[1], 4), phase(2, &[2], 4)];

#[tokio::test(flavor = "multi_thread")]
async fn a_roll_with_overlap_locks_nobody_out() {
    nobody_is_locked_out("overlap", OVERLAP).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hard_cut_over_locks_nobody_out() {
    nobody_is_locked_out("hard cut-over", CUT_OVER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_metadata_locks_nobody_out_once_it_tells_the_truth() {
    nobody_is_locked_out("metadata late", LATE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn early_metadata_locks_nobody_out_while_the_old_key_signs_on() {
    let counts = run("metadata early", "", EARLY).await;
    assert_eq!(
        (counts.failed, counts.failed_untrue),
        (0, 0),
        "the old key is trusted for a day"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reverted_roll_locks_nobody_out() {
    nobody_is_locked_out("revert", REVERT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rolls_in_a_row_lock_nobody_out() {
    nobody_is_locked_out("two rolls in a row", TWICE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_rescue_a_hard_cut_over_locks_everybody_out() {
    let counts = run(
        "control, rescue off",
        "[metadata]\nrescue = false\n",
        CUT_OVER,
    )
    .await;
    assert_eq!(counts.failed, LOGINS / 2, "{counts:?}");
}
