//! YAML events into the tree.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use smol_str::SmolStr;

use super::builder::{Builder, Excess};
use super::read_json::utf8;
use super::{Document, DocumentError, DocumentErrorKind, Limits, Node, NodeValue, Place, Scalar, Style, Syntax};

/// Reads one YAML 1.2 document.
///
/// An empty text holds no document and is an error; `---` alone holds one, which is null. An alias is expanded to a
/// copy of the node that it names; the copy keeps the places of that node. An alias counts towards [`Limits::nodes`] with
/// all that it repeats: the nodes, and one more for every 64 bytes of their text. The copies that are kept for later
/// aliases are counted in the same way, in a sum of their own. A character escaped as a surrogate pair, as JSON does, is
/// an error: YAML has `\U`.
pub(super) fn read(bytes: &[u8], limits: Limits) -> Result<Document, DocumentError> {
    let text = utf8(bytes)?;
    refuse_control_characters(text)?;
    let mut reader = Reader::new(limits);
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| syntax_error(&error, limits))?;
        let place = place(&span.start);
        match event {
            Event::DocumentStart(_) => documents += 1,
            Event::Alias(anchor) => reader.alias(anchor, place)?,
            Event::Scalar(text, style, anchor, tag) => {
                let text_tag = check_tag(tag.as_deref(), OnStrTag::Accept, place)?;
                let style = if style == ScalarStyle::Plain && !text_tag { Style::Plain } else { Style::Quoted };
                reader.scalar(Scalar { text: SmolStr::from(text), style }, anchor, place)?;
            }
            Event::SequenceStart(anchor, tag) => {
                check_tag(tag.as_deref(), OnStrTag::Refuse, place)?;
                reader.open(anchor, place)?;
                reader.builder.open_array(place).map_err(|excess| excess.at(place))?;
            }
            Event::MappingStart(anchor, tag) => {
                check_tag(tag.as_deref(), OnStrTag::Refuse, place)?;
                reader.open(anchor, place)?;
                reader.builder.open_object(place).map_err(|excess| excess.at(place))?;
            }
            Event::SequenceEnd | Event::MappingEnd => reader.close()?,
            Event::Nothing | Event::StreamStart | Event::DocumentEnd | Event::StreamEnd => {}
        }
        if documents > 1 {
            return Err(syntax("a second document begins here; send one document", place));
        }
    }
    if documents == 0 {
        return Err(syntax("the text holds no document", Place::after(text)));
    }
    Ok(reader.builder.finish(Syntax::Yaml))
}

/// YAML's own rule (§5.1), checked first because the parser takes U+0000 for the end of the text.
fn refuse_control_characters(text: &str) -> Result<(), DocumentError> {
    let refused = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    let Some(offset) = text.bytes().position(refused) else {
        return Ok(());
    };
    let message =
        format!("the control character U+{:04X} may stand only escaped, in double quotes", text.as_bytes()[offset]);
    Err(syntax(&message, Place::after(&text[..offset])))
}

fn syntax_error(error: &ScanError, limits: Limits) -> DocumentError {
    let place = place(error.marker());
    match error.info() {
        // The parser's own bound, 255 flow collections, may be met before ours: it looks ahead.
        "recursion limit exceeded" => Excess::Depth(limits.depth.min(usize::from(u8::MAX))).at(place),
        "simple key expect ':'" | "simple key expected" => {
            syntax("a key must be followed by a colon on its line", place)
        }
        "did not find expected <document start>" => syntax("the document has ended, yet text follows", place),
        message => syntax(message, place),
    }
}

fn syntax(message: &str, place: Place) -> DocumentError {
    DocumentError::new(DocumentErrorKind::Syntax, message, place)
}

fn not_allowed(message: &str, place: Place) -> DocumentError {
    DocumentError::new(DocumentErrorKind::NotAllowed, message, place)
}

fn place(marker: &Marker) -> Place {
    let saturated = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Place { line: saturated(marker.line()), column: saturated(marker.col().saturating_add(1)) }
}

/// What to do about `!!str`: it belongs on scalars only.
#[derive(Clone, Copy, PartialEq)]
enum OnStrTag {
    Accept,
    Refuse,
}

/// Whether there is a tag, which can only be `!!str`, however it is spelled. The non-specific `!` is refused too.
fn check_tag(tag: Option<&Tag>, on_str: OnStrTag, place: Place) -> Result<bool, DocumentError> {
    let Some(tag) = tag else {
        return Ok(false);
    };
    let name = format!("{}{}", tag.handle, tag.suffix);
    if name != "tag:yaml.org,2002:str" {
        return Err(not_allowed(&format!("the tag `{name}` is not allowed, only `!!str` is"), place));
    }
    match on_str {
        OnStrTag::Accept => Ok(true),
        OnStrTag::Refuse => Err(not_allowed("the tag `!!str` is allowed on scalars only", place)),
    }
}

struct Reader {
    builder: Builder,
    limits: Limits,
    /// Finished nodes that an alias may name, by the parser's number for the anchor.
    anchors: HashMap<usize, Anchor>,
    /// The weight of all copies in `anchors`.
    kept: usize,
    /// The weight of what has been read so far, aliases expanded.
    weight: usize,
    /// The open nodes: the number of the anchor, 0 for none, and the weight when it was opened.
    open: Vec<(usize, usize)>,
}

/// A node that aliases may repeat, with what that costs.
struct Anchor {
    node: Node,
    weight: usize,
    height: usize,
}

impl Reader {
    fn new(limits: Limits) -> Self {
        let builder = Builder::new(limits);
        Self { builder, limits, anchors: HashMap::new(), kept: 0, weight: 0, open: Vec::new() }
    }

    fn scalar(&mut self, scalar: Scalar, anchor: usize, place: Place) -> Result<(), DocumentError> {
        let weight = weight_of(&scalar);
        self.weight += weight;
        let node = Node { value: NodeValue::Scalar(scalar), place };
        self.keep(anchor, weight, &node)?;
        if self.builder.awaits_key() {
            return self.key(node, place);
        }
        self.builder.count(1).map_err(|excess| excess.at(place))?;
        self.builder.attach(node);
        Ok(())
    }

    fn key(&mut self, node: Node, place: Place) -> Result<(), DocumentError> {
        let NodeValue::Scalar(scalar) = node.value else {
            return Err(key_is_no_scalar(place));
        };
        if scalar.style == Style::Plain && scalar.text == "<<" {
            let message = "the merge key `<<` is not allowed; write the members out, or quote the key if it is text";
            return Err(not_allowed(message, place));
        }
        self.builder.key(scalar.text, || place);
        Ok(())
    }

    fn open(&mut self, anchor: usize, place: Place) -> Result<(), DocumentError> {
        if self.builder.awaits_key() {
            return Err(key_is_no_scalar(place));
        }
        self.open.push((anchor, self.weight));
        self.weight += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), DocumentError> {
        let node = self.builder.close();
        let (anchor, before) = self.open.pop().unwrap_or_default();
        self.keep(anchor, self.weight - before, &node)?;
        self.builder.attach(node);
        Ok(())
    }

    /// Keeps a copy of a node that has an anchor.
    fn keep(&mut self, anchor: usize, weight: usize, node: &Node) -> Result<(), DocumentError> {
        if anchor == 0 {
            return Ok(());
        }
        self.kept = self.kept.saturating_add(weight);
        if self.kept > self.limits.nodes {
            let message = format!(
                "the nodes that have anchors are more than {} together (limit document-nodes)",
                self.limits.nodes
            );
            return Err(DocumentError::new(DocumentErrorKind::TooLarge, &message, node.place));
        }
        self.anchors.insert(anchor, Anchor { node: node.clone(), weight, height: height(node) });
        Ok(())
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), DocumentError> {
        // The parser knows the anchor, so a node that is not finished is still open.
        let Some(anchor) = self.anchors.get(&anchor) else {
            return Err(syntax("an alias may not stand inside the node that it names", place));
        };
        let (weight, height) = (anchor.weight, anchor.height);
        let checked = self.builder.count(weight).and_then(|()| self.builder.check_depth(height));
        checked.map_err(|excess| excess.at(place))?;
        self.weight += anchor.weight;
        let node = anchor.node.clone();
        if self.builder.awaits_key() {
            return self.key(node, place);
        }
        self.builder.attach(node);
        Ok(())
    }
}

fn key_is_no_scalar(place: Place) -> DocumentError {
    not_allowed("a key must be a scalar, not an array or an object", place)
}

/// What it costs to repeat a scalar: a node, and one more for every 64 bytes, since long texts fill memory too.
fn weight_of(scalar: &Scalar) -> usize {
    1 + scalar.text.len() / 64
}

/// How many arrays and objects stand inside each other here, this one included. The depth limit bounds the recursion.
fn height(node: &Node) -> usize {
    match &node.value {
        NodeValue::Scalar(_) => 0,
        NodeValue::Array(elements) => 1 + elements.iter().map(height).max().unwrap_or(0),
        NodeValue::Object(members) => 1 + members.iter().map(|member| height(&member.value)).max().unwrap_or(0),
    }
}
