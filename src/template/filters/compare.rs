//! Operators, and filters that answer with a boolean.
//!
//! They are stricter than those of Jinja, where `"2" == 2` is silently false and the text `false` silently true.

use std::cmp::Ordering;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::pieces::elements;
use super::text::joined;
use super::{number_at, text_at};
use crate::template::engine::{Bounds, Fault, is_map, is_written_number, text_of};

type Outcome = Result<Value, Fault>;

pub(super) fn condition(_: &Bounds, values: &[Value]) -> Outcome {
    if values[0].as_str() == Some("false") {
        let message = "the text `false` counts as true; compare it: `x == \"true\"`".to_owned();
        return Err(Fault::wrong_type(message));
    }
    Ok(values[0].clone())
}

pub(super) fn then(_: &Bounds, values: &[Value]) -> Outcome {
    match values[0].kind() {
        ValueKind::Bool => Ok(values[if values[0].is_true() { 1 } else { 2 }].clone()),
        _ => Err(Fault::wrong_type("a boolean is wanted here; a comparison in parentheses makes one".to_owned())),
    }
}

pub(super) fn add(bounds: &Bounds, values: &[Value]) -> Outcome {
    if values[0].is_number() && values[1].is_number() {
        return sum(number_at(values, 0)?.checked_add(number_at(values, 1)?));
    }
    let number = |value: &Value| value.is_number() || is_written_number(value);
    if number(&values[0]) && number(&values[1]) {
        return Err(Fault::wrong_type("only whole numbers within 64 bits can be added".to_owned()));
    }
    joined(bounds, &[&text_at(bounds, values, 0)?, &text_at(bounds, values, 1)?])
}

pub(super) fn subtract(_: &Bounds, values: &[Value]) -> Outcome {
    sum(number_at(values, 0)?.checked_sub(number_at(values, 1)?))
}

fn sum(number: Option<i64>) -> Outcome {
    number.map(Value::from).ok_or_else(|| Fault::wrong_type("the sum is too large a number".to_owned()))
}

pub(super) fn equal(_: &Bounds, values: &[Value]) -> Outcome {
    compared(values, Ordering::is_eq)
}

pub(super) fn unequal(_: &Bounds, values: &[Value]) -> Outcome {
    compared(values, Ordering::is_ne)
}

pub(super) fn less(_: &Bounds, values: &[Value]) -> Outcome {
    compared(values, Ordering::is_lt)
}

pub(super) fn at_most(_: &Bounds, values: &[Value]) -> Outcome {
    compared(values, Ordering::is_le)
}

pub(super) fn greater(_: &Bounds, values: &[Value]) -> Outcome {
    compared(values, Ordering::is_gt)
}

pub(super) fn at_least(_: &Bounds, values: &[Value]) -> Outcome {
    compared(values, Ordering::is_ge)
}

fn compared(values: &[Value], holds: fn(Ordering) -> bool) -> Outcome {
    match order(&values[0], &values[1]) {
        Some(order) => Ok(Value::from(holds(order))),
        None => {
            let (left, right) = (kind(&values[0]), kind(&values[1]));
            let advice = "compare two texts, two whole numbers or two booleans; `?number` reads a number from a text";
            Err(Fault::wrong_type(format!("{left} is compared with {right}; {advice}")))
        }
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        return Some(left.cmp(right));
    }
    match (left.kind(), right.kind()) {
        (ValueKind::Bool, ValueKind::Bool) => Some(left.is_true().cmp(&right.is_true())),
        (ValueKind::Number, ValueKind::Number) => {
            Some(i64::try_from(left.clone()).ok()?.cmp(&i64::try_from(right.clone()).ok()?))
        }
        _ => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::String => "a text",
        ValueKind::Number => "a number",
        ValueKind::Bool => "a boolean",
        ValueKind::None => "a null",
        _ if is_written_number(value) => "a number that is not whole",
        _ if is_map(value) => "a map",
        _ => "a list",
    }
}

pub(super) fn within(bounds: &Bounds, values: &[Value]) -> Outcome {
    let found = match elements(bounds, &values[1])? {
        Some(elements) => elements.iter().any(|element| order(&values[0], element) == Some(Ordering::Equal)),
        None if values[1].as_str().is_some() => text_at(bounds, values, 1)?.contains(&*text_at(bounds, values, 0)?),
        None => {
            let message = format!("`in` looks into a list or a text, not into {}", kind(&values[1]));
            return Err(Fault::wrong_type(message));
        }
    };
    Ok(Value::from(found))
}

pub(super) fn not_within(bounds: &Bounds, values: &[Value]) -> Outcome {
    within(bounds, values).map(|found| Value::from(!found.is_true()))
}

pub(super) fn contains(bounds: &Bounds, values: &[Value]) -> Outcome {
    asked(bounds, values, |text, part| text.contains(part))
}

pub(super) fn starts_with(bounds: &Bounds, values: &[Value]) -> Outcome {
    asked(bounds, values, |text, part| text.starts_with(part))
}

pub(super) fn ends_with(bounds: &Bounds, values: &[Value]) -> Outcome {
    asked(bounds, values, |text, part| text.ends_with(part))
}

fn asked(bounds: &Bounds, values: &[Value], holds: fn(&str, &str) -> bool) -> Outcome {
    let text = text_at(bounds, values, 0)?;
    Ok(Value::from(holds(&text, &text_of(&values[1])?)))
}
