//! minijinja, with the filters of the [table](super::filters::FILTERS) and nothing else in it.

use std::borrow::Cow;
use std::error::Error as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use minijinja::value::{Object, ObjectRepr, Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Expression, State, UndefinedBehavior};

use super::error::TemplateErrorKind;
use super::filters::{FILTERS, Filter};
use super::scope::describe;
use crate::document::Json;
use crate::model::limits::FILTERED_BYTES;

/// How many times the longest text may pass through filters while one template is rendered.
const WORK_FACTOR: usize = 64;

/// The name under which filters find their [`Bounds`].
const BOUNDS: &str = "bounds";

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    for filter in FILTERS {
        environment
            .add_filter(filter.id, move |state: &State, arguments: Rest<Value>| apply(filter, state, &arguments));
    }
    environment
});

/// A failure inside a filter. Where it happened is for the caller to say.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Fault {
    pub(super) kind: TemplateErrorKind,
    pub(super) message: String,
}

/// Why an expression has no value.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The path at this operand is a default that is needed, and it has no value itself.
    #[error("no default")]
    Absent(usize),
}

/// What the rendering of one template may take.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    text_bytes: usize,
    work_left: Arc<AtomicUsize>,
    /// What is left of the work for all templates that are rendered together.
    shared: Option<Arc<AtomicUsize>>,
}

/// A text that never outgrows its bound, which is checked before the text grows.
pub(super) struct Bounded {
    text: String,
    limit: usize,
}

/// Compiles what the grammar wrote; `None` when it is nested too deeply for minijinja.
pub(super) fn compile(code: String) -> Option<Expression<'static, 'static>> {
    ENVIRONMENT.compile_expression_owned(code).ok()
}

/// Runs an expression over the values of its operands.
pub(super) fn evaluate(
    expression: &Expression<'_, '_>,
    operands: Vec<Value>,
    bounds: &Bounds,
) -> Result<String, Failure> {
    let variables = Variables { operands, bounds: Value::from_object(bounds.clone()) };
    let value = expression.eval(Value::from_object(variables)).map_err(|error| match error.source() {
        Some(source) => match source.downcast_ref::<Failure>() {
            Some(failure) => failure.clone(),
            None => Failure::Fault(Fault::wrong_type(source.to_string())),
        },
        None => Failure::Fault(Fault::wrong_type(error.detail().unwrap_or("the expression has no value").to_owned())),
    })?;
    Ok(text_of(&value)?.into_owned())
}

/// A value that is not there. Where it is needed, the error is about `operand`.
pub(super) fn absent(operand: Option<usize>) -> Value {
    Value::from_object(Absent(operand))
}

/// `value` as a template prints it.
pub(super) fn text_of(value: &Value) -> Result<Cow<'_, str>, Fault> {
    if let Some(text) = value.as_str() {
        return Ok(Cow::Borrowed(text));
    }
    if let Some(Written(digits)) = value.downcast_object_ref() {
        return Ok(Cow::Borrowed(digits));
    }
    match value.kind() {
        ValueKind::Bool => Ok(Cow::Borrowed(if value.is_true() { "true" } else { "false" })),
        ValueKind::Number => Ok(Cow::Owned(value.to_string())),
        ValueKind::None => Err(Fault::wrong_type("a null cannot be printed; name the text that you want".to_owned())),
        _ if is_map(value) => {
            Err(Fault::wrong_type("a map cannot be printed; name the member that you want".to_owned()))
        }
        _ => Err(Fault::wrong_type("a list cannot be printed; name an element, or write `|join(\",\")`".to_owned())),
    }
}

/// Whether `value` stands for a map.
pub(super) fn is_map(value: &Value) -> bool {
    value.downcast_object_ref::<Nested>().is_some_and(|nested| nested.what == "a map")
}

/// Whether `value` is a number that is kept as it was written.
pub(super) fn is_written_number(value: &Value) -> bool {
    value.downcast_object_ref::<Written>().is_some()
}

/// How many elements a nested list or a map has.
pub(super) fn nested_length(value: &Value) -> Option<usize> {
    value.downcast_object_ref::<Nested>().map(|nested| nested.length)
}

impl Fault {
    pub(super) fn wrong_type(message: String) -> Self {
        Self { kind: TemplateErrorKind::Type, message }
    }

    pub(super) fn too_long(limit: usize) -> Self {
        Self {
            kind: TemplateErrorKind::TooLong,
            message: format!("the text is longer than {limit} bytes (limit text-bytes)"),
        }
    }
}

impl Bounds {
    /// Of one template; `shared` is what is left of the work for all that are rendered together.
    pub(super) fn new(text_bytes: usize, shared: Option<Arc<AtomicUsize>>) -> Self {
        Self { text_bytes, work_left: Arc::new(AtomicUsize::new(text_bytes.saturating_mul(WORK_FACTOR))), shared }
    }

    /// An empty text that may grow up to the bound.
    pub(super) fn text(&self) -> Bounded {
        Bounded { text: String::new(), limit: self.text_bytes }
    }

    /// Takes `bytes` from what is left of the work.
    pub(super) fn work(&self, bytes: usize) -> Result<(), Fault> {
        let take = |from: &AtomicUsize| {
            from.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
        };
        if !take(&self.work_left) {
            let message = "the template reads and changes too much text; take it apart".to_owned();
            return Err(Fault { kind: TemplateErrorKind::TooLong, message });
        }
        if !self.shared.as_deref().is_none_or(take) {
            let message = format!(
                "the filters of all templates together read and change more than {FILTERED_BYTES} bytes (limit filtered-bytes)"
            );
            return Err(Fault { kind: TemplateErrorKind::TooLong, message });
        }
        Ok(())
    }

    /// `value` for minijinja. A list is handed over with its scalars; of lists in it and of maps, only the length is.
    pub(super) fn value(&self, value: &Json) -> Result<Value, Fault> {
        match value {
            Json::Array(elements) => {
                self.work(elements.len().saturating_mul(size_of::<Value>()))?;
                let values = elements.iter().map(|element| match element {
                    Json::Array(_) | Json::Object(_) => Ok(nested(element)),
                    scalar => self.scalar(scalar),
                });
                Ok(Value::from(values.collect::<Result<Vec<Value>, Fault>>()?))
            }
            Json::Object(_) => Ok(nested(value)),
            scalar => self.scalar(scalar),
        }
    }

    fn scalar(&self, value: &Json) -> Result<Value, Fault> {
        let text = match value {
            Json::Text(text) => text,
            Json::Number(digits) => match digits.parse::<i64>() {
                Ok(number) if number.to_string() == **digits => return Ok(Value::from(number)),
                _ => {
                    self.work(digits.len())?;
                    return Ok(Value::from_object(Written(digits.clone())));
                }
            },
            Json::Bool(value) => return Ok(Value::from(*value)),
            _ => return Ok(Value::from(())),
        };
        self.work(text.len())?;
        Ok(Value::from(text))
    }
}

impl Bounded {
    pub(super) fn push(&mut self, text: &str) -> Result<(), Fault> {
        if text.len() > self.limit.saturating_sub(self.text.len()) {
            return Err(Fault::too_long(self.limit));
        }
        self.text.push_str(text);
        Ok(())
    }

    /// Makes room for what is expected, within the bound.
    pub(super) fn reserve(&mut self, bytes: usize) {
        self.text.reserve(bytes.min(self.limit));
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

fn apply(filter: &Filter, state: &State, arguments: &[Value]) -> Result<Value, Error> {
    let fail = |failure: Failure| Error::from(ErrorKind::InvalidOperation).with_source(failure);
    if let Some(gone) = arguments.iter().find(|value| value.downcast_object_ref::<Absent>().is_some()) {
        return match filter.id {
            "default" if arguments[0].downcast_object_ref::<Absent>().is_none() => Ok(arguments[0].clone()),
            "default" => match arguments[1].downcast_object_ref::<Absent>() {
                None => Ok(arguments[1].clone()),
                Some(Absent(Some(operand))) => Err(fail(Failure::Absent(*operand))),
                Some(Absent(None)) => Err(fail(Failure::Fault(nothing_there()))),
            },
            "required" => Err(fail(Failure::Fault(nothing_there()))),
            _ => Ok(gone.clone()),
        };
    }
    let bounds = state.lookup(BOUNDS);
    let Some(bounds) = bounds.as_ref().and_then(|bounds| bounds.downcast_object_ref::<Bounds>()) else {
        return Err(Error::new(ErrorKind::InvalidOperation, "no bounds"));
    };
    (filter.run)(bounds, arguments).map_err(|fault| fail(Failure::Fault(fault)))
}

fn nothing_there() -> Fault {
    let message = "there is no such element; write a default behind it: `!\"…\"`".to_owned();
    Fault { kind: TemplateErrorKind::Undefined, message }
}

fn nested(value: &Json) -> Value {
    let length = match value {
        Json::Array(elements) => elements.len(),
        Json::Object(members) => members.len(),
        _ => 0,
    };
    Value::from_object(Nested { what: describe(value), length })
}

/// The variables of an expression.
#[derive(Debug)]
struct Variables {
    operands: Vec<Value>,
    bounds: Value,
}

impl Object for Variables {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key.strip_prefix('v') {
            Some(index) => self.operands.get(index.parse::<usize>().ok()?).cloned(),
            None => (key == BOUNDS).then(|| self.bounds.clone()),
        }
    }
}

/// A value that is not there.
#[derive(Debug)]
struct Absent(Option<usize>);

impl Object for Absent {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// A number with a fraction, or a very large one: `1.10` stays `1.10`.
#[derive(Debug)]
struct Written(Box<str>);

impl Object for Written {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// A list inside a list, or a map. Only its length can be asked for.
#[derive(Debug)]
struct Nested {
    what: &'static str,
    length: usize,
}

impl Object for Nested {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.length > 0
    }
}

impl Object for Bounds {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}
