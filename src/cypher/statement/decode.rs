//! `\uXXXX`, decoded as a server does it: in the whole text, comments and strings included, before tokens are read.

use std::char::{REPLACEMENT_CHARACTER, decode_utf16};

use super::{Refusal, RefusalKind};

/// The text without any `\u`. A server that decodes it again finds nothing to do, so both read the same tokens.
pub(super) fn decode(text: &str) -> Result<String, Refusal> {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\\u") {
        decoded.push_str(&rest[..at]);
        // After another backslash Neo4j does not decode and other servers may: `\\u0041`.
        if decoded.ends_with('\\') {
            return Err(refused(&decoded));
        }
        // A character outside the basic plane is two escapes.
        let mut units = Vec::new();
        rest = &rest[at..];
        while let Some(digits) = rest.strip_prefix("\\u") {
            let unit = digits.get(..4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
            let unit = unit.and_then(|digits| u16::from_str_radix(digits, 16).ok()).ok_or_else(|| refused(&decoded))?;
            units.push(unit);
            rest = &digits[4..];
        }
        for character in decode_utf16(units) {
            let character = character.unwrap_or(REPLACEMENT_CHARACTER);
            if character == REPLACEMENT_CHARACTER {
                return Err(refused(&decoded));
            }
            decoded.push(character);
        }
    }
    decoded.push_str(rest);
    // What was decoded may have made a new one: `\u005cu0041`.
    match decoded.find("\\u") {
        Some(at) => Err(refused(&decoded[..at])),
        None => Ok(decoded),
    }
}

fn refused(before: &str) -> Refusal {
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Refusal {
        clause: "\\u".to_owned(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        kind: RefusalKind::Token,
    }
}
