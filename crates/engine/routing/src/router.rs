//! Rules in order, and the route of an event.

use std::{borrow::Cow, fmt};

use serde_json::Value;

use crate::{
    error::{CompileError, RouteError},
    event::EventView,
    expression::{Compiler, Expression},
};

/// Longest expression that is compiled, in bytes. Rules are conditions that people write; a longer one is no rule, and
/// would cost time on every event.
pub const MAX_EXPRESSION_BYTES: usize = 8 * 1024;

/// Most operators and brackets that may stand within each other or in one chain in an expression; `&&` and `||` start a
/// new chain. It keeps the recursion of the parser and the interpreter far from the end of any stack.
pub const MAX_DEPTH: usize = 64;

/// One rule as a subscription has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule<'a> {
    /// A CEL expression over `event`. Nothing but blanks matches every event.
    pub expression: &'a str,
    /// Where matching events go.
    pub path: &'a str,
}

/// Compiled rules. It is immutable and may be asked from many threads at once.
pub struct Router {
    rules: Vec<Compiled>,
}

struct Compiled {
    /// `None` matches every event.
    expression: Option<Expression>,
    path: Box<str>,
}

/// What of an event the rules may look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    /// Nothing: the first rule matches every event, or there is no rule.
    Nothing,
    /// Text attributes of the outer level.
    Attributes,
    /// The whole event.
    Everything,
}

impl Router {
    /// Compiles `rules`. A subscription's default path is one more rule at the end, with an empty expression.
    pub fn compile(rules: &[Rule<'_>]) -> Result<Self, CompileError> {
        let compiler = Compiler::default();
        let rules = rules
            .iter()
            .enumerate()
            .map(|(index, rule)| Compiled::new(&compiler, index + 1, rule))
            .collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }

    /// Whether there is no rule at all, so that no event has a route.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What of an event the rules may look at.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::Nothing;
        for rule in &self.rules {
            match &rule.expression {
                // What comes after a rule that always matches is never tested.
                None => break,
                Some(expression) => needs = needs.max(expression.needs()),
            }
        }
        needs
    }

    /// The path of the first rule that `event` matches; `None` if it matches none, and then it is to be dropped.
    ///
    /// The first rule that cannot be evaluated ends the search: later rules are not tested.
    pub fn route(&self, event: &impl EventView) -> Result<Option<&str>, RouteError> {
        let mut parsed: Option<Cow<'_, Value>> = None;
        for rule in &self.rules {
            let matches = match &rule.expression {
                None => true,
                Some(Expression::Simple { predicate, source }) => predicate
                    .test(event)
                    .map_err(|problem| evaluation(source, &problem))?,
                Some(Expression::Program(program)) => {
                    let value = match parsed.take() {
                        Some(value) => value,
                        None => event.value().map_err(RouteError::Event)?,
                    };
                    let matches = program.test(&value)?;
                    parsed = Some(value);
                    matches
                }
            };
            if matches {
                return Ok(Some(&rule.path));
            }
        }
        Ok(None)
    }

    /// The rules as `(expression, path)`, in order, as they are shown to users.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rules.iter().map(|rule| {
            let source = rule.expression.as_ref().map_or("", Expression::source);
            (source, &*rule.path)
        })
    }
}

impl Compiled {
    fn new(compiler: &Compiler, number: usize, rule: &Rule<'_>) -> Result<Self, CompileError> {
        let source = rule.expression.trim();
        let expression = if source.is_empty() {
            None
        } else {
            let compiled = compiler.compile(source).map_err(|problem| CompileError {
                number,
                expression: crate::error::shown(source),
                problem,
            })?;
            Some(compiled)
        };
        Ok(Self {
            expression,
            path: rule.path.into(),
        })
    }
}

fn evaluation(source: &str, problem: &str) -> RouteError {
    RouteError::Evaluation {
        expression: source.to_owned(),
        problem: problem.to_owned(),
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.rules()).finish()
    }
}
