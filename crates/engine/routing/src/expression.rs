//! One expression: compiled once, tested on many events.

use std::sync::Arc;

use cel::{
    Context, Env, Program as CelProgram, Value as CelValue,
    common::ast::{Expr, IdedExpr},
};
use serde_json::Value;

use crate::{
    error::{RouteError, shown},
    json::{self, Form},
    router::{MAX_DEPTH, MAX_EXPRESSION_BYTES, Needs},
    shape,
    simple::Predicate,
};

/// The only variable.
pub(crate) const EVENT: &str = "event";

/// Every function that an expression may call; operators have names of their own form (`_==_`, `@in`).
///
/// Those of CEL's standard library, but for `timestamp` and `duration`, which are not built in.
const FUNCTIONS: [&str; 13] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "string",
    "int",
    "uint",
    "double",
    "bool",
    "bytes",
    "type",
    "dyn",
];

/// A compiled expression.
pub(crate) enum Expression {
    /// One that compares text attributes only.
    Simple { predicate: Predicate, source: Box<str> },
    /// Any other.
    Program(Program),
}

impl Expression {
    pub(crate) fn needs(&self) -> Needs {
        match self {
            Self::Simple { .. } => Needs::Attributes,
            Self::Program(_) => Needs::Everything,
        }
    }

    pub(crate) fn source(&self) -> &str {
        match self {
            Self::Simple { source, .. } => source,
            Self::Program(program) => &program.source,
        }
    }
}

/// Compiles expressions that share the standard functions.
pub(crate) struct Compiler {
    env: Arc<Env>,
}

impl Default for Compiler {
    fn default() -> Self {
        Self {
            // Optional values are an extension of CEL that Dapr does not switch on.
            env: Arc::new(Env::stdlib().with_optional_support(false)),
        }
    }
}

impl Compiler {
    /// Compiles `source`; the error is the end of a sentence about it.
    pub(crate) fn compile(&self, source: &str) -> Result<Expression, String> {
        if source.len() > MAX_EXPRESSION_BYTES {
            return Err(format!("is longer than {MAX_EXPRESSION_BYTES} bytes"));
        }
        if shape::depth(source) > MAX_DEPTH {
            return Err(format!(
                "has more than {MAX_DEPTH} operators and brackets in one chain"
            ));
        }
        let program = self
            .env
            .compile(source)
            .map_err(|errors| format!("is not valid CEL: {}", shown(&errors.to_string())))?;
        check_functions(&program)?;
        if let Some(predicate) = Predicate::of(program.expression()) {
            return Ok(Expression::Simple {
                predicate,
                source: source.into(),
            });
        }
        Ok(Expression::Program(Program {
            form: form(program.expression()),
            env: Arc::clone(&self.env),
            program,
            source: source.into(),
        }))
    }
}

/// An expression that needs the interpreter.
pub(crate) struct Program {
    program: CelProgram,
    env: Arc<Env>,
    /// How the event has to be handed over.
    form: Form,
    source: Box<str>,
}

impl Program {
    /// Whether `event` matches.
    pub(crate) fn test(&self, event: &Value) -> Result<bool, RouteError> {
        let mut context = Context::with_env(Arc::clone(&self.env));
        context.add_variable_as_val(EVENT, json::val(event, self.form));
        match self.program.execute(&context) {
            Ok(CelValue::Bool(matches)) => Ok(matches),
            Ok(_) => Err(RouteError::NotBoolean {
                expression: self.source.to_string(),
            }),
            // A borrowed object as the result ends here as well: it has no owned form.
            Err(error) => Err(RouteError::Evaluation {
                expression: self.source.to_string(),
                problem: shown(&error.to_string()),
            }),
        }
    }
}

/// Refuses calls of functions that do not exist, which would otherwise fail on every event.
fn check_functions(program: &CelProgram) -> Result<(), String> {
    let references = program.references();
    let mut unknown: Vec<&str> = references
        .functions()
        .into_iter()
        .filter(|name| is_name(name) && !FUNCTIONS.contains(name))
        .collect();
    // The references come from a hash set; the message must not depend on its order.
    unknown.sort_unstable();
    match unknown.first() {
        None => Ok(()),
        Some(name) => Err(format!(
            "calls {name}(), which is no function; there are {}",
            FUNCTIONS.join(", ")
        )),
    }
}

/// Whether the name of a call is a function's, not an operator's.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) || name.starts_with('.')
}

/// How the event has to be handed over: as it is, unless the expression builds maps of its own, which only know their
/// equals of the same make, or walks over one.
fn form(expression: &IdedExpr) -> Form {
    let mut pending = vec![expression];
    while let Some(IdedExpr { expr, .. }) = pending.pop() {
        match expr {
            Expr::Map(_) | Expr::Struct(_) | Expr::Comprehension(_) => return Form::Copied,
            Expr::Call(call) => {
                pending.extend(call.target.as_deref());
                pending.extend(&call.args);
            }
            Expr::List(list) => pending.extend(&list.elements),
            Expr::Select(select) => pending.push(&select.operand),
            Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
        }
    }
    Form::Borrowed
}

#[cfg(test)]
mod tests;
