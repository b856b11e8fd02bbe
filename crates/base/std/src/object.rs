//! Objects of JSON as Go's programs read them.

use std::fmt;

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor, value::MapDeserializer},
};
use serde_json::value::RawValue;

/// A struct that is read from an object with the names of its fields in any case of ASCII, and from nothing else. Of a
/// field that comes twice the last value counts.
///
/// Go's `encoding/json` reads objects so, and clients and apps rely on it: the JavaScript SDK writes `entryID`, apps
/// answer with `pubsubName`. A derived reader is stricter with names, and looser in that it takes an array for the
/// fields in their order, which would make sense of what makes none.
///
/// It holds for the struct itself: a struct within it that is to be read so stands in an `Object` of its own. The text
/// must lie in memory (`from_slice`, `from_str`): what a field holds is looked at when all names are known.
#[derive(Debug, Default)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(AnyCase(deserializer)).map(Self)
    }
}

/// Learns the names of the fields from the struct that asks for them.
struct AnyCase<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for AnyCase<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Fields {
            fields,
            inner: visitor,
        })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// A struct's visitor, which sees the fields' own names, each once.
struct Fields<V> {
    fields: &'static [&'static str],
    inner: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Fields<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<V::Value, A::Error> {
        let mut found: Vec<(&'static str, &'de RawValue)> = Vec::with_capacity(self.fields.len());
        while let Some(name) = entries.next_key_seed(Name(self.fields))? {
            let Some(name) = name else {
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = entries.next_value()?;
            match found.iter_mut().find(|(known, _)| *known == name) {
                Some(entry) => entry.1 = value,
                None => found.push((name, value)),
            }
        }
        let found = MapDeserializer::<_, serde_json::Error>::new(found.into_iter());
        self.inner.visit_map(found).map_err(|error| without_place(&error))
    }
}

/// The reader of one value counts places from its beginning. Without one, the reader of the whole says where it is.
fn without_place<E: Error>(error: &serde_json::Error) -> E {
    let text = error.to_string();
    let bare = text.rsplit_once(" at line ").filter(|_| error.line() > 0);
    E::custom(bare.map_or(&*text, |(bare, _)| bare))
}

/// Reads a name, and gives the field's; `None` for what is none.
struct Name(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        let fields = self.0;
        let exact = fields.iter().find(|field| **field == name);
        let close = || fields.iter().find(|field| field.eq_ignore_ascii_case(name));
        Ok(exact.or_else(close).copied())
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::value::RawValue;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Entry<'a> {
        entry_id: String,
        #[serde(borrow)]
        event: Option<&'a RawValue>,
        #[serde(borrow)]
        kind: Cow<'a, str>,
        options: Option<Object<Inner>>,
        #[serde(rename = "n")]
        small: u32,
        #[serde(rename = "N")]
        large: u32,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Inner {
        depth: u32,
    }

    fn read(text: &str) -> Result<Entry<'_>, String> {
        let read: Result<Object<Entry<'_>>, _> = serde_json::from_str(text);
        read.map(|Object(entry)| entry).map_err(|error| error.to_string())
    }

    #[test]
    fn names_are_read_in_any_case() {
        let text = r#"{"ENTRYID":"a","Event":{"x": 1},"kInD":"k","Options":{"DEPTH":3},"other":[1],"":2}"#;
        let entry = read(text).unwrap();
        assert_eq!(entry.entry_id, "a");
        assert_eq!(entry.event.unwrap().get(), r#"{"x": 1}"#);
        assert!(matches!(entry.kind, Cow::Borrowed("k")));
        assert_eq!(entry.options.unwrap().0.depth, 3);
    }

    #[test]
    fn the_exact_name_comes_before_a_close_one() {
        let entry = read(r#"{"N":1,"n":2}"#).unwrap();
        assert_eq!((entry.large, entry.small), (1, 2));
    }

    #[test]
    fn of_a_field_that_comes_twice_the_last_value_counts() {
        let text = r#"{"entryId":"a","event":[1],"options":{"depth":1,"DEPTH":2},"ENTRYID":"b","event":{"x": 1},"entryId":"c"}"#;
        let entry = read(text).unwrap();
        assert_eq!(entry.entry_id, "c");
        assert_eq!(entry.event.unwrap().get(), r#"{"x": 1}"#);
        assert_eq!(entry.options.unwrap().0.depth, 2);
        // What is overruled must be JSON, and may be anything beside that.
        assert_eq!(read(r#"{"entryId":7,"entryId":"a"}"#).unwrap().entry_id, "a");
        assert!(read(r#"{"entryId":[,"entryId":"a"}"#).is_err());
    }

    #[test]
    fn a_wrong_value_is_told_with_a_place_in_the_whole() {
        let error = read("{\n\"entryId\":\n7}").unwrap_err();
        assert_eq!(
            error,
            "invalid type: integer `7`, expected a string at line 3 column 2"
        );
    }

    #[test]
    fn nothing_but_an_object_is_taken() {
        for text in [r#"["a"]"#, "[]", "1", "null", r#""a""#, r#"{"options":[3]}"#] {
            let error = read(text).unwrap_err();
            assert!(error.contains("expected an object"), "{text}: {error}");
        }
    }
}
