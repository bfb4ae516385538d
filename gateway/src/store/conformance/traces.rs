use super::on_every_backend;
use crate::events::trace::{STRANGERS, Trace};
use crate::limits::Limits;
use crate::store::Store;
use crate::store::testing::{id, now};

on_every_backend!(
    a_trace_is_found_by_its_reference,
    each_connection_has_a_ring,
    strangers_at_all_connections_share_a_ring,
    a_noisy_connection_costs_the_others_nothing,
    all_rings_together_are_bounded,
    a_trace_goes_when_it_is_old,
    a_reference_drawn_twice_spoils_no_batch,
);

fn trace(number: u32, connection: Option<u32>, at: i64) -> Trace {
    Trace {
        reference: format!("FG-{number:08}"),
        connection_id: connection.map(|number| id(number).to_string()),
        strategy: None,
        connection_name: None,
        client_id: None,
        user_id: None,
        code: Some("saml.audience_mismatch".into()),
        steps: Vec::new(),
        of_stranger: false,
        at,
    }
}

fn limits(traces_per_connection: u64, traces: u64) -> Limits {
    Limits {
        traces_per_connection,
        traces,
        ..Limits::default()
    }
}

async fn kept(store: &Store, connection: &str) -> Vec<String> {
    store
        .traces(connection, 1000)
        .await
        .unwrap()
        .into_iter()
        .map(|trace| trace.reference)
        .collect()
}

async fn a_trace_is_found_by_its_reference(store: &Store) {
    let written = trace(1, Some(1), now().as_millisecond());
    store
        .insert_traces(std::slice::from_ref(&written), &Limits::default())
        .await
        .unwrap();
    assert_eq!(
        store.trace(&written.reference).await.unwrap(),
        Some(written)
    );
    assert_eq!(store.trace("FG-ZZZZZZZZ").await.unwrap(), None);
}

async fn each_connection_has_a_ring(store: &Store) {
    let traces: Vec<_> = (0..10)
        .map(|number| trace(number, Some(number % 2), 5))
        .collect();
    store.insert_traces(&traces, &limits(2, 100)).await.unwrap();
    assert_eq!(
        kept(store, id(0).as_str()).await,
        ["FG-00000008", "FG-00000006"]
    );
    assert_eq!(
        kept(store, id(1).as_str()).await,
        ["FG-00000009", "FG-00000007"]
    );
}

async fn strangers_at_all_connections_share_a_ring(store: &Store) {
    let garbage: Vec<_> = (0..10)
        .map(|number| Trace {
            of_stranger: true,
            ..trace(number, Some(number), 5)
        })
        .collect();
    let limits = Limits {
        stranger_traces: 4,
        ..limits(2, 100)
    };
    store.insert_traces(&garbage, &limits).await.unwrap();
    assert_eq!(kept(store, STRANGERS).await.len(), 4);
    assert!(kept(store, id(9).as_str()).await.is_empty());
    let found = store.trace(&garbage[9].reference).await.unwrap();
    assert_eq!(found.as_ref(), Some(&garbage[9]));
}

async fn a_noisy_connection_costs_the_others_nothing(store: &Store) {
    store
        .insert_traces(&[trace(0, Some(1), 5)], &limits(3, 10))
        .await
        .unwrap();
    for round in 1..20 {
        let noise: Vec<_> = (0..50)
            .map(|number| trace(round * 100 + number, None, 5 + i64::from(round)))
            .collect();
        store.insert_traces(&noise, &limits(3, 10)).await.unwrap();
    }
    assert_eq!(kept(store, id(1).as_str()).await, ["FG-00000000"]);
    assert_eq!(kept(store, "").await.len(), 3);
}

async fn all_rings_together_are_bounded(store: &Store) {
    let traces: Vec<_> = (0..30)
        .map(|number| trace(number, Some(number), 5))
        .collect();
    store.insert_traces(&traces, &limits(3, 10)).await.unwrap();
    let mut left = 0;
    for number in 0..30 {
        left += kept(store, id(number).as_str()).await.len();
    }
    assert_eq!(left, 10);
    assert_eq!(kept(store, id(29).as_str()).await.len(), 1);
}

async fn a_trace_goes_when_it_is_old(store: &Store) {
    let day = 24 * 60 * 60 * 1000;
    let limits = Limits {
        trace_days: 14,
        ..Limits::default()
    };
    store
        .insert_traces(&[trace(1, Some(1), 0)], &limits)
        .await
        .unwrap();
    store
        .insert_traces(&[trace(2, Some(2), 14 * day)], &limits)
        .await
        .unwrap();
    assert_eq!(kept(store, id(1).as_str()).await.len(), 1);
    store
        .insert_traces(&[trace(3, Some(2), 14 * day + 1)], &limits)
        .await
        .unwrap();
    assert_eq!(kept(store, id(1).as_str()).await.len(), 0);
}

async fn a_reference_drawn_twice_spoils_no_batch(store: &Store) {
    store
        .insert_traces(&[trace(1, Some(1), 5)], &Limits::default())
        .await
        .unwrap();
    store
        .insert_traces(
            &[trace(1, Some(2), 5), trace(2, Some(2), 5)],
            &Limits::default(),
        )
        .await
        .unwrap();
    assert_eq!(kept(store, id(2).as_str()).await, ["FG-00000002"]);
}
