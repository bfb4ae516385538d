//! What an upstream released about a person: every attribute with all its values, in the upstream's order.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// One attribute of an assertion (SAML core 2.7.3.1), or one claim of an OpenID Provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attribute {
    /// Name, as it was written.
    pub name: String,
    /// `NameFormat`: with it, the same name may mean another attribute. None in OpenID Connect, and where it was left out.
    pub name_format: Option<String>,
    /// `FriendlyName`: for people alone, nothing is ever found by it.
    pub friendly_name: Option<String>,
    /// All values in order; empty ones too.
    pub values: Vec<String>,
}

impl Attribute {
    /// Its values that are not empty.
    pub fn stated(&self) -> impl Iterator<Item = &str> {
        let values = self.values.iter().map(String::as_str);
        values.filter(|value| !value.is_empty())
    }
}

/// All that was released. As JSON: an object of lists by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Released(Vec<Attribute>);

impl Released {
    /// Attribute after attribute, each name and format once.
    pub fn iter(&self) -> std::slice::Iter<'_, Attribute> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was released.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values of a name, of any format.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let named = self.0.iter().filter(|attribute| attribute.name == name);
        named
            .flat_map(|attribute| attribute.values.iter().map(String::as_str))
            .collect()
    }

    /// Values by name, those of several formats behind each other, in the order in which the names came.
    fn by_name(&self) -> Vec<(&str, Vec<&str>)> {
        let (mut merged, mut places) = (Vec::<(&str, Vec<&str>)>::new(), BTreeMap::new());
        for attribute in &self.0 {
            let name = attribute.name.as_str();
            let place = *places.entry(name).or_insert(merged.len());
            if place == merged.len() {
                merged.push((name, Vec::new()));
            }
            merged[place]
                .1
                .extend(attribute.values.iter().map(String::as_str));
        }
        merged
    }
}

impl From<Vec<Attribute>> for Released {
    fn from(attributes: Vec<Attribute>) -> Self {
        Self(attributes)
    }
}

/// Claims, which have neither format nor friendly name.
impl FromIterator<(String, Vec<String>)> for Released {
    fn from_iter<I: IntoIterator<Item = (String, Vec<String>)>>(claims: I) -> Self {
        let attributes = claims.into_iter().map(|(name, values)| Attribute {
            name,
            values,
            ..Attribute::default()
        });
        Self(attributes.collect())
    }
}

impl<'a> IntoIterator for &'a Released {
    type Item = &'a Attribute;
    type IntoIter = std::slice::Iter<'a, Attribute>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Serialize for Released {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let by_name = self.by_name();
        let mut map = serializer.serialize_map(Some(by_name.len()))?;
        for (name, values) in &by_name {
            map.serialize_entry(name, values)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(name: &str, format: Option<&str>, values: &[&str]) -> Attribute {
        Attribute {
            name: name.to_owned(),
            name_format: format.map(str::to_owned),
            friendly_name: None,
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        }
    }

    #[test]
    fn the_order_stays_and_the_same_name_of_two_formats_is_one_member() {
        let released = Released::from(vec![
            attribute("sn", Some("urn:basic"), &["L", ""]),
            attribute("email", None, &["a@b.test"]),
            attribute("sn", Some("urn:uri"), &["M"]),
        ]);
        let json = serde_json::to_string(&released).unwrap();
        assert_eq!(json, r#"{"sn":["L","","M"],"email":["a@b.test"]}"#);
        assert_eq!(released.values("sn"), ["L", "", "M"]);
        assert_eq!(
            released.iter().next().unwrap().stated().collect::<Vec<_>>(),
            ["L"]
        );
    }
}
