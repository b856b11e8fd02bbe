//! An event's JSON as CEL values: borrowed, and looked into only where an expression looks.

use std::{collections::HashMap, fmt};

use cel::{
    ExecutionError,
    common::{
        traits::{Container, Indexer, Sizer},
        types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, MAP_TYPE, Type},
        value::{CowVal, Val},
    },
};
use serde_json::{Map, Value};

/// How objects are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As views of the JSON: nothing is copied.
    Borrowed,
    /// As the library's own maps: for expressions that compare them with map literals or walk over them.
    Copied,
}

/// A JSON value as a CEL value. Numbers are doubles, as Dapr decodes events.
pub(crate) fn val(value: &Value, form: Form) -> Box<dyn Val + '_> {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(truth) => Box::new(CelBool::from(*truth)),
        Value::Number(number) => Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
        Value::String(text) => Box::new(CelString::from(text.as_str())),
        Value::Array(items) => {
            let items: Vec<Box<dyn Val + '_>> = items.iter().map(|item| val(item, form)).collect();
            Box::new(CelList::from(items))
        }
        Value::Object(object) => match form {
            Form::Borrowed => Box::new(ObjectView(object)),
            Form::Copied => {
                let entries: HashMap<CelMapKey<'_>, Box<dyn Val + '_>> = object
                    .iter()
                    .map(|(key, value)| (CelMapKey::from(key.as_str()), val(value, form)))
                    .collect();
                Box::new(CelMap::from(entries))
            }
        },
    }
}

/// A JSON object as a CEL map.
#[derive(Clone, Copy)]
struct ObjectView<'j>(&'j Map<String, Value>);

/// Values of events do not belong in messages.
impl fmt::Debug for ObjectView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "map of {} entries", self.0.len())
    }
}

impl Val for ObjectView<'_> {
    fn get_type(&self) -> &Type {
        &MAP_TYPE
    }

    fn cel_type() -> &'static Type {
        &MAP_TYPE
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    /// Two maps are equal if they have the same keys with equal values. The other is looked at through what it can do,
    /// since its type cannot be named.
    fn equals(&self, other: &dyn Val) -> bool {
        let (Some(indexer), Some(sizer)) = (other.as_indexer(), other.as_sizer()) else {
            return false;
        };
        other.get_type() == &MAP_TYPE
            && sizer.size() == self.size()
            && self.0.iter().all(|(key, value)| {
                indexer
                    .get(&CelString::from(key.as_str()))
                    .is_ok_and(|theirs| val(value, Form::Borrowed).equals(theirs.as_ref()))
            })
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(*self)
    }
}

impl Indexer for ObjectView<'_> {
    fn get<'b, 'v>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let Some(key) = key.downcast_ref::<CelString<'_>>() else {
            return Err(ExecutionError::UnexpectedType {
                got: key.get_type().name().to_owned(),
                want: "string".to_owned(),
            });
        };
        match self.0.get(key.inner()) {
            Some(value) => Ok(CowVal::Owned(val(value, Form::Borrowed))),
            None => Err(ExecutionError::no_such_key(key.inner())),
        }
    }

    fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(key).map(CowVal::into_owned)
    }
}

impl Container for ObjectView<'_> {
    fn contains(&self, key: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(key
            .downcast_ref::<CelString<'_>>()
            .is_some_and(|key| self.0.contains_key(key.inner())))
    }
}

impl Sizer for ObjectView<'_> {
    fn size(&self) -> CelInt {
        CelInt::from(i64::try_from(self.0.len()).unwrap_or(i64::MAX))
    }
}
