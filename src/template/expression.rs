//! An expression, compiled: what minijinja runs, and what it is given.
//!
//! minijinja never sees the texts, paths and names that a specification writes. The [grammar](super::grammar) checks an
//! expression and writes it anew over variables `v0`, `v1` …: constants, and paths resolved natively. So nothing can be
//! called, folded or repeated that the grammar does not know, and the errors about undefined values are our own.

use minijinja::{Expression, Value};

use super::engine::{self, Bounds, Fault};
use super::error::{Problem, TemplateError, TemplateErrorKind, advance};
use super::grammar;
use super::path::{Path, Read};
use super::scope::{Scope, Unresolved};
use crate::document::{Json, Place};

/// An expression that is ready to run. It knows no template and no scope, so many templates share it.
#[derive(Debug)]
pub(super) struct Compiled {
    source: Box<str>,
    expression: Expression<'static, 'static>,
    operands: Box<[Operand]>,
}

/// What a variable of the rewritten expression stands for.
#[derive(Debug)]
pub(super) enum Operand {
    Constant(Value),
    /// `offset` is where the path begins in the expression.
    Path {
        path: Path,
        offset: usize,
        need: Need,
    },
}

/// What happens where a path has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// It is an error.
    Required,
    /// Its default is taken.
    Covered,
    /// The path is a default itself: it is an error only where that default is needed.
    Fallback,
}

impl Compiled {
    pub(super) fn new(source: &str) -> Result<Self, Problem> {
        let draft = grammar::parse(source)?;
        let expression = engine::compile(draft.code).ok_or_else(|| {
            Problem::new(TemplateErrorKind::TooLong, "the expression is nested too deeply; take it apart", 0)
        })?;
        Ok(Self { source: source.into(), expression, operands: draft.operands.into_boxed_slice() })
    }

    /// The paths that it reads; `start` is where the expression begins in its template.
    pub(super) fn reads(&self, start: Place, into: &mut Vec<Read>) {
        for operand in &self.operands {
            if let Operand::Path { path, offset, need } = operand {
                path.reads(*need == Need::Required, advance(start, &self.source[..*offset]), into);
            }
        }
    }

    /// Evaluates in `scope`; `start` is where the expression begins in its template.
    pub(super) fn evaluate(&self, scope: &Scope<'_>, bounds: &Bounds, start: Place) -> Result<String, TemplateError> {
        let fault = |Fault { kind, message }, place| TemplateError::new(kind, message, place);
        let mut values = Vec::with_capacity(self.operands.len());
        for (index, operand) in self.operands.iter().enumerate() {
            let (path, offset, need) = match operand {
                Operand::Constant(value) => {
                    values.push(value.clone());
                    continue;
                }
                Operand::Path { path, offset, need } => (path, *offset, *need),
            };
            let place = || advance(start, &self.source[..offset]);
            values.push(match (scope.resolve(path, start), need) {
                (Ok(Json::Null), Need::Required) => return Err(scope.null(path, place())),
                (Ok(Json::Null) | Err(Unresolved::Missing { .. }), Need::Covered) => engine::absent(None),
                (Ok(Json::Null) | Err(Unresolved::Missing { .. }), Need::Fallback) => engine::absent(Some(index)),
                (Ok(value), _) => bounds.value(value).map_err(|found| fault(found, place()))?,
                (Err(unresolved), _) => return Err(scope.explain(path, unresolved, place())),
            });
        }
        match engine::evaluate(&self.expression, values, bounds) {
            Ok(text) => Ok(text),
            Err(engine::Failure::Fault(found)) => Err(fault(found, start)),
            Err(engine::Failure::Absent(index)) => Err(self.absent(scope, index, start)),
        }
    }

    /// The error for a default that has no value itself.
    fn absent(&self, scope: &Scope<'_>, index: usize, start: Place) -> TemplateError {
        let Some(Operand::Path { path, offset, .. }) = self.operands.get(index) else {
            return TemplateError::new(TemplateErrorKind::Undefined, "the default has no value", start);
        };
        let place = advance(start, &self.source[..*offset]);
        match scope.resolve(path, place) {
            Ok(_) => scope.null(path, place),
            Err(unresolved) => scope.explain(path, unresolved, place),
        }
    }
}
