//! A specification, canonical but not rendered.

use std::collections::BTreeMap;

use super::provide::{self, ProvideTemplate};
use super::require::{self, RequireTemplate};
use super::text::Text;
use crate::document::{Node, Pointer};
use crate::model::{Code, Name, Settings, TextRule, Warning};
use crate::reading::{At, Fields, Reader, shorten};

/// What the reading of a specification depends on besides the document.
#[derive(Clone, Copy, Debug)]
pub struct ReadContext<'a> {
    /// Dialect and limits.
    pub settings: &'a Settings,
}

/// An artifact specification in its canonical form; its texts are still templates.
#[derive(Clone, Debug)]
pub struct Specification {
    pub(super) system: Text,
    pub(super) name: Text,
    pub(super) version: Text,
    pub(super) environment: Text,
    pub(super) instance: Text,
    pub(super) description: Option<Text>,
    pub(super) annotations: BTreeMap<Name, Text>,
    pub(super) provides: Vec<ProvideTemplate>,
    pub(super) requires: BTreeMap<Name, RequireTemplate>,
    pub(super) deployment_spec: BTreeMap<Name, RequireTemplate>,
    /// Pointers are relative to the specification in its canonical form.
    pub(super) warnings: Vec<Warning>,
    /// In the document as posted.
    pub(super) pointer: Pointer,
}

/// An input that a specification reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputNeed {
    /// Its dotted name.
    pub name: String,
    /// Whether rendering fails without it.
    pub required: bool,
}

const FIELDS: [&str; 11] = [
    "system",
    "name",
    "version",
    "environment",
    "instance",
    "description",
    "annotations",
    "provides",
    "requires",
    "deploymentSpec",
    "runtimeSpec",
];

impl Specification {
    /// Reads the specification at `node`, and adds every problem to `reader`; `None` where a required part is missing or
    /// cannot be read.
    pub(super) fn read(reader: &mut Reader, node: &Node, at: &At<'_>, context: ReadContext<'_>) -> Option<Self> {
        let fields = reader.fields(node, at, "an artifact specification", &FIELDS)?;
        let mut warnings = Vec::new();
        let text = |reader: &mut Reader, field, rule, what| {
            fields.get(field).map(|node| Text::read(reader, node, &at.key(field), rule, what))
        };
        let system = text(reader, "system", TextRule::Name, "the system");
        let name = text(reader, "name", TextRule::Name, "the name");
        for (field, read) in [("system", &system), ("name", &name)] {
            if read.is_none() {
                reader.missing(at, field, "an artifact specification");
            }
        }
        let version = text(reader, "version", TextRule::FilledValue, "the version").unwrap_or_else(|| {
            let at = at.key("version");
            Some(Text::default_template("${input.version}", &at, TextRule::FilledValue, "the version"))
        });
        let environment = text(reader, "environment", TextRule::Name, "the environment").unwrap_or_else(|| {
            let at = at.key("environment");
            Some(Text::default_template("${input.environment}", &at, TextRule::Name, "the environment"))
        });
        let instance =
            text(reader, "instance", TextRule::Value, "the instance").unwrap_or_else(|| Some(Text::plain("")));
        let description = text(reader, "description", TextRule::Free, "the description").flatten();
        let annotations = read_annotations(reader, &fields, at);

        let (provides, requires) = Self::read_runtime(reader, &fields, at, context, &mut warnings);
        let deployment_at = at.key("deploymentSpec");
        let deployment_spec = fields.get("deploymentSpec").map_or_else(BTreeMap::new, |node| {
            require::read_deployment_spec(reader, node, &deployment_at, context, &mut warnings)
        });
        let count = requires.len() + deployment_spec.len();
        let max = context.settings.max_requires;
        if count > max as usize {
            reader.problem(
                at,
                Code::TooManyRequires,
                format!("there are {count} requires; at most {max} are allowed (the setting max-requires)"),
            );
        }
        Some(Self {
            system: system??,
            name: name??,
            version: version?,
            environment: environment?,
            instance: instance?,
            description,
            annotations,
            provides,
            requires,
            deployment_spec,
            warnings,
            pointer: at.pointer(),
        })
    }

    fn read_runtime(
        reader: &mut Reader,
        fields: &Fields<'_>,
        at: &At<'_>,
        context: ReadContext<'_>,
        warnings: &mut Vec<Warning>,
    ) -> (Vec<ProvideTemplate>, BTreeMap<Name, RequireTemplate>) {
        let inner_at = at.key("runtimeSpec");
        let runtime = match fields.get("runtimeSpec") {
            None => None,
            Some(node) => {
                for field in ["provides", "requires"].iter().filter(|field| fields.get(field).is_some()) {
                    let message = format!(
                        "`{field}` stands beside `runtimeSpec`, which is an older place for it; keep one of them"
                    );
                    reader.problem(&at.key(field), Code::ConflictingSpellings, message);
                }
                reader.fields(node, &inner_at, "a runtimeSpec", &["provides", "requires"])
            }
        };
        let (fields, at) = runtime.as_ref().map_or((fields, at), |runtime| (runtime, &inner_at));
        let provides_at = at.key("provides");
        let provides = fields
            .get("provides")
            .map_or_else(Vec::new, |node| provide::read_all(reader, node, &provides_at, warnings));
        let requires_at = at.key("requires");
        let requires = fields
            .get("requires")
            .map_or_else(BTreeMap::new, |node| require::read_requires(reader, node, &requires_at, context, warnings));
        (provides, requires)
    }

    /// How many requires and `deploymentSpec` entries it has.
    pub fn require_count(&self) -> usize {
        self.requires.len() + self.deployment_spec.len()
    }

    /// The warnings that can be given before it is rendered.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Where it stands in the document as posted.
    pub fn pointer(&self) -> Pointer {
        self.pointer.clone()
    }

    /// The inputs that the texts read, by name; each once, required where any text fails without it.
    pub fn input_needs(&self) -> Vec<InputNeed> {
        let mut needs: BTreeMap<String, bool> = BTreeMap::new();
        self.each_text(&mut |text| {
            let reads = text.template().map_or_else(Vec::new, |text| text.template.reads());
            for read in reads.iter().filter(|read| read.root() == "input" && read.segments.len() > 1) {
                let name = read.to_string();
                let name = name.strip_prefix("input.").unwrap_or(&name).to_owned();
                *needs.entry(name).or_default() |= read.required;
            }
        });
        needs.into_iter().map(|(name, required)| InputNeed { name, required }).collect()
    }

    /// Calls `visit` with every text that may be a template.
    pub(super) fn each_text(&self, visit: &mut dyn FnMut(&Text)) {
        for text in [&self.system, &self.name, &self.version, &self.environment, &self.instance] {
            visit(text);
        }
        self.description.iter().chain(self.annotations.values()).for_each(&mut *visit);
        for provide in &self.provides {
            provide.each_text(visit);
        }
        for require in self.requires.values().chain(self.deployment_spec.values()) {
            require.each_text(visit);
        }
    }
}

/// A map of texts under `annotations`.
pub(super) fn read_annotations(reader: &mut Reader, fields: &Fields<'_>, at: &At<'_>) -> BTreeMap<Name, Text> {
    let what = ("annotations", "the name of an annotation", "the annotation");
    fields
        .get("annotations")
        .map_or_else(BTreeMap::new, |node| Text::read_map(reader, node, &at.key("annotations"), TextRule::Free, what))
}

/// Warns where a field was posted that only answers have.
pub(super) fn warn_of_output(fields: &Fields<'_>, field: &str, canonical: &str, warnings: &mut Vec<Warning>) {
    if fields.get(field).is_some() {
        let message = format!("`{}` is set by Mortise, and is ignored here", shorten(field));
        warnings.push(Warning::new(Code::OutputFieldIgnored, format!("{canonical}/{field}"), message));
    }
}
