//! Expressions that only compare text attributes, tested without the interpreter: `event.type == "order.created"`.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};

use crate::{
    event::{Attribute, EventView},
    expression::EVENT,
};

/// An expression over text attributes of the outer level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Predicate {
    /// The attribute is this text.
    Equals { attribute: Box<str>, text: Box<str> },
    /// The attribute is one of these texts.
    OneOf {
        attribute: Box<str>,
        texts: Vec<Box<str>>,
    },
    /// It is not so.
    Not(Box<Self>),
    /// Both are so.
    And(Box<[Self; 2]>),
    /// One is so.
    Or(Box<[Self; 2]>),
}

impl Predicate {
    /// The predicate that an expression is, if it is one.
    pub(crate) fn of(expression: &IdedExpr) -> Option<Self> {
        let Expr::Call(CallExpr {
            func_name,
            target: None,
            args,
        }) = &expression.expr
        else {
            return None;
        };
        match (func_name.as_str(), args.as_slice()) {
            (operators::EQUALS, [a, b]) => equals(a, b),
            (operators::NOT_EQUALS, [a, b]) => equals(a, b).map(Self::negated),
            (operators::LOGICAL_NOT, [a]) => Self::of(a).map(Self::negated),
            (operators::LOGICAL_AND, [a, b]) => Some(Self::And(Box::new([Self::of(a)?, Self::of(b)?]))),
            (operators::LOGICAL_OR, [a, b]) => Some(Self::Or(Box::new([Self::of(a)?, Self::of(b)?]))),
            (operators::IN, [a, b]) => one_of(a, b),
            _ => None,
        }
    }

    fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// Whether `event` is so; the error says which attribute is missing.
    ///
    /// `&&` and `||` pass over the error of one side when the other side decides, whichever comes first.
    pub(crate) fn test(&self, event: &impl EventView) -> Result<bool, String> {
        match self {
            Self::Equals { attribute, text } => is(event, attribute, |it| it == &**text),
            Self::OneOf { attribute, texts } => {
                is(event, attribute, |it| texts.iter().any(|text| **text == *it))
            }
            Self::Not(inner) => inner.test(event).map(|so| !so),
            Self::And(sides) => both(&sides[0], &sides[1], event, false),
            Self::Or(sides) => both(&sides[0], &sides[1], event, true),
        }
    }
}

/// Tests two sides of which one being `decisive` settles the whole.
fn both(
    first: &Predicate,
    second: &Predicate,
    event: &impl EventView,
    decisive: bool,
) -> Result<bool, String> {
    match first.test(event) {
        Ok(so) if so == decisive => Ok(decisive),
        Ok(_) => second.test(event),
        Err(problem) => match second.test(event) {
            Ok(so) if so == decisive => Ok(decisive),
            _ => Err(problem),
        },
    }
}

/// Whether an attribute is a text of which `test` is true. Other values equal no text; a missing one is an error.
fn is(event: &impl EventView, name: &str, test: impl Fn(&str) -> bool) -> Result<bool, String> {
    match event.attribute(name) {
        Attribute::Text(text) => Ok(test(&text)),
        Attribute::Other => Ok(false),
        Attribute::Missing => Err(format!("no such key: {name}")),
    }
}

fn equals(a: &IdedExpr, b: &IdedExpr) -> Option<Predicate> {
    let (name, text) = match (attribute(a), text(b)) {
        (Some(name), Some(text)) => (name, text),
        _ => (attribute(b)?, text(a)?),
    };
    Some(Predicate::Equals {
        attribute: name.into(),
        text: text.into(),
    })
}

fn one_of(a: &IdedExpr, b: &IdedExpr) -> Option<Predicate> {
    let Expr::List(list) = &b.expr else { return None };
    if !list.optional_indices.is_empty() {
        return None;
    }
    Some(Predicate::OneOf {
        attribute: attribute(a)?.into(),
        texts: list
            .elements
            .iter()
            .map(|element| text(element).map(Into::into))
            .collect::<Option<_>>()?,
    })
}

/// The name in `event.name` or `event["name"]`.
fn attribute(expression: &IdedExpr) -> Option<&str> {
    match &expression.expr {
        Expr::Select(select) if !select.test && is_event(&select.operand) => Some(&select.field),
        Expr::Call(call) if call.func_name == operators::INDEX && call.target.is_none() => {
            match call.args.as_slice() {
                [event, name] if is_event(event) => text(name),
                _ => None,
            }
        }
        _ => None,
    }
}

fn is_event(expression: &IdedExpr) -> bool {
    matches!(&expression.expr, Expr::Ident(name) if name == EVENT)
}

fn text(expression: &IdedExpr) -> Option<&str> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}
