//! `fedgate explain`: the stored trace behind a reference, as text.

use fedgate_providers::spec::Spec;

use super::{ConfigFile, Environment, Failure, block_on, print};
use crate::catalogue::catalogued;
use crate::page::Explanation;
use crate::store::Store;

pub(super) fn run(
    reference: &str,
    file: &ConfigFile,
    environment: Environment,
) -> Result<(), Failure> {
    let config = file.load(environment)?;
    let reference = reference.trim().to_ascii_uppercase();
    let trace = block_on(async {
        let store = Store::open(&config.store.url).await?;
        let trace = store.trace(&reference).await?;
        store.close().await;
        Ok(trace)
    })?;
    let trace = trace.ok_or_else(|| {
        Failure(format!(
            "no trace is kept under {}: it was never given out, or is older than {} days",
            reference.escape_debug(),
            config.limits.trace_days
        ))
    })?;
    let explanation = Explanation {
        entry: trace.code.as_deref().and_then(catalogued),
        spec: trace.strategy.as_deref().and_then(Spec::of),
        trace: &trace,
    };
    print(explanation.text().trim_end());
    Ok(())
}
