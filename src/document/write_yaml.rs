//! Writes values as YAML that every reader understands in the same way.

use super::Json;

/// Writes a value as one YAML document: block style, two spaces a level, order kept, a line break at the end.
///
/// A text, or a key, stands plain only where YAML 1.1 and 1.2 both read it as that text, and else in double quotes.
/// Numbers stand as they were written.
///
/// ```
/// use mortise::document::{Json, to_yaml};
/// let value = Json::parse(r#"{"version": "1.10", "ports": [8080, "no"], "labels": {}}"#).unwrap();
/// assert_eq!(to_yaml(&value), "version: \"1.10\"\nports:\n  - 8080\n  - \"no\"\nlabels: {}\n");
/// ```
pub fn to_yaml(value: &Json) -> String {
    let mut yaml = String::new();
    write_block(&mut yaml, value, 0);
    yaml
}

/// YAML (1.2 §7.4.2) bounds a key that is not marked by `?` to 1024 characters. Quotes and escapes are counted here.
const LONGEST_IMPLICIT_KEY: usize = 1000;

/// Writes a value with its last line break. The text has reached the column `indent` already.
fn write_block(yaml: &mut String, value: &Json, indent: usize) {
    match value {
        Json::Array(elements) if !elements.is_empty() => {
            for (index, element) in elements.iter().enumerate() {
                start_line(yaml, index, indent);
                yaml.push_str("- ");
                write_block(yaml, element, indent + 2);
            }
        }
        Json::Object(members) if !members.is_empty() => {
            for (index, (key, value)) in members.iter().enumerate() {
                start_line(yaml, index, indent);
                write_member(yaml, key, value, indent);
            }
        }
        flat => {
            write_flat(yaml, flat);
            yaml.push('\n');
        }
    }
}

/// Indents a line, unless it is the first: that one continues the line that led here.
fn start_line(yaml: &mut String, index: usize, indent: usize) {
    if index > 0 {
        yaml.extend(std::iter::repeat_n(' ', indent));
    }
}

fn write_member(yaml: &mut String, key: &str, value: &Json, indent: usize) {
    let mut written = String::new();
    write_text(&mut written, key);
    if written.len() > LONGEST_IMPLICIT_KEY {
        yaml.push_str("? ");
        yaml.push_str(&written);
        yaml.push('\n');
        start_line(yaml, 1, indent);
        yaml.push_str(": ");
        return write_block(yaml, value, indent + 2);
    }
    yaml.push_str(&written);
    if is_block(value) {
        yaml.push_str(":\n");
        start_line(yaml, 1, indent + 2);
    } else {
        yaml.push_str(": ");
    }
    write_block(yaml, value, indent + 2);
}

fn is_block(value: &Json) -> bool {
    match value {
        Json::Array(elements) => !elements.is_empty(),
        Json::Object(members) => !members.is_empty(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => false,
    }
}

fn write_flat(yaml: &mut String, value: &Json) {
    match value {
        Json::Null => yaml.push_str("null"),
        Json::Bool(true) => yaml.push_str("true"),
        Json::Bool(false) => yaml.push_str("false"),
        Json::Number(number) => yaml.push_str(number),
        Json::Text(text) => write_text(yaml, text),
        // Only empty ones come here.
        Json::Array(_) => yaml.push_str("[]"),
        Json::Object(_) => yaml.push_str("{}"),
    }
}

fn write_text(yaml: &mut String, text: &str) {
    if is_plain(text) {
        return yaml.push_str(text);
    }
    yaml.push('"');
    for character in text.chars() {
        match character {
            '"' => yaml.push_str("\\\""),
            '\\' => yaml.push_str("\\\\"),
            '\n' => yaml.push_str("\\n"),
            '\r' => yaml.push_str("\\r"),
            '\t' => yaml.push_str("\\t"),
            character if is_printable(character) => yaml.push(character),
            // All of them lie below U+10000, so four digits do, in JSON as in YAML.
            character => yaml.push_str(&format!("\\u{:04x}", u32::from(character))),
        }
    }
    yaml.push('"');
}

/// Whether a character needs no escape for any reader: YAML 1.2 §5.1, less what YAML 1.1 takes for a line break or a mark.
fn is_printable(character: char) -> bool {
    let control = matches!(character, '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}');
    !control && !matches!(character, '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Whether a text may stand without quotes: a word of letters, digits and `_ . / -` that begins with a letter and is not
/// reserved. Numbers, dates and indicators all begin with something else.
fn is_plain(text: &str) -> bool {
    let word = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-'));
    word && !RESERVED.iter().any(|reserved| text.eq_ignore_ascii_case(reserved))
}

/// Words that YAML 1.1, YAML 1.2 or a known reader takes for null, a boolean or a number.
const RESERVED: [&str; 12] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"];
