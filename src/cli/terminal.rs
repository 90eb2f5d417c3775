//! Text on its way to a terminal: what would control it, or change how other text is shown, is shown itself.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::model::is_unseen;

/// The text with every character written out, as `\\u{202e}`, that is not seen or controls a terminal, but for the ends of
/// lines.
pub fn escaped(text: &str) -> Cow<'_, str> {
    let is_shown = |character: char| character == '\n' || !(character.is_control() || is_unseen(character));
    if text.chars().all(is_shown) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_shown(character) {
            escaped.push(character);
        } else {
            write!(escaped, "{}", character.escape_unicode()).expect("writing to a String cannot fail");
        }
    }
    Cow::Owned(escaped)
}
