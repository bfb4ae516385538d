//! The mutants that cargo-mutants would make, as `cargo mutants --list --json` tells them.

use serde_json::Value;

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) file: String,
    /// `FnValue`, `BinaryOperator`, `UnaryOperator`, `MatchArm`, `MatchArmGuard` or `StructField`.
    pub(crate) genre: String,
    /// Line and column of what is replaced, counted from 1.
    pub(crate) start: (usize, usize),
    /// The last segment of the function's name.
    pub(crate) function: String,
    pub(crate) replacement: String,
    pub(crate) name: String,
}

/// Reads the list. What has not the expected form is left out, and missed by the count.
pub(crate) fn listed(json: &Value) -> Vec<Listed> {
    let all = json.as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().filter_map(one).collect()
}

fn one(value: &Value) -> Option<Listed> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let place = |name: &str| usize::try_from(value["span"]["start"][name].as_u64()?).ok();
    let function = value["function"]["function_name"].as_str();
    let function = function.and_then(|name| name.rsplit("::").next());
    Some(Listed {
        file: text(&value["file"])?,
        genre: text(&value["genre"])?,
        start: (place("line")?, place("column")?),
        function: function.unwrap_or_default().to_owned(),
        replacement: text(&value["replacement"])?,
        name: text(&value["name"])?,
    })
}
