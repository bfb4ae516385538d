//! Prometheus' text format, read more strictly than Prometheus does: whatever is amiss is an error.

use std::collections::{BTreeMap, BTreeSet};

/// One series: its labels in order, and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The metric's name, with the suffix of a histogram's parts.
    pub name: String,
    /// Unescaped.
    pub labels: BTreeMap<String, String>,
    /// Never negative here.
    pub value: f64,
}

/// Reads a whole exposition.
///
/// # Errors
/// What is amiss, and the line.
pub fn read(text: &str) -> Result<Vec<Sample>, String> {
    let mut read = Reading::default();
    for line in text.lines() {
        read.line(line).map_err(|why| format!("{why}: {line:?}"))?;
    }
    read.histograms()?;
    Ok(read.samples)
}

#[derive(Default)]
struct Reading {
    helped: BTreeSet<String>,
    types: BTreeMap<String, String>,
    /// The family that the lines belong to at the moment.
    family: String,
    series: BTreeSet<String>,
    samples: Vec<Sample>,
}

impl Reading {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, _) = help.split_once(' ').ok_or("no help")?;
            return require(self.helped.insert(name.to_owned()), "help twice");
        }
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').ok_or("no type")?;
            require(is_name(name, true), "a name")?;
            require(self.helped.contains(name), "no help")?;
            require(matches!(kind, "counter" | "gauge" | "histogram"), "a type")?;
            name.clone_into(&mut self.family);
            let before = self.types.insert(name.to_owned(), kind.to_owned());
            return require(before.is_none(), "type twice");
        }
        let sample = sample(line)?;
        let kind = &self.types[&self.family];
        let rest = sample.name.strip_prefix(&self.family);
        let belongs = match kind.as_str() {
            "histogram" => matches!(rest, Some("_bucket" | "_sum" | "_count")),
            _ => rest == Some(""),
        };
        require(belongs, "outside its family")?;
        let is_total = sample.name.ends_with("_total");
        require(
            is_total == (kind == "counter"),
            "a counter ends in _total, and nothing else",
        )?;
        require(sample.value >= 0.0 && sample.value.is_finite(), "a value")?;
        let series = format!("{}{:?}", sample.name, sample.labels);
        require(self.series.insert(series), "a series twice")?;
        self.samples.push(sample);
        Ok(())
    }

    /// Buckets grow, and the last holds all.
    fn histograms(&self) -> Result<(), String> {
        let mut last: Option<(&Sample, f64)> = None;
        for sample in &self.samples {
            if let Some(bound) = sample.labels.get("le") {
                let bound: f64 = bound.parse().map_err(|_| format!("a bound: {sample:?}"))?;
                if let Some((before, lower)) = last {
                    let grows = bound > lower && sample.value >= before.value;
                    require(grows, &format!("buckets shrink: {sample:?}"))?;
                }
                last = Some((sample, bound));
            } else if sample.name.ends_with("_count") {
                let (bucket, bound) = last.take().ok_or("no buckets")?;
                let whole = bound.is_infinite() && (bucket.value - sample.value).abs() < 0.5;
                require(
                    whole,
                    &format!("not all are in the last bucket: {sample:?}"),
                )?;
            }
        }
        Ok(())
    }
}

fn sample(line: &str) -> Result<Sample, String> {
    let end = line.find(['{', ' ']).ok_or("neither labels nor a value")?;
    let (name, rest) = line.split_at(end);
    require(is_name(name, true), "a name")?;
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let value = value.strip_prefix(' ').ok_or("no blank")?;
    Ok(Sample {
        name: name.to_owned(),
        labels,
        value: value.parse().map_err(|_| "no number")?,
    })
}

/// Labels up to the brace that closes them, and what follows it.
fn labels(mut rest: &str) -> Result<(BTreeMap<String, String>, &str), String> {
    let mut labels = BTreeMap::new();
    loop {
        let (name, value) = rest.split_once("=\"").ok_or("no label")?;
        require(is_name(name, false), "a label's name")?;
        let mut text = String::new();
        let mut characters = value.char_indices();
        let end = loop {
            match characters.next().ok_or("an open quote")? {
                (at, '"') => break at,
                (_, '\\') => match characters.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, escaped @ ('\\' | '"'))) => text.push(escaped),
                    _ => return Err("an unknown escape".into()),
                },
                (_, character) => text.push(character),
            }
        };
        let before = labels.insert(name.to_owned(), text);
        require(before.is_none(), "a label twice")?;
        rest = &value[end + 1..];
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        rest = rest.strip_prefix(',').ok_or("no comma")?;
    }
}

fn is_name(text: &str, may_have_colon: bool) -> bool {
    !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || (c == ':' && may_have_colon))
}

fn require(holds: bool, why: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_amiss_is_told() {
        let head = "# HELP a_total A.\n# TYPE a_total counter\n";
        for (body, why) in [
            ("a_total{x=\"1\"} 1\na_total{x=\"1\"} 1", "a series twice"),
            ("a_total{x=\"1\n\"} 1", "an open quote"),
            ("a_total{x=\"\\y\"} 1", "an unknown escape"),
            ("b_total 1", "outside its family"),
            ("a_total one", "no number"),
            ("a_total{x-y=\"\"} 1", "a label's name"),
        ] {
            let told = read(&format!("{head}{body}\n")).unwrap_err();
            assert!(told.starts_with(why), "{body}: {told}");
        }
        assert_eq!(
            read(&format!("{head}a_total{{x=\"\\n\"}} 1\n"))
                .unwrap()
                .len(),
            1
        );
    }
}
