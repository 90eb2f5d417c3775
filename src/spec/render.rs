//! Rendering: puts the inputs into the templates, and applies the defaults where nothing was written.

mod require;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use smol_str::SmolStr;

use super::Specification;
use super::input::Inputs;
use super::late::{LateContext, Renderer, Values};
use super::provide::{AttributeTemplate, ProvideTemplate, set_own_label, unknown_layer};
use super::text::{TemplateText, Text};
use crate::document::Json;
use crate::model::limits::{FILTERED_BYTES, RENDERED_BYTES};
use crate::model::{ArtifactSpec, Code, Labels, Late, Layer, Name, Provide, Ready, Slot, Warning};
use crate::reading::{At, Problems, shorten};

impl Specification {
    /// Puts `inputs` into the templates and applies every default.
    ///
    /// # Errors
    /// All [`Problems`] of the texts, with pointers into the document as posted.
    pub fn render(&self, inputs: &Inputs) -> Result<ArtifactSpec, Problems> {
        self.render_with(inputs, &Arc::new(AtomicUsize::new(FILTERED_BYTES)))
    }

    /// The same, its filters working with what is left of `work` for all specifications of a request.
    pub(super) fn render_with(&self, inputs: &Inputs, work: &Arc<AtomicUsize>) -> Result<ArtifactSpec, Problems> {
        let mut rendering = Rendering {
            problems: Problems::default(),
            warnings: self.warnings.clone(),
            values: Values::of(inputs, work.clone()),
            bytes: 0,
        };
        let spec = rendering.specification(self);
        if rendering.bytes > RENDERED_BYTES {
            let message = format!(
                "rendered, the specification has {} bytes; at most {RENDERED_BYTES} are allowed (limit rendered-bytes)",
                rendering.bytes
            );
            rendering.problems.add(Code::TooLarge, "", message);
        }
        let Rendering { problems, warnings, .. } = rendering;
        match (spec, problems.is_empty()) {
            (Some(spec), true) => Ok(ArtifactSpec { warnings, ..spec }),
            _ => Err(problems),
        }
    }
}

/// How many problems are told with a "did you mean", which takes long to find.
const HINTED: usize = 20;

struct Rendering {
    problems: Problems,
    warnings: Vec<Warning>,
    values: Values,
    bytes: usize,
}

impl Rendering {
    fn specification(&mut self, written: &Specification) -> Option<ArtifactSpec> {
        // In the order in which the fields come into scope.
        let system = self.field("system", &written.system);
        let name = self.field("name", &written.name);
        let version = self.field("version", &written.version);
        let environment = self.field("environment", &written.environment);
        let instance = self.field("instance", &written.instance);
        let description = written.description.as_ref().map(|text| self.field("description", text));
        let annotations = self.annotations(&written.annotations, &At::root(""));
        if let Some(annotations) = &annotations {
            let members = annotations.iter().map(|(name, text)| (name.as_str().to_owned(), Json::Text(text.clone())));
            self.values.set("annotations", Json::Object(members.collect()));
        }
        let known = written.requires.keys().cloned().collect::<BTreeSet<_>>();
        let late = LateContext { values: Arc::new(self.values.clone()), known: Arc::new(known) };
        let (system, name, version) = (system.map(Name::of_checked), name.map(Name::of_checked), version);
        let environment = environment.map(Name::of_checked);

        let own = Own {
            name: name.as_ref(),
            version: version.as_ref(),
            environment: environment.as_ref(),
            instance: instance.as_deref(),
        };
        let provides: Vec<_> = written
            .provides
            .iter()
            .enumerate()
            .map(|(index, provide)| self.provide(provide, index, &own, &late))
            .collect();
        let provides = provides.into_iter().collect::<Option<Vec<_>>>();
        self.check_unique(provides.as_deref().unwrap_or_default(), &written.provides);
        let requires = self.requires(&written.requires, "requires", environment.as_ref(), &late);
        let deployment_spec = self.requires(&written.deployment_spec, "deploymentSpec", environment.as_ref(), &late);
        Some(ArtifactSpec {
            system: system?,
            slot: Slot { artifact: name?, environment: environment?, instance: instance? },
            version: version?,
            description: match description {
                Some(text) => Some(text?.to_string()),
                None => None,
            },
            annotations: annotations?,
            provides: provides?,
            requires: requires?,
            deployment_spec: deployment_spec?,
            warnings: Vec::new(),
            rendered_bytes: self.bytes,
        })
    }

    /// Renders a field, and puts it into scope for the fields after it.
    fn field(&mut self, name: &'static str, text: &Text) -> Option<SmolStr> {
        let rendered = self.text(text, &At::root("").key(name));
        // A field that failed is put there too: it is a problem already, and texts that read it are not at fault.
        self.values.set(name, Json::Text(rendered.as_deref().unwrap_or_default().to_owned()));
        rendered
    }

    /// Renders a text that stands at `canonical`. Once too much has been rendered, or too much is wrong, it renders nothing more.
    fn text(&mut self, text: &Text, canonical: &At<'_>) -> Option<SmolStr> {
        if self.bytes > RENDERED_BYTES || self.problems.is_full() {
            return None;
        }
        let rendered = match text {
            Text::Plain(plain) => plain.clone(),
            Text::Template(template) => {
                self.warn_of_dollar(template, canonical);
                text.render(&self.values.scope().terse(self.problems.as_slice().len() >= HINTED), &mut self.problems)?
            }
        };
        self.bytes += rendered.len();
        Some(rendered)
    }

    fn warn_of_dollar(&mut self, template: &TemplateText, canonical: &At<'_>) {
        if template.has_dollar_escape() {
            let message = format!("`$$` in `{}` is read as a literal `$`", shorten(&template.written));
            self.warnings.push(Warning::new(Code::DollarEscape, canonical.pointer(), message));
        }
    }

    fn annotations(&mut self, written: &BTreeMap<Name, Text>, canonical: &At<'_>) -> Option<BTreeMap<Name, String>> {
        let rendered: Vec<_> = written
            .iter()
            .map(|(name, text)| {
                self.text(text, &canonical.key("annotations").key(name.as_str()))
                    .map(|text| (name.clone(), text.to_string()))
            })
            .collect();
        rendered.into_iter().collect()
    }

    fn provide(
        &mut self,
        written: &ProvideTemplate,
        index: usize,
        own: &Own<'_>,
        late: &LateContext,
    ) -> Option<Provide> {
        let root = At::root("");
        let provides = root.key("provides");
        let canonical = provides.index(index);
        let outer = self.values.clone();
        let interface = self.field("interface", &written.interface);
        let layer_text = self.field("layer", &written.layer);
        let layer = layer_text.as_deref().and_then(|text| {
            let layer = Layer::from_text(text);
            if layer.is_none() && written.layer.template().is_some() {
                self.problems.add(Code::UnknownValue, written.pointer.join("layer"), unknown_layer(text));
            }
            layer
        });
        let version = match &written.version {
            Some(version) => self.text(version, &canonical.key("version")),
            None => own.version.cloned(),
        };
        let interface = interface.map(Name::of_checked);
        let labels = self.labels(written, &canonical, own, interface.as_ref(), layer, version.as_ref());
        let inner = LateContext { values: Arc::new(self.values.clone()), known: late.known.clone() };
        let attributes: Vec<_> = written
            .attributes
            .iter()
            .map(|(name, value)| Some((name.clone(), self.attribute(name, value, &canonical, written, &inner)?)))
            .collect();
        let annotations = self.annotations(&written.annotations, &canonical);
        self.values = outer;
        Some(Provide {
            interface: interface?,
            layer: layer?,
            version: version?,
            labels: labels?,
            attributes: attributes.into_iter().collect::<Option<_>>()?,
            annotations: annotations?,
        })
    }

    /// The labels that Mortise sets, and the Provide's own.
    fn labels(
        &mut self,
        written: &ProvideTemplate,
        canonical: &At<'_>,
        own: &Own<'_>,
        interface: Option<&Name>,
        layer: Option<Layer>,
        version: Option<&SmolStr>,
    ) -> Option<Labels> {
        let rendered: Vec<_> = written
            .labels
            .iter()
            .map(|(key, text)| {
                self.text(text, &canonical.key("labels").key(key.as_str())).map(|text| (key.clone(), text))
            })
            .collect();
        let rendered = rendered.into_iter().collect::<Option<Vec<_>>>()?;
        let mut labels = own.labels(interface?, layer?, version?)?;
        for (key, value) in rendered {
            if let Err(message) = set_own_label(&mut labels, key.clone(), value) {
                let pointer = written.pointer.join("labels").join(key.as_str());
                self.problems.add(Code::ReservedLabel, pointer, message);
            }
        }
        Some(labels)
    }

    fn attribute(
        &mut self,
        name: &str,
        value: &AttributeTemplate,
        canonical: &At<'_>,
        written: &ProvideTemplate,
        late: &LateContext,
    ) -> Option<Ready<Json>> {
        if let AttributeTemplate::Known(json) = value {
            self.bytes += name.len() + json.bytes();
            return (self.bytes <= RENDERED_BYTES).then(|| Ready::Now(json.clone()));
        }
        let attributes = canonical.key("attributes");
        let canonical = attributes.key(name);
        let (mut templates, mut is_late) = (Vec::new(), false);
        value.each_text(&mut |text| {
            is_late |= text.is_late();
            templates.extend(text.template().cloned());
        });
        for template in &templates {
            self.warn_of_dollar(template, &canonical);
        }
        if is_late {
            let posted_at = written.pointer.join("attributes").join(name);
            let value = value.clone();
            let render = move |renderer: &mut Renderer<'_>| value.render(&mut |text| renderer.text(text));
            let late: Arc<dyn Late<Json>> =
                Arc::new(late.value(&templates, &posted_at, canonical.pointer(), &mut self.problems, render));
            return Some(Ready::Late(late));
        }
        let scope = self.values.scope().terse(self.problems.as_slice().len() >= HINTED);
        let (problems, bytes) = (&mut self.problems, &mut self.bytes);
        let (mut failed, before) = (false, *bytes);
        let rendered = value.render::<std::convert::Infallible>(&mut |text| {
            let is_over = *bytes > RENDERED_BYTES || problems.is_full();
            let text = if is_over { None } else { text.render(&scope, problems) };
            failed |= text.is_none();
            let text = text.as_deref().unwrap_or_default().to_owned();
            *bytes += text.len();
            Ok(text)
        });
        let Ok(rendered) = rendered;
        *bytes = before + name.len() + rendered.bytes();
        (!failed).then_some(Ready::Now(rendered))
    }

    fn check_unique(&mut self, provides: &[Provide], written: &[ProvideTemplate]) {
        let mut seen = BTreeSet::new();
        for (provide, written) in provides.iter().zip(written) {
            if !seen.insert((&provide.interface, provide.layer)) {
                let message =
                    format!("{} is provided twice in the layer {}; merge the two", provide.interface, provide.layer);
                self.problems.add(Code::DuplicateProvide, written.pointer.clone(), message);
            }
        }
    }
}

/// The fields of the specification from which the labels of its Provides are taken.
struct Own<'a> {
    name: Option<&'a Name>,
    version: Option<&'a SmolStr>,
    environment: Option<&'a Name>,
    instance: Option<&'a str>,
}

impl Own<'_> {
    /// The reserved labels; `None` where a field that they need could not be rendered.
    fn labels(&self, interface: &Name, layer: Layer, version: &SmolStr) -> Option<Labels> {
        let key = |key: &str| Name::of_checked(key.into());
        let mut labels = Labels::default();
        labels.set(key("interface"), interface.shared().clone());
        labels.set(key("name"), self.name?.shared().clone());
        labels.set(key("version"), version.clone());
        labels.set(key("environment"), self.environment?.shared().clone());
        labels.set(key("layer"), layer.as_str());
        if let Some(instance) = self.instance.filter(|instance| !instance.is_empty()) {
            labels.set(key("instance"), instance);
        }
        Some(labels)
    }
}
