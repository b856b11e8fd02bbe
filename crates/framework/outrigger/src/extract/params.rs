//! Names and texts, read into types: captures of a path, and query strings.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, IntoDeserializer, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};

/// Names and decoded texts, in order.
pub(crate) type Pairs = [(String, String)];

/// Reads captures: a single value, a tuple in their order, or a struct or map by their names.
pub(super) fn read<T: DeserializeOwned>(pairs: &Pairs) -> Result<T, Error> {
    T::deserialize(Captures(pairs))
}

/// Reads named texts into a struct or a map.
pub(super) fn read_map<T: DeserializeOwned>(pairs: &Pairs) -> Result<T, Error> {
    T::deserialize(MapDeserializer::new(named(pairs)))
}

/// The decoded pairs of a query string.
pub(super) fn pairs(query: Option<&str>) -> Vec<(String, String)> {
    let parts = query
        .unwrap_or_default()
        .split('&')
        .filter(|part| !part.is_empty());
    let decoded = parts.map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decode(name, true), decode(value, true))
    });
    decoded.collect()
}

/// Decodes `%XX`, and `+` in queries. What is no valid encoding stays as it is.
pub(crate) fn decode(text: &str, plus: bool) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let digit = |at: usize| tail.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                // Two hexadecimal digits make a byte.
                out.push((high * 16 + low) as u8);
                rest = &tail[2..];
            }
            (b'+', ..) if plus => out.push(b' '),
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Why texts are not what is expected.
#[derive(Debug)]
pub(super) struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

fn named(pairs: &Pairs) -> impl Iterator<Item = (&str, Text<'_>)> {
    pairs
        .iter()
        .map(|(name, text)| (name.as_str(), Text { name, text }))
}

/// Captures as a whole.
struct Captures<'a>(&'a Pairs);

impl<'a> Captures<'a> {
    fn single(&self) -> Result<Text<'a>, Error> {
        match self.0 {
            [(name, text)] => Ok(Text { name, text }),
            all => Err(Error(format!(
                "the pattern has {} captures, one is expected",
                all.len()
            ))),
        }
    }

    fn values(&self) -> impl Iterator<Item = Text<'a>> + use<'a> {
        self.0.iter().map(|(name, text)| Text { name, text })
    }
}

macro_rules! single {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.single()?.$method(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Captures<'_> {
    type Error = Error;

    single! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_option deserialize_identifier
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(SeqDeserializer::new(self.values()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        if length != self.0.len() {
            let count = self.0.len();
            return Err(Error(format!(
                "the pattern has {count} captures, {length} are expected"
            )));
        }
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(MapDeserializer::new(named(self.0)))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.single()?.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

/// One text, which becomes what the type asks for.
#[derive(Clone, Copy)]
struct Text<'a> {
    name: &'a str,
    text: &'a str,
}

impl<'de> IntoDeserializer<'de, Error> for Text<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $what:literal)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.text.parse() {
                Ok(value) => visitor.$visit(value),
                Err(_) => Err(Error(format!("{}: {:?} is not {}", self.name, self.text, $what))),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Error;

    parsed! {
        deserialize_bool visit_bool "true or false"
        deserialize_i8 visit_i8 "a whole number that fits"
        deserialize_i16 visit_i16 "a whole number that fits"
        deserialize_i32 visit_i32 "a whole number that fits"
        deserialize_i64 visit_i64 "a whole number that fits"
        deserialize_i128 visit_i128 "a whole number that fits"
        deserialize_u8 visit_u8 "a whole number from 0 that fits"
        deserialize_u16 visit_u16 "a whole number from 0 that fits"
        deserialize_u32 visit_u32 "a whole number from 0 that fits"
        deserialize_u64 visit_u64 "a whole number from 0 that fits"
        deserialize_u128 visit_u128 "a whole number from 0 that fits"
        deserialize_f32 visit_f32 "a number"
        deserialize_f64 visit_f64 "a number"
        deserialize_char visit_char "one character"
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.text)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(Cow::Borrowed(self.text).into_deserializer())
    }

    forward_to_deserialize_any! {
        str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect()
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Size {
        Small,
        Large,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Wanted {
        id: u32,
        size: Size,
        note: Option<String>,
    }

    #[test]
    fn captures_become_values_tuples_and_structs() {
        assert_eq!(read::<u32>(&of(&[("id", "7")])).unwrap(), 7);
        assert_eq!(read::<String>(&of(&[("id", "7")])).unwrap(), "7");
        assert_eq!(
            read::<(String, i8)>(&of(&[("a", "x"), ("b", "-1")])).unwrap(),
            ("x".to_owned(), -1)
        );
        let wanted: Wanted = read(&of(&[("id", "7"), ("size", "large")])).unwrap();
        assert_eq!(
            wanted,
            Wanted {
                id: 7,
                size: Size::Large,
                note: None
            }
        );
        let error = read::<u32>(&of(&[("id", "x")])).unwrap_err().to_string();
        assert_eq!(error, "id: \"x\" is not a whole number from 0 that fits");
        assert!(read::<u32>(&of(&[])).is_err());
        assert!(read::<(u8, u8)>(&of(&[("a", "1")])).is_err());
    }

    #[test]
    fn a_query_is_decoded_and_read_by_name() {
        let wanted: Wanted = read_map(&pairs(Some("id=1&size=small&note=a+b%26c&more=x"))).unwrap();
        assert_eq!(
            wanted,
            Wanted {
                id: 1,
                size: Size::Small,
                note: Some("a b&c".to_owned())
            }
        );
        let map: BTreeMap<String, String> = read_map(&pairs(Some("a=1&b"))).unwrap();
        assert_eq!(
            map,
            BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), String::new())])
        );
        let error = read_map::<Wanted>(&pairs(None)).unwrap_err().to_string();
        assert_eq!(error, "missing field `id`");
    }

    #[test]
    fn what_is_no_encoding_stays() {
        assert_eq!(decode("100%", false), "100%");
        assert_eq!(decode("%zz+%41", false), "%zz+A");
    }
}
