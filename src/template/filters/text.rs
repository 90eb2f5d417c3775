//! Filters that change a text. A text that can grow stays within its bound.

use minijinja::Value;

use super::{number_at, text_at};
use crate::template::engine::{Bounds, Fault, text_of};

type Outcome = Result<Value, Fault>;

/// The value's text, changed by `change`.
fn changed(bounds: &Bounds, values: &[Value], change: impl FnOnce(&str) -> String) -> Outcome {
    // Changed letters take three times the bytes at most, so the bound is checked afterwards.
    let text = change(&text_at(bounds, values, 0)?);
    let mut bounded = bounds.text();
    bounded.push(&text)?;
    Ok(Value::from(text))
}

pub(super) fn upper(bounds: &Bounds, values: &[Value]) -> Outcome {
    changed(bounds, values, str::to_uppercase)
}

pub(super) fn lower(bounds: &Bounds, values: &[Value]) -> Outcome {
    changed(bounds, values, str::to_lowercase)
}

pub(super) fn capitalize(bounds: &Bounds, values: &[Value]) -> Outcome {
    changed(bounds, values, |text| first_changed(&text.to_lowercase(), |first| first.to_uppercase().collect()))
}

pub(super) fn title(bounds: &Bounds, values: &[Value]) -> Outcome {
    changed(bounds, values, |text| {
        let words = text.split_inclusive(char::is_whitespace);
        words.map(|word| first_changed(&word.to_lowercase(), |first| first.to_uppercase().collect())).collect()
    })
}

pub(super) fn cap_first(bounds: &Bounds, values: &[Value]) -> Outcome {
    changed(bounds, values, |text| first_changed(text, |first| first.to_uppercase().collect()))
}

pub(super) fn uncap_first(bounds: &Bounds, values: &[Value]) -> Outcome {
    changed(bounds, values, |text| first_changed(text, |first| first.to_lowercase().collect()))
}

/// `text` with its first character, white space aside, changed.
fn first_changed(text: &str, change: impl FnOnce(char) -> String) -> String {
    let rest = text.trim_start();
    let space = &text[..text.len() - rest.len()];
    let mut characters = rest.chars();
    match characters.next() {
        Some(first) => format!("{space}{}{}", change(first), characters.as_str()),
        None => text.to_owned(),
    }
}

pub(super) fn trim(bounds: &Bounds, values: &[Value]) -> Outcome {
    changed(bounds, values, |text| text.trim().to_owned())
}

pub(super) fn replace(bounds: &Bounds, values: &[Value]) -> Outcome {
    let (text, old, new) = (text_at(bounds, values, 0)?, text_at(bounds, values, 1)?, text_at(bounds, values, 2)?);
    if old.is_empty() {
        return Err(Fault::wrong_type("`replace` needs a text to look for".to_owned()));
    }
    let mut result = bounds.text();
    result.reserve(text.len());
    for (index, part) in text.split(&*old).enumerate() {
        if index > 0 {
            result.push(&new)?;
        }
        result.push(part)?;
    }
    Ok(Value::from(result.into_text()))
}

pub(super) fn indent(bounds: &Bounds, values: &[Value]) -> Outcome {
    let text = text_at(bounds, values, 0)?;
    let spaces = filling(bounds, number_at(values, 1)?, " ")?;
    let mut result = bounds.text();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if index > 0 && !line.trim().is_empty() {
            result.push(&spaces)?;
        }
        result.push(line)?;
    }
    Ok(Value::from(result.into_text()))
}

pub(super) fn left_pad(bounds: &Bounds, values: &[Value]) -> Outcome {
    let (text, filling) = padding(bounds, values)?;
    joined(bounds, &[&filling, &text])
}

pub(super) fn right_pad(bounds: &Bounds, values: &[Value]) -> Outcome {
    let (text, filling) = padding(bounds, values)?;
    joined(bounds, &[&text, &filling])
}

fn padding(bounds: &Bounds, values: &[Value]) -> Result<(String, String), Fault> {
    let text = text_at(bounds, values, 0)?;
    let with = if values.len() > 2 { text_at(bounds, values, 2)? } else { " ".into() };
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let filling = filling(bounds, number_at(values, 1)?.saturating_sub(length), &with)?;
    Ok((text.into_owned(), filling))
}

/// `count` characters: those of `with`, over and over.
fn filling(bounds: &Bounds, count: i64, with: &str) -> Result<String, Fault> {
    if with.is_empty() {
        return Err(Fault::wrong_type("the text to fill up with is empty".to_owned()));
    }
    let mut result = bounds.text();
    let mut letter = [0; 4];
    for character in with.chars().cycle().take(usize::try_from(count).unwrap_or(0)) {
        result.push(character.encode_utf8(&mut letter))?;
    }
    Ok(result.into_text())
}

/// The parts as one text.
pub(super) fn joined(bounds: &Bounds, parts: &[&str]) -> Outcome {
    let mut result = bounds.text();
    for part in parts {
        result.push(part)?;
    }
    Ok(Value::from(result.into_text()))
}

pub(super) fn string(bounds: &Bounds, values: &[Value]) -> Outcome {
    if values.len() > 2 {
        return super::compare::then(bounds, values);
    }
    Ok(Value::from(&*text_at(bounds, values, 0)?))
}

pub(super) fn number(bounds: &Bounds, values: &[Value]) -> Outcome {
    let text = text_at(bounds, values, 0)?;
    match text.trim().parse::<i64>() {
        Ok(number) => Ok(Value::from(number)),
        Err(_) => Err(Fault::wrong_type("the text is no whole number".to_owned())),
    }
}

pub(super) fn html(bounds: &Bounds, values: &[Value]) -> Outcome {
    escaped(bounds, values, "&#39;")
}

pub(super) fn xml(bounds: &Bounds, values: &[Value]) -> Outcome {
    escaped(bounds, values, "&apos;")
}

fn escaped(bounds: &Bounds, values: &[Value], apostrophe: &str) -> Outcome {
    mapped(bounds, values, |character| match character {
        '&' => Some("&amp;".to_owned()),
        '<' => Some("&lt;".to_owned()),
        '>' => Some("&gt;".to_owned()),
        '"' => Some("&quot;".to_owned()),
        '\'' => Some(apostrophe.to_owned()),
        _ => None,
    })
}

/// FreeMarker's `?url`, which keeps letters, digits and `_-.!~'()*` as they are.
pub(super) fn url(bounds: &Bounds, values: &[Value]) -> Outcome {
    percent(bounds, values, "_-.!~'()*")
}

pub(super) fn url_path(bounds: &Bounds, values: &[Value]) -> Outcome {
    percent(bounds, values, "_-.~/")
}

fn percent(bounds: &Bounds, values: &[Value], kept: &str) -> Outcome {
    mapped(bounds, values, |character| {
        if character.is_ascii_alphanumeric() || kept.contains(character) {
            return None;
        }
        let mut letter = [0; 4];
        Some(character.encode_utf8(&mut letter).bytes().map(|byte| format!("%{byte:02X}")).collect())
    })
}

/// The text with some characters replaced.
fn mapped(bounds: &Bounds, values: &[Value], replacement: impl Fn(char) -> Option<String>) -> Outcome {
    let text = values.first().map_or(Ok("".into()), text_of)?;
    bounds.work(text.len())?;
    let mut result = bounds.text();
    result.reserve(text.len());
    let mut letter = [0; 4];
    for character in text.chars() {
        match replacement(character) {
            Some(other) => result.push(&other)?,
            None => result.push(character.encode_utf8(&mut letter))?,
        }
    }
    Ok(Value::from(result.into_text()))
}
