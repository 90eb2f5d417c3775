//! JSON tokens into the tree.

use jiter::{Jiter, JiterError, JiterErrorType, JiterResult, JsonErrorType, Peek};
use smol_str::SmolStr;

use super::builder::{Builder, Collection, Excess};
use super::{Document, DocumentError, DocumentErrorKind, Json, Limits, Place, Style, Syntax};

/// Reads one JSON text (RFC 8259; a leading byte order mark is ignored, as §8.1 lets a parser do).
///
/// Line and column are worked out for errors and duplicate keys only: the nodes have none.
pub(super) fn read(bytes: &[u8], limits: Limits) -> Result<Document, DocumentError> {
    let text = utf8(bytes)?;
    let mut reader = Reader::new(text.strip_prefix('\u{FEFF}').unwrap_or(text), limits);
    match reader.document() {
        Ok(()) => Ok(reader.builder.finish(Syntax::Json)),
        Err(Failure::Syntax(error)) => Err(reader.syntax_error(&error)),
        Err(Failure::Excess(excess, offset)) => Err(excess.at(Place::after(&reader.text[..offset]))),
    }
}

struct Reader<'a> {
    text: &'a str,
    parser: Jiter<'a>,
    /// Where in `text` the parser began. It is a new one behind each very long number.
    start: usize,
    builder: Builder,
    /// The last offset whose place was asked for, and the place.
    last: (usize, Place),
}

/// Why there is no document. The place in the text is worked out later.
enum Failure {
    Syntax(JiterError),
    /// With the offset of the value that is too much.
    Excess(Excess, usize),
}

impl From<JiterError> for Failure {
    fn from(error: JiterError) -> Self {
        Self::Syntax(error)
    }
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, limits: Limits) -> Self {
        let parser = Jiter::new(text.as_bytes());
        Self { text, parser, start: 0, builder: Builder::new(limits), last: (0, Place::START) }
    }

    /// How far the parser has come. Right after it looked at a value, this is where the value begins.
    fn offset(&self) -> usize {
        self.start + self.parser.current_index()
    }

    /// Reads the one value that the text holds. It does not recurse: the builder keeps what is open.
    fn document(&mut self) -> Result<(), Failure> {
        let mut value = self.parser.peek()?;
        loop {
            let start = self.offset();
            let excessive = |excess| Failure::Excess(excess, start);
            let mut next = match value {
                Peek::Object => {
                    self.builder.open_object(Place::default()).map_err(excessive)?;
                    self.member(Jiter::known_object)?
                }
                Peek::Array => {
                    self.builder.open_array(Place::default()).map_err(excessive)?;
                    self.parser.known_array()?
                }
                _ => {
                    self.scalar(value, start)?;
                    self.following()?
                }
            };
            value = loop {
                match next {
                    Some(value) => break value,
                    None if self.builder.innermost().is_none() => return Ok(self.parser.finish()?),
                    None => {
                        let node = self.builder.close();
                        self.builder.attach(node);
                        next = self.following()?;
                    }
                }
            };
        }
    }

    /// Looks at the value that follows in the innermost array or object; `None` where that ends, or none is open.
    fn following(&mut self) -> Result<Option<Peek>, Failure> {
        match self.builder.innermost() {
            Some(Collection::Object) => self.member(Jiter::next_key),
            Some(Collection::Array) => Ok(self.parser.array_step()?),
            None => Ok(None),
        }
    }

    /// Takes a key with its colon and looks at the value; `None` where the object ends.
    fn member(
        &mut self,
        key: impl for<'p> FnOnce(&'p mut Jiter<'a>) -> JiterResult<Option<&'p str>>,
    ) -> Result<Option<Peek>, Failure> {
        let before = self.offset();
        let Some(key) = key(&mut self.parser)? else {
            return Ok(None);
        };
        self.builder.key(kept(key), || {
            let (offset, place) = self.last;
            let quote = before + self.text[before..].find('"').unwrap_or_default();
            self.last = (quote, place.then(&self.text[offset..quote]));
            self.last.1
        });
        Ok(Some(self.parser.peek()?))
    }

    /// Takes a text, a number, `true`, `false` or `null`, which begins at `start`.
    fn scalar(&mut self, value: Peek, start: usize) -> Result<(), Failure> {
        let place = Place::default();
        let put = match value {
            Peek::String => self.builder.scalar(kept(self.parser.known_str()?), Style::Quoted, place),
            Peek::True | Peek::False => {
                let written = if self.parser.known_bool(value)? { "true" } else { "false" };
                self.builder.scalar(SmolStr::new_static(written), Style::Plain, place)
            }
            Peek::Null => {
                self.parser.known_null()?;
                self.builder.scalar(SmolStr::new_static("null"), Style::Plain, place)
            }
            first => {
                let written = self.number(first)?;
                self.builder.scalar(kept(written), Style::Plain, place)
            }
        };
        put.map_err(|excess| Failure::Excess(excess, start))
    }

    /// Takes a number, as written.
    fn number(&mut self, first: Peek) -> Result<&'a str, JiterError> {
        let start = self.offset();
        match self.parser.known_number_bytes(first) {
            Ok(_) => {}
            Err(error) if error.error_type == JiterErrorType::JsonError(JsonErrorType::NumberOutOfRange) => {
                self.skip_long_number()?;
            }
            Err(error) => return Err(error),
        }
        Ok(&self.text[start..self.offset()])
    }

    /// Steps over a number with more digits than the parser takes (4300). A new parser goes on behind it.
    #[cold]
    fn skip_long_number(&mut self) -> Result<(), JiterError> {
        let rest = &self.text[self.offset()..];
        let in_number = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
        let length = rest.bytes().position(|byte| !in_number(byte)).unwrap_or(rest.len());
        if !Json::is_number(&rest[..length]) {
            let error_type = JiterErrorType::JsonError(JsonErrorType::InvalidNumber);
            return Err(JiterError { error_type, index: self.parser.current_index() });
        }
        self.start = self.offset() + length;
        self.parser = Jiter::new(&rest.as_bytes()[length..]);
        Ok(())
    }

    fn syntax_error(&self, error: &JiterError) -> DocumentError {
        let before = self.text.get(..self.start + error.index).unwrap_or(self.text);
        let message = match &error.error_type {
            JiterErrorType::JsonError(JsonErrorType::EofWhileParsingString) => {
                "the text ends too early, inside quotes: the closing quote or part of an escape is missing"
            }
            _ if before.len() == self.text.len() => "the text ends too early: a value is missing or not complete",
            JiterErrorType::JsonError(error) => message(error),
            JiterErrorType::WrongType { .. } => message(&JsonErrorType::ExpectedSomeValue),
        };
        DocumentError::new(DocumentErrorKind::Syntax, message, Place::after(before))
    }
}

/// The text as the tree keeps it. Reading takes a tenth less time this way than with `SmolStr::new` alone.
fn kept(text: &str) -> SmolStr {
    if text.len() <= INLINE_BYTES { SmolStr::new_inline(text) } else { SmolStr::new(text) }
}

/// The most bytes that a `SmolStr` holds without an allocation. Should it become fewer, the next line does not compile.
const INLINE_BYTES: usize = 23;
const _: SmolStr = SmolStr::new_inline(match str::from_utf8(&[b' '; INLINE_BYTES]) {
    Ok(text) => text,
    Err(_) => panic!("spaces are UTF-8"),
});

/// What is wrong and what to do, for an error that the parser only names.
fn message(error: &JsonErrorType) -> &'static str {
    match error {
        JsonErrorType::ExpectedColon => "a colon must stand between a key and its value",
        JsonErrorType::ExpectedListCommaOrEnd => "a comma or `]` must follow an element of an array",
        JsonErrorType::ExpectedObjectCommaOrEnd => "a comma or `}` must follow a member of an object",
        JsonErrorType::TrailingComma => "no comma may follow the last element or member",
        JsonErrorType::TrailingCharacters => "the value has ended, yet text follows; send one value",
        JsonErrorType::KeyMustBeAString => "a key must stand here, in double quotes",
        JsonErrorType::ExpectedSomeIdent => "only `true`, `false` and `null` stand without quotes",
        JsonErrorType::InvalidNumber | JsonErrorType::NumberOutOfRange => {
            "this is no number: JSON wants no leading zero or plus, and digits after a point or an exponent sign"
        }
        JsonErrorType::InvalidEscape => {
            "this is no escape: after a backslash comes one of `\"\\/bfnrt`, or u and four hexadecimal digits"
        }
        JsonErrorType::ControlCharacterWhileParsingString => {
            "a control character must be escaped (a line break as \\n), or the closing quote is missing before it"
        }
        JsonErrorType::LoneLeadingSurrogateInHexEscape | JsonErrorType::UnexpectedEndOfHexEscape => {
            "the surrogate pair is not complete: \\ud800 to \\udbff comes first, then \\udc00 to \\udfff"
        }
        _ => {
            "a value must stand here: an object, an array, a text in double quotes, a number, `true`, `false` or `null`"
        }
    }
}

/// The bytes as text, or the place where they stop being UTF-8.
pub(super) fn utf8(bytes: &[u8]) -> Result<&str, DocumentError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
        let message = "the bytes are not UTF-8 from here on; send the text as UTF-8";
        DocumentError::new(DocumentErrorKind::NotUtf8, message, Place::after(before))
    })
}

impl DocumentError {
    /// An error with its message in the form of ours, whoever wrote it: lower-case, control characters escaped.
    pub(super) fn new(kind: DocumentErrorKind, message: &str, place: Place) -> Self {
        let mut shown = String::with_capacity(message.len());
        for character in message.chars() {
            if character.is_control() { shown.extend(character.escape_default()) } else { shown.push(character) }
        }
        if let Some(first) = shown.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        Self { kind, message: shown, place }
    }
}

impl Place {
    const START: Self = Self { line: 1, column: 1 };

    /// The place that follows `text`. A leading byte order mark takes no column.
    pub(super) fn after(text: &str) -> Self {
        Self::START.then(text.strip_prefix('\u{FEFF}').unwrap_or(text))
    }

    /// The place that follows `text`, which begins here.
    fn then(self, text: &str) -> Self {
        let saturated = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let breaks = text.matches('\n').count() + text.matches('\r').count() - text.matches("\r\n").count();
        let line = text.rsplit(['\n', '\r']).next().unwrap_or_default();
        let first = if breaks == 0 { self.column } else { 1 };
        Self {
            line: self.line.saturating_add(saturated(breaks)),
            column: first.saturating_add(saturated(line.chars().count())),
        }
    }
}
