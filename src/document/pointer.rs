//! JSON Pointers (RFC 6901).

use std::fmt;

/// A JSON Pointer (RFC 6901) under construction: `""` is the whole document, `/requires/a~1b` a member of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(String);

impl Pointer {
    /// The pointer to the whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// The pointer that is written as `text`. It is not checked.
    pub(crate) fn parsed(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The pointer to the whole document, with room for `bytes` to be appended.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Appends the pointer that is written as `text`. It is not checked.
    pub(crate) fn append(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// This pointer with one more reference token, escaped (`~` as `~0`, `/` as `~1`).
    #[must_use]
    pub fn join(&self, token: &str) -> Self {
        let mut text = String::with_capacity(self.0.len() + token.len() + 1);
        text.push_str(&self.0);
        let mut joined = Self(text);
        joined.push(token);
        joined
    }

    /// Appends one more reference token, escaped.
    pub fn push(&mut self, token: &str) {
        self.0.push('/');
        if !token.contains(['~', '/']) {
            return self.0.push_str(token);
        }
        for character in token.chars() {
            match character {
                '~' => self.0.push_str("~0"),
                '/' => self.0.push_str("~1"),
                other => self.0.push(other),
            }
        }
    }

    /// This pointer with an array index appended.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}/{index}", self.0))
    }

    /// The pointer as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.0
    }
}
