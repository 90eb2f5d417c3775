//! Filters that take a part of a text or a list, or make one of the other.

use minijinja::Value;
use minijinja::value::ValueKind;

use super::{number_at, text_at};
use crate::template::engine::{Bounds, Fault, absent, is_map, nested_length, text_of};

type Outcome = Result<Value, Fault>;

pub(super) fn unchanged(_: &Bounds, values: &[Value]) -> Outcome {
    Ok(values[0].clone())
}

/// The elements, if the value is a list.
pub(super) fn elements(bounds: &Bounds, value: &Value) -> Result<Option<Vec<Value>>, Fault> {
    let (ValueKind::Seq | ValueKind::Iterable, Ok(elements)) = (value.kind(), value.try_iter()) else {
        return Ok(None);
    };
    bounds.work(value.len().unwrap_or(0).saturating_mul(size_of::<Value>()))?;
    Ok(Some(elements.collect()))
}

pub(super) fn length(bounds: &Bounds, values: &[Value]) -> Outcome {
    let count = match (nested_length(&values[0]), elements(bounds, &values[0])?) {
        (Some(length), _) => length,
        (None, Some(elements)) => elements.len(),
        (None, None) => text_at(bounds, values, 0)?.chars().count(),
    };
    Ok(Value::from(count))
}

pub(super) fn first(bounds: &Bounds, values: &[Value]) -> Outcome {
    at(bounds, values, 0)
}

pub(super) fn last(bounds: &Bounds, values: &[Value]) -> Outcome {
    at(bounds, values, -1)
}

pub(super) fn element(bounds: &Bounds, values: &[Value]) -> Outcome {
    at(bounds, values, number_at(values, 1)?)
}

/// The element or character `index`; a negative one counts from the end.
fn at(bounds: &Bounds, values: &[Value], index: i64) -> Outcome {
    let found = match elements(bounds, &values[0])? {
        Some(elements) => position(index, elements.len()).and_then(|index| elements.get(index).cloned()),
        None => {
            let text = text_at(bounds, values, 0)?;
            let position = position(index, text.chars().count());
            position.and_then(|index| text.chars().nth(index)).map(|found| Value::from(found.to_string()))
        }
    };
    Ok(found.unwrap_or_else(|| absent(None)))
}

fn position(index: i64, length: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

/// `[from:to]`; each of the two is null where it is not written. What lies beyond the ends is cut off, as in Jinja.
pub(super) fn cut(bounds: &Bounds, values: &[Value]) -> Outcome {
    let range = |length: usize| -> Result<(usize, usize), Fault> {
        let bound = |index: usize, otherwise: usize| match values[index].is_none() {
            true => Ok(otherwise),
            false => number_at(values, index).map(|found| position(found, length).unwrap_or(0).min(length)),
        };
        let from = bound(1, 0)?;
        Ok((from, bound(2, length)?.max(from)))
    };
    if let Some(elements) = elements(bounds, &values[0])? {
        let (from, to) = range(elements.len())?;
        return Ok(Value::from(elements[from..to].to_vec()));
    }
    let text = text_at(bounds, values, 0)?;
    let (from, to) = range(text.chars().count())?;
    Ok(Value::from(characters(&text, from, to)))
}

fn characters(text: &str, from: usize, to: usize) -> &str {
    let byte = |count: usize| text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
    &text[byte(from)..byte(to)]
}

pub(super) fn substring(bounds: &Bounds, values: &[Value]) -> Outcome {
    let text = text_at(bounds, values, 0)?;
    let length = text.chars().count();
    let from = number_at(values, 1)?;
    let to = if values.len() > 2 { number_at(values, 2)? } else { i64::try_from(length).unwrap_or(i64::MAX) };
    match (usize::try_from(from), usize::try_from(to)) {
        (Ok(from), Ok(to)) if from <= to && to <= length => Ok(Value::from(characters(&text, from, to))),
        _ => {
            let message = format!("`?substring` goes from {from} to {to}, but the text has {length} characters");
            Err(Fault::wrong_type(message))
        }
    }
}

pub(super) fn join(bounds: &Bounds, values: &[Value]) -> Outcome {
    let Some(elements) = elements(bounds, &values[0])? else {
        let what = if is_map(&values[0]) { "a map" } else { "a text or a number" };
        return Err(Fault::wrong_type(format!("`join` joins the elements of a list, not {what}")));
    };
    let between = text_at(bounds, values, 1)?;
    let mut result = bounds.text();
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            result.push(&between)?;
        }
        result.push(&text_of(element)?)?;
    }
    Ok(Value::from(result.into_text()))
}

pub(super) fn split(bounds: &Bounds, values: &[Value]) -> Outcome {
    let (text, between) = (text_at(bounds, values, 0)?, text_at(bounds, values, 1)?);
    if between.is_empty() {
        return Err(Fault::wrong_type("`split` needs a text to split at".to_owned()));
    }
    list(bounds, text.split(&*between))
}

pub(super) fn lines(bounds: &Bounds, values: &[Value]) -> Outcome {
    list(bounds, text_at(bounds, values, 0)?.lines())
}

fn list<'p>(bounds: &Bounds, parts: impl Iterator<Item = &'p str> + Clone) -> Outcome {
    bounds.work(parts.clone().count().saturating_mul(size_of::<Value>()))?;
    Ok(Value::from(parts.map(Value::from).collect::<Vec<_>>()))
}

/// The part of the text that `part` finds by the argument.
fn taken(bounds: &Bounds, values: &[Value], part: for<'t> fn(&'t str, &str) -> &'t str) -> Outcome {
    let (text, mark) = (text_at(bounds, values, 0)?, text_at(bounds, values, 1)?);
    Ok(Value::from(part(&text, &mark)))
}

pub(super) fn keep_before(bounds: &Bounds, values: &[Value]) -> Outcome {
    taken(bounds, values, |text, mark| text.split_once(mark).map_or(text, |(before, _)| before))
}

pub(super) fn keep_after(bounds: &Bounds, values: &[Value]) -> Outcome {
    taken(bounds, values, |text, mark| text.split_once(mark).map_or("", |(_, after)| after))
}

pub(super) fn keep_before_last(bounds: &Bounds, values: &[Value]) -> Outcome {
    taken(bounds, values, |text, mark| text.rsplit_once(mark).map_or(text, |(before, _)| before))
}

pub(super) fn keep_after_last(bounds: &Bounds, values: &[Value]) -> Outcome {
    taken(bounds, values, |text, mark| text.rsplit_once(mark).map_or("", |(_, after)| after))
}

pub(super) fn remove_beginning(bounds: &Bounds, values: &[Value]) -> Outcome {
    taken(bounds, values, |text, mark| text.strip_prefix(mark).unwrap_or(text))
}

pub(super) fn remove_ending(bounds: &Bounds, values: &[Value]) -> Outcome {
    taken(bounds, values, |text, mark| text.strip_suffix(mark).unwrap_or(text))
}
