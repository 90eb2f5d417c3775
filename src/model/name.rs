//! Names, and the rules that every text of the domain keeps.

use smol_str::SmolStr;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use super::limits::{NAME_BYTES, TEXT_BYTES, VALUE_BYTES};

/// Which rule a text has to keep (domain.md, "Words").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextRule {
    /// Names, require names and label keys: 1 to 253 bytes, no control characters, none that are not seen, no outer space.
    Name,
    /// Label values, instances: up to 1,024 bytes, may be empty, no control characters, none that are not seen.
    Value,
    /// Versions, actors and idempotency keys: as [`TextRule::Value`], but not empty.
    FilledValue,
    /// Attributes, annotations, inputs: up to 64 KiB, no control characters but tab, LF and CR.
    Free,
}

/// Why a text is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It is longer than its rule allows.
    #[error("it has {bytes} bytes; at most {max} are allowed (limit {})", limit_of(*max))]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// It holds a control character, or one that is not seen.
    #[error("it holds the control character U+{code:04X} at byte {offset}; remove it")]
    Control {
        /// The code point.
        code: u32,
        /// Where it stands, in bytes from 0.
        offset: usize,
    },
    /// It begins or ends with space.
    #[error("it begins or ends with space; remove it")]
    OuterSpace,
}

fn limit_of(max_bytes: usize) -> &'static str {
    match max_bytes {
        NAME_BYTES => "name-bytes",
        VALUE_BYTES => "value-bytes",
        _ => "text-bytes",
    }
}

impl TextRule {
    /// The longest text allowed, in bytes.
    pub fn max_bytes(self) -> usize {
        match self {
            Self::Name => NAME_BYTES,
            Self::Value | Self::FilledValue => VALUE_BYTES,
            Self::Free => TEXT_BYTES,
        }
    }

    /// Checks `text`.
    ///
    /// # Errors
    /// [`TextError`] names the first rule that it breaks.
    ///
    /// ```
    /// use mortise::model::TextRule;
    /// assert!(TextRule::Name.check("app.kubernetes.io/name").is_ok());
    /// assert!(TextRule::Name.check(" shop").is_err() && TextRule::Value.check("").is_ok());
    /// ```
    pub fn check(self, text: &str) -> Result<(), TextError> {
        self.check_recorded(text)?;
        // What is not seen makes two names look alike; in free texts it may be meant.
        let mut unseen = text.char_indices().filter(|&(_, character)| is_unseen(character));
        if self != Self::Free
            && !text.is_ascii()
            && let Some((offset, unseen)) = unseen.next()
        {
            return Err(TextError::Control { code: u32::from(unseen), offset });
        }
        Ok(())
    }

    /// The same for what was recorded before, when characters that are not seen were allowed.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_recorded(self, text: &str) -> Result<(), TextError> {
        if text.is_empty() && matches!(self, Self::Name | Self::FilledValue) {
            return Err(TextError::Empty);
        }
        if text.len() > self.max_bytes() {
            return Err(TextError::TooLong { bytes: text.len(), max: self.max_bytes() });
        }
        // Printable ASCII holds no control characters, and is nearly everything that ever comes.
        let is_plain = text.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
        let allowed = |character: char| self == Self::Free && matches!(character, '\t' | '\n' | '\r');
        let mut controls = text.char_indices().filter(|&(_, c)| c.is_control() && !allowed(c));
        if !is_plain && let Some((offset, control)) = controls.next() {
            return Err(TextError::Control { code: u32::from(control), offset });
        }
        if self == Self::Name && text.trim() != text {
            return Err(TextError::OuterSpace);
        }
        Ok(())
    }
}

/// Whether a character shows nothing of itself, but changes how others are shown or tells apart what looks the same: the
/// formats of Unicode (general category Cf), its separators of lines, and letters without a shape.
pub fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// A name: of a System, Artifact, Environment, Interface, Server, require, or the key of a label. Exact case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "SmolStr")]
pub struct Name(SmolStr);

impl Name {
    /// Takes a name.
    ///
    /// # Errors
    /// [`TextError`] where it breaks [`TextRule::Name`].
    pub fn new(text: impl Into<SmolStr>) -> Result<Self, TextError> {
        let text = text.into();
        TextRule::Name.check(&text)?;
        Ok(Self(text))
    }

    /// Takes a name from what was recorded before.
    ///
    /// # Errors
    /// [`TextError`] where it breaks [`TextRule::Name`], except that it may hold what is not seen.
    pub fn recorded(text: impl Into<SmolStr>) -> Result<Self, TextError> {
        let text = text.into();
        TextRule::Name.check_recorded(&text)?;
        Ok(Self(text))
    }

    /// The name whose text was taken from a name before.
    pub(crate) fn of_checked(text: SmolStr) -> Self {
        debug_assert!(TextRule::Name.check_recorded(&text).is_ok());
        Self(text)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as shared text.
    pub fn shared(&self) -> &SmolStr {
        &self.0
    }
}

/// What is read by serde is what was recorded.
impl TryFrom<SmolStr> for Name {
    type Error = TextError;

    fn try_from(text: SmolStr) -> Result<Self, TextError> {
        Self::recorded(text)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

/// What an attempt locks, what has at most one Active, what attempts are numbered in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// The Artifact.
    pub artifact: Name,
    /// The Environment.
    pub environment: Name,
    /// The instance; empty unless the Artifact runs more than once in the Environment.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub instance: SmolStr,
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.artifact, self.environment)?;
        if self.instance.is_empty() { Ok(()) } else { write!(f, " (instance {})", self.instance) }
    }
}
