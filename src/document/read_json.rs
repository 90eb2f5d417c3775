//! JSON tokens into the tree; and the [`Builder`] that both readers fill.

use std::collections::HashSet;

use json_event_parser::{JsonEvent, JsonSyntaxError, LowLevelJsonParser};

use smol_str::SmolStr;

use super::{
    Document, DocumentError, DocumentErrorKind, Duplicate, Limits, Member, Node, NodeValue, Place, Pointer, Scalar,
    Style, Syntax,
};

/// Reads one JSON text (RFC 8259; a leading byte order mark is ignored, as §8.1 lets a parser do).
pub(super) fn read(bytes: &[u8], limits: Limits) -> Result<Document, DocumentError> {
    let text = utf8(bytes)?;
    let mut parser = LowLevelJsonParser::new();
    let mut cursor = Cursor::new(text);
    let mut builder = Builder::new(limits);
    loop {
        // Not SliceJsonParser: only the low-level one says how far it came, which is what makes places cheap.
        let step = parser.parse_next(&bytes[cursor.offset..], true);
        let end = cursor.offset + step.consumed_bytes;
        let event = match step.event {
            Some(Ok(event)) => event,
            Some(Err(error)) => return Err(syntax_error(text, &error, builder.awaits_value())),
            None => return Err(syntax(ENDS_EARLY, Place::after(text))),
        };
        let place = cursor.skip_to_token();
        match event {
            JsonEvent::ObjectKey(key) => builder.key(SmolStr::from(key), place),
            JsonEvent::String(text) => builder.scalar(SmolStr::from(text), Style::Quoted, place)?,
            JsonEvent::Number(text) => builder.scalar(SmolStr::from(text), Style::Plain, place)?,
            JsonEvent::Boolean(true) => builder.scalar(SmolStr::new_static("true"), Style::Plain, place)?,
            JsonEvent::Boolean(false) => builder.scalar(SmolStr::new_static("false"), Style::Plain, place)?,
            JsonEvent::Null => builder.scalar(SmolStr::new_static("null"), Style::Plain, place)?,
            JsonEvent::StartArray => builder.open_array(place)?,
            JsonEvent::StartObject => builder.open_object(place)?,
            JsonEvent::EndArray | JsonEvent::EndObject => {
                let node = builder.close();
                builder.attach(node);
            }
            JsonEvent::Eof => return Ok(builder.finish(Syntax::Json)),
        }
        cursor.pass(end);
    }
}

const ENDS_EARLY: &str = "the text ends too early: a value is missing or not complete";

fn syntax_error(text: &str, error: &JsonSyntaxError, awaits_value: bool) -> DocumentError {
    let before = usize::try_from(error.location().start.offset).ok().and_then(|offset| text.get(..offset));
    let before = before.unwrap_or(text);
    let message = match error.message() {
        _ if before.len() == text.len() => ENDS_EARLY,
        // The parser says this of a missing colon too.
        "Object keys must be strings" if awaits_value => "a colon must stand between a key and its value",
        "Unexpected end of file" => {
            "a text or number begins here that is not complete (a quote, digits or half a surrogate pair)"
        }
        message => message,
    };
    syntax(message, Place::after(before))
}

fn syntax(message: &str, place: Place) -> DocumentError {
    DocumentError::new(DocumentErrorKind::Syntax, message, place)
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
    /// An error with its message in our form, whoever wrote it: lower-case, control characters escaped.
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

    pub(super) fn too_deep(depth: usize, place: Place) -> Self {
        let message = format!("more than {depth} arrays and objects stand inside each other");
        Self::new(DocumentErrorKind::TooDeep, &message, place)
    }
}

impl Place {
    /// The place that follows `text`. A leading byte order mark takes no column.
    pub(super) fn after(text: &str) -> Self {
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let breaks = text.matches('\n').count() + text.matches('\r').count() - text.matches("\r\n").count();
        let line = text.rsplit(['\n', '\r']).next().unwrap_or_default();
        Self { line: saturated(breaks + 1), column: saturated(line.chars().count() + 1) }
    }
}

fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Walks the text beside the parser and knows line and column without counting anything twice.
struct Cursor<'a> {
    bytes: &'a [u8],
    ascii: bool,
    offset: usize,
    place: Place,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), ascii: text.is_ascii(), offset: 0, place: Place { line: 1, column: 1 } }
    }

    /// Skips what stands between tokens; the place where the next one begins.
    fn skip_to_token(&mut self) -> Place {
        if self.offset == 0 && self.bytes.starts_with("\u{FEFF}".as_bytes()) {
            self.offset = '\u{FEFF}'.len_utf8();
        }
        while let Some(byte) = self.bytes.get(self.offset) {
            match byte {
                b' ' | b'\t' | b',' | b':' => self.place.column = self.place.column.saturating_add(1),
                // Of "\r\n" only the second breaks the line.
                b'\r' if self.bytes.get(self.offset + 1) == Some(&b'\n') => {}
                b'\r' | b'\n' => self.place = Place { line: self.place.line.saturating_add(1), column: 1 },
                _ => break,
            }
            self.offset += 1;
        }
        self.place
    }

    /// Moves over the token, which ends at `end` and holds no line break.
    fn pass(&mut self, end: usize) {
        let token = &self.bytes[self.offset..end];
        let continues = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
        let columns = if self.ascii { token.len() } else { token.len() - token.iter().filter(continues).count() };
        self.place.column = self.place.column.saturating_add(saturated(columns));
        self.offset = end;
    }
}

/// Puts nodes together as a reader meets them, within bounds, and notes the keys that stand twice.
///
/// The readers see to it that a key comes only where an object is open, and a close only where something is.
pub(super) struct Builder {
    limits: Limits,
    nodes: usize,
    open: Vec<Open>,
    root: Option<Node>,
    duplicates: Vec<Duplicate>,
    duplicate_bytes: usize,
}

struct Open {
    place: Place,
    content: Content,
}

enum Content {
    Array(Vec<Node>),
    Object {
        members: Vec<Member>,
        /// The key whose value is awaited.
        key: Option<SmolStr>,
        /// Whether that key stood before, so that its value is dropped.
        repeated: bool,
        /// The keys of `members` once there are too many of them to look through one by one; empty before.
        keys: HashSet<SmolStr>,
    },
}

/// Up to here looking through the members is cheaper than hashing.
const FEW_MEMBERS: usize = 16;
/// What the list of duplicates may take: many of them, or a few deep ones, are as good as all.
const DUPLICATE_BYTES: usize = 64 * 1024;

impl Builder {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, nodes: 0, open: Vec::new(), root: None, duplicates: Vec::new(), duplicate_bytes: 0 }
    }

    /// Counts nodes that are about to be made.
    pub(super) fn count(&mut self, nodes: usize, place: Place) -> Result<(), DocumentError> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > self.limits.nodes {
            let message = format!("the document has more than {} nodes, aliases expanded", self.limits.nodes);
            return Err(DocumentError::new(DocumentErrorKind::TooLarge, &message, place));
        }
        Ok(())
    }

    /// Refuses what is about to be put `levels` deep into the innermost open node.
    pub(super) fn check_depth(&self, levels: usize, place: Place) -> Result<(), DocumentError> {
        if self.open.len() + levels > self.limits.depth {
            return Err(DocumentError::too_deep(self.limits.depth, place));
        }
        Ok(())
    }

    /// Whether an object is open that awaits a key.
    pub(super) fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Object { key: None, .. }, .. }))
    }

    /// Whether an object is open that has a key and awaits its value.
    pub(super) fn awaits_value(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Object { key: Some(_), .. }, .. }))
    }

    pub(super) fn open_array(&mut self, place: Place) -> Result<(), DocumentError> {
        self.open(Content::Array(Vec::new()), place)
    }

    pub(super) fn open_object(&mut self, place: Place) -> Result<(), DocumentError> {
        self.open(Content::Object { members: Vec::new(), key: None, repeated: false, keys: HashSet::new() }, place)
    }

    fn open(&mut self, content: Content, place: Place) -> Result<(), DocumentError> {
        self.check_depth(1, place)?;
        self.count(1, place)?;
        self.open.push(Open { place, content });
        Ok(())
    }

    pub(super) fn key(&mut self, text: SmolStr, place: Place) {
        let Some(Open { content: Content::Object { members, key, repeated, keys }, .. }) = self.open.last_mut() else {
            unreachable!("a reader gives a key only where an object is open");
        };
        *repeated = if members.len() < FEW_MEMBERS {
            members.iter().any(|member| member.key == text)
        } else {
            if keys.is_empty() {
                keys.extend(members.iter().map(|member| member.key.clone()));
            }
            !keys.insert(text.clone())
        };
        let repeated = *repeated;
        *key = Some(text);
        if repeated && (self.duplicates.is_empty() || self.duplicate_bytes < DUPLICATE_BYTES) {
            let pointer = self.pointer();
            self.duplicate_bytes += size_of::<Duplicate>() + pointer.as_str().len();
            self.duplicates.push(Duplicate { pointer, place });
        }
    }

    /// The pointer to what comes next.
    fn pointer(&self) -> Pointer {
        self.open.iter().fold(Pointer::root(), |pointer, open| match &open.content {
            Content::Array(elements) => pointer.index(elements.len()),
            Content::Object { key: Some(key), .. } => pointer.join(key),
            Content::Object { key: None, .. } => pointer,
        })
    }

    pub(super) fn scalar(&mut self, text: SmolStr, style: Style, place: Place) -> Result<(), DocumentError> {
        self.count(1, place)?;
        self.attach(Node { value: NodeValue::Scalar(Scalar { text, style }), place });
        Ok(())
    }

    /// Ends the innermost open node and hands it out, to be attached.
    pub(super) fn close(&mut self) -> Node {
        let Some(Open { place, content }) = self.open.pop() else {
            unreachable!("a reader closes only what it opened");
        };
        let value = match content {
            Content::Array(elements) => NodeValue::Array(elements),
            Content::Object { members, .. } => NodeValue::Object(members),
        };
        Node { value, place }
    }

    /// Puts a finished node where it belongs. It has been counted.
    pub(super) fn attach(&mut self, node: Node) {
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::Array(elements)) => elements.push(node),
            Some(Content::Object { members, key, repeated, .. }) => {
                let key = key.take();
                if let (Some(key), false) = (key, *repeated) {
                    members.push(Member { key, value: node });
                }
            }
        }
    }

    pub(super) fn finish(self, syntax: Syntax) -> Document {
        let Some(root) = self.root else {
            unreachable!("a reader ends a document only when it has read one");
        };
        Document { syntax, root, duplicates: self.duplicates }
    }
}
