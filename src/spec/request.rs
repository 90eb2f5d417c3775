//! The body of a start: one specification, a wrapped one, or a set.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::Specification;
use super::input::Inputs;
use super::specification::ReadContext;
use crate::document::{Document, Json, JsonText, Node, Pointer, Syntax};
use crate::model::limits::{FILTERED_BYTES, RECEIVED_SET_BYTES, RENDERED_SET_BYTES, SET_MEMBERS};
use crate::model::{ArtifactSpec, Code, Name, Section, TextRule};
use crate::reading::{At, Fields, Problems, Reader};

/// The form in which a start was posted. The answer has the same form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartForm {
    /// The bare specification; inputs come in the query.
    Bare,
    /// `{"artifactSpec": …, "input": …}`
    Wrapped,
    /// `{"artifactSpecs": […], …}`
    WrappedSet,
    /// A bare array of specifications.
    BareSet,
}

impl StartForm {
    /// Whether it is answered as a set.
    pub fn is_set(self) -> bool {
        matches!(self, Self::WrappedSet | Self::BareSet)
    }

    /// Whether inputs come in the query.
    pub fn is_bare(self) -> bool {
        matches!(self, Self::Bare | Self::BareSet)
    }

    /// The form of a document, told before anything in it is read.
    pub fn of(root: &Node) -> Self {
        if root.array().is_some() {
            Self::BareSet
        } else if root.get("artifactSpecs").is_some() {
            Self::WrappedSet
        } else if root.get("artifactSpec").is_some() {
            Self::Wrapped
        } else {
            Self::Bare
        }
    }
}

/// What was posted to start.
#[derive(Clone, Debug)]
pub struct StartDocument {
    /// The form in which it was posted.
    pub form: StartForm,
    /// The specifications, in order; at least one.
    pub members: Vec<Member>,
    /// The idempotency key of the body.
    pub idempotency_key: Option<String>,
}

/// One specification of a start.
#[derive(Clone, Debug)]
pub struct Member {
    /// The specification.
    pub specification: Specification,
    /// Its inputs, its own laid over the shared ones.
    pub inputs: Arc<Inputs>,
    /// The annotations of the attempt, its own laid over the shared ones.
    pub annotations: Arc<BTreeMap<Name, String>>,
    /// The specification as received: as posted where that was JSON, in the canonical form where it was YAML.
    pub received: JsonText,
}

impl StartDocument {
    /// Reads a start. `query` are the inputs of the query, which only bare forms may have.
    ///
    /// # Errors
    /// All [`Problems`] of all members.
    pub fn read(document: &Document, query: &Inputs, context: ReadContext<'_>) -> Result<Self, Problems> {
        let mut reader = Reader::new(document);
        let root = At::root("");
        let form = StartForm::of(&document.root);
        let mut start = Self { form, members: Vec::new(), idempotency_key: None };
        let shared = Shared { inputs: Arc::new(query.clone()), annotations: Arc::default(), context };
        match form {
            StartForm::Bare => start.members.extend(read_specification(&mut reader, &document.root, &root, &shared)),
            StartForm::BareSet => start.read_members(&mut reader, &document.root, &root, &shared),
            StartForm::Wrapped | StartForm::WrappedSet => {
                start.read_wrapped(&mut reader, &document.root, &root, context)
            }
        }
        if start.members.is_empty() && reader.problems.is_empty() {
            reader.problem(&root, Code::MissingField, "the set is empty; it needs at least one artifact specification");
        }
        start.render_beside(&mut reader.problems);
        reader.problems.or(start)
    }

    /// Where there are problems already, adds those that only rendering finds, so that all are reported at once. An input
    /// that is invalid stops it: every text that reads that input would fail too.
    fn render_beside(&self, problems: &mut Problems) {
        if problems.is_empty() || problems.as_slice().iter().any(|problem| problem.code == Code::InvalidInput) {
            return;
        }
        let work = Arc::new(AtomicUsize::new(FILTERED_BYTES));
        for member in &self.members {
            if problems.is_full() {
                return;
            }
            problems.extend(member.specification.render_with(&member.inputs, &work).err().unwrap_or_default());
        }
    }

    fn read_wrapped(&mut self, reader: &mut Reader, node: &Node, at: &At<'_>, context: ReadContext<'_>) {
        const FIELDS: [&str; 5] = ["artifactSpec", "artifactSpecs", "input", "annotations", "idempotencyKey"];
        let Some(fields) = reader.fields(node, at, "a start", &FIELDS) else { return };
        let shared = read_shared(reader, node, at, context);
        let key_at = at.key("idempotencyKey");
        self.idempotency_key = fields.get("idempotencyKey").and_then(|node| {
            let key = reader.checked_text(node, &key_at, TextRule::FilledValue, "the idempotency key");
            key.map(str::to_owned)
        });
        match (node.get("artifactSpec"), node.get("artifactSpecs")) {
            (Some(_), Some(_)) => {
                let message = "`artifactSpec` and `artifactSpecs` stand side by side; keep one of them";
                reader.problem(at, Code::ConflictingSpellings, message);
            }
            (Some(node), None) => {
                self.members.extend(read_specification(reader, node, &at.key("artifactSpec"), &shared))
            }
            (None, Some(node)) => self.read_members(reader, node, &at.key("artifactSpecs"), &shared),
            (None, None) => {}
        }
    }

    fn read_members(&mut self, reader: &mut Reader, node: &Node, at: &At<'_>, shared: &Shared<'_>) {
        let elements = reader.elements(node, at, "a set").unwrap_or_default();
        if elements.len() > SET_MEMBERS {
            let message = format!(
                "the set has {} members; at most {SET_MEMBERS} are allowed (limit set-members), so split it",
                elements.len()
            );
            return reader.problem(at, Code::TooLarge, message);
        }
        let (mut laid_over, shared_bytes) = (0, shared.bytes());
        for (index, element) in elements.iter().enumerate() {
            let at = at.index(index);
            let Some(specification) = element.get("artifactSpec") else {
                self.members.extend(read_specification(reader, element, &at, shared));
                continue;
            };
            if reader.fields(element, &at, "a member of a set", &["artifactSpec", "input", "annotations"]).is_none() {
                continue;
            }
            let own = read_shared(reader, element, &at, shared.context);
            if !own.is_empty() {
                laid_over += own.bytes() + shared_bytes;
                if laid_over > RECEIVED_SET_BYTES {
                    let message = format!(
                        "with this member the shared inputs and annotations, laid under those of the members, have more than {RECEIVED_SET_BYTES} bytes (limit received-set-bytes); split the set"
                    );
                    return reader.problem(&at, Code::TooLarge, message);
                }
            }
            let own = own.over(shared);
            self.members.extend(read_specification(reader, specification, &at.key("artifactSpec"), &own));
        }
    }

    /// Renders every member.
    ///
    /// # Errors
    /// All [`Problems`] of all members: of their texts, of slots that stand twice, of bounds on the whole.
    pub fn render(&self) -> Result<Vec<ArtifactSpec>, Problems> {
        let mut problems = Problems::default();
        let mut specs = Vec::with_capacity(self.members.len());
        let mut slots = HashMap::new();
        let (mut rendered, mut received) = (0, 0);
        let work = Arc::new(AtomicUsize::new(FILTERED_BYTES));
        for (index, member) in self.members.iter().enumerate() {
            let pointer = || member.specification.pointer();
            received += member.received.as_str().len() + member.inputs.bytes() + annotation_bytes(&member.annotations);
            if received > RECEIVED_SET_BYTES || problems.is_full() {
                let message = format!(
                    "with this member the set has more than {RECEIVED_SET_BYTES} bytes as it is stored with its inputs (limit received-set-bytes); split it"
                );
                problems.add(Code::TooLarge, pointer(), message);
                break;
            }
            let spec = match member.specification.render_with(&member.inputs, &work) {
                Ok(spec) => spec,
                Err(found) => {
                    problems.extend(found);
                    continue;
                }
            };
            rendered += spec.rendered_bytes;
            if rendered > RENDERED_SET_BYTES {
                let message = format!(
                    "with this member the set has more than {RENDERED_SET_BYTES} bytes once it is rendered (limit rendered-set-bytes); split it"
                );
                problems.add(Code::TooLarge, pointer(), message);
                break;
            }
            if let Some(first) = slots.insert(spec.slot.clone(), index) {
                let message = format!("{} stands in the set twice: here and as member {first}", spec.slot);
                problems.add(Code::DuplicateSlot, pointer(), message);
            }
            specs.push(spec);
        }
        problems.or(specs)
    }

    /// Where a member, or a require of it, stands in the document as posted.
    pub fn pointer_of(&self, member: usize, section: Section, require: Option<&Name>) -> Pointer {
        let specification = &self.members[member].specification;
        let requires = match section {
            Section::Requires => &specification.requires,
            Section::DeploymentSpec => &specification.deployment_spec,
        };
        let require = require.and_then(|require| requires.get(require));
        require.map_or_else(|| specification.pointer(), |require| require.pointer.clone())
    }

    /// What two starts under one idempotency key must have in common: the canonical specifications and their inputs, in
    /// order.
    pub fn comparable(&self) -> Json {
        comparable(
            self.form.is_set(),
            self.members.iter().map(|member| (member.specification.canonical(), member.inputs.as_json().clone())),
        )
    }
}

/// What [`StartDocument::comparable`] gives, made from the canonical specifications and the inputs.
fn comparable(set: bool, members: impl Iterator<Item = (Json, Json)>) -> Json {
    let members = members.map(|(mut specification, input)| {
        // Provides that are written as a map have no order, so their order is not compared.
        if let Json::Object(fields) = &mut specification
            && let Some((_, Json::Array(provides))) = fields.iter_mut().find(|(field, _)| field == "provides")
        {
            provides.sort_by_cached_key(ToString::to_string);
        }
        Json::Object(vec![("artifactSpec".to_owned(), specification), ("input".to_owned(), input)])
    });
    Json::Object(vec![("set".to_owned(), Json::Bool(set)), ("members".to_owned(), Json::Array(members.collect()))])
}

/// What [`StartDocument::comparable`] gave for a start that is recorded. It is made from what was stored: each
/// specification and its input as received.
///
/// # Errors
/// [`Problems`] where a stored specification cannot be read any more, because the settings have become stricter.
pub fn comparable_received<'a>(
    set: bool,
    received: impl IntoIterator<Item = (&'a JsonText, &'a JsonText)>,
    context: ReadContext<'_>,
) -> Result<Json, Problems> {
    let mut members = Vec::new();
    for (specification, input) in received {
        let document = Document { syntax: Syntax::Json, root: specification.to_node(), duplicates: Vec::new() };
        let mut reader = Reader::new(&document);
        let read = Specification::read(&mut reader, &document.root, &At::root(""), context);
        reader.problems.or(())?;
        members.extend(read.map(|specification| (specification.canonical(), input.to_json())));
    }
    Ok(comparable(set, members.into_iter()))
}

/// About how many bytes annotations have as JSON.
fn annotation_bytes(annotations: &BTreeMap<Name, String>) -> usize {
    annotations.iter().map(|(name, text)| name.as_str().len() + text.len() + 6).sum()
}

/// What the members of a request have in common.
struct Shared<'a> {
    inputs: Arc<Inputs>,
    annotations: Arc<BTreeMap<Name, String>>,
    context: ReadContext<'a>,
}

impl<'a> Shared<'a> {
    fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.annotations.is_empty()
    }

    /// About how many bytes they have as JSON.
    fn bytes(&self) -> usize {
        self.inputs.bytes() + annotation_bytes(&self.annotations)
    }

    /// These laid over what all members share. A member without inputs or annotations of its own has the shared ones.
    fn over(self, shared: &Shared<'a>) -> Self {
        let inputs = match self.inputs.is_empty() {
            true => shared.inputs.clone(),
            false => Arc::new(Inputs::clone(&shared.inputs).overlaid(&self.inputs)),
        };
        let annotations = match self.annotations.is_empty() {
            true => shared.annotations.clone(),
            false => {
                let both = shared.annotations.iter().chain(self.annotations.iter());
                Arc::new(both.map(|(name, text)| (name.clone(), text.clone())).collect())
            }
        };
        Self { inputs, annotations, context: self.context }
    }
}

fn read_shared<'a>(reader: &mut Reader, node: &Node, at: &At<'_>, context: ReadContext<'a>) -> Shared<'a> {
    let fields = Fields::of(node);
    let inputs = fields.get("input").and_then(|node| Inputs::read(reader, node, &at.key("input"))).unwrap_or_default();
    let annotations_at = at.key("annotations");
    let members = fields.get("annotations").and_then(|node| reader.members(node, &annotations_at, "annotations"));
    let mut annotations = BTreeMap::new();
    for member in members.unwrap_or_default() {
        let at = annotations_at.key(&member.key);
        let name = reader.check(&member.key, TextRule::Name, &at, "the name of an annotation");
        let text = reader.text(&member.value, &at, "an annotation");
        if let (true, Some(text)) = (name, text)
            && reader.check(text, TextRule::Free, &at, "the annotation")
        {
            annotations.insert(Name::of_checked(member.key.as_str().into()), text.to_owned());
        }
    }
    Shared { inputs: Arc::new(inputs), annotations: Arc::new(annotations), context }
}

fn read_specification(reader: &mut Reader, node: &Node, at: &At<'_>, shared: &Shared<'_>) -> Option<Member> {
    let specification = Specification::read(reader, node, at, shared.context)?;
    let received = match reader.syntax {
        Syntax::Json => JsonText::from(node),
        Syntax::Yaml => JsonText::from(&specification.canonical()),
    };
    Some(Member { specification, inputs: shared.inputs.clone(), annotations: shared.annotations.clone(), received })
}
