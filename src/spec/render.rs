//! Rendering: inputs into templates, defaults where nothing was said, and the one canonical form out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smol_str::SmolStr;

use super::Specification;
use super::input::Inputs;
use super::late::{LateContext, Renderer, Values};
use super::problem::Problems;
use super::provide::{AttributeTemplate, ProvideTemplate, reserved_label, unknown_layer};
use super::read::At;
use super::require::RequireTemplate;
use super::selector::{ExpressionTemplate, refusal};
use super::text::{TemplateText, Text};
use crate::document::Json;
use crate::model::version::VersionRange;
use crate::model::{
    ArtifactSpec, Code, Expression, Labels, Late, LateProblem, LateProblemKind, Layer, Name, Operator, Provide, Ready,
    Require, Selector, Slot, Test, Warning,
};

/// The most bytes that the rendered texts of a specification may have.
const RENDERED_BYTES: usize = 1 << 20;

impl Specification {
    /// Puts `inputs` into the templates and applies every default.
    ///
    /// # Errors
    /// All [`Problems`] of the texts, with pointers into the document as posted.
    pub fn render(&self, inputs: &Inputs) -> Result<ArtifactSpec, Problems> {
        let mut rendering = Rendering {
            problems: Problems::default(),
            warnings: self.warnings.clone(),
            values: Values::default(),
            bytes: 0,
        };
        rendering.values.set("input", inputs.as_json().clone());
        let spec = rendering.specification(self);
        if rendering.bytes > RENDERED_BYTES {
            let message = format!(
                "rendered, the specification has {} bytes; at most {RENDERED_BYTES} are allowed",
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
        })
    }

    /// Renders a field, and puts it into scope for what comes after it.
    fn field(&mut self, name: &'static str, text: &Text) -> Option<SmolStr> {
        let rendered = self.text(text, &At::root("").key(name))?;
        self.values.set(name, Json::Text(rendered.to_string()));
        Some(rendered)
    }

    /// Renders a text that stands at `canonical`; nothing more once there is too much.
    fn text(&mut self, text: &Text, canonical: &At<'_>) -> Option<SmolStr> {
        if self.bytes > RENDERED_BYTES {
            return None;
        }
        let rendered = match text {
            Text::Plain(plain) => plain.clone(),
            Text::Template(template) => {
                self.warn_of_dollar(template, canonical);
                text.render(&self.values.scope(), &mut self.problems)?
            }
        };
        self.bytes += rendered.len();
        Some(rendered)
    }

    fn warn_of_dollar(&mut self, template: &TemplateText, canonical: &At<'_>) {
        if template.has_dollar_escape() {
            let message = format!("`$$` in `{}` is read as a literal `$`", super::read::shorten(&template.written));
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
            let is = labels.get(key.as_str()).unwrap_or_default();
            match reserved_label(key.as_str(), is) {
                Some(message) if *is != *value => {
                    let pointer = written.pointer.join("labels").join(key.as_str());
                    self.problems.add(Code::ReservedLabel, pointer, message);
                }
                Some(_) => {}
                None => labels.set(key, value),
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
            return Some(Ready::Now(json.clone()));
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
        let scope = self.values.scope();
        let (problems, bytes) = (&mut self.problems, &mut self.bytes);
        let mut failed = false;
        let rendered = value.render::<std::convert::Infallible>(&mut |text| {
            let text = if *bytes > RENDERED_BYTES { None } else { text.render(&scope, problems) };
            failed |= text.is_none();
            let text = text.as_deref().unwrap_or_default().to_owned();
            *bytes += text.len();
            Ok(text)
        });
        let Ok(rendered) = rendered;
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

    fn requires(
        &mut self,
        written: &BTreeMap<Name, RequireTemplate>,
        section: &str,
        environment: Option<&Name>,
        late: &LateContext,
    ) -> Option<BTreeMap<Name, Require>> {
        let rendered: Vec<_> = written
            .iter()
            .map(|(name, require)| {
                let root = At::root("");
                let section_at = root.key(section);
                let canonical = section_at.key(name.as_str());
                let may_be_late = section == "deploymentSpec";
                Some((name.clone(), self.require(require, &canonical, environment, may_be_late.then_some(late))?))
            })
            .collect();
        rendered.into_iter().collect()
    }

    /// `late` is given where texts may read matches.
    fn require(
        &mut self,
        written: &RequireTemplate,
        canonical: &At<'_>,
        environment: Option<&Name>,
        late: Option<&LateContext>,
    ) -> Option<Require> {
        let interface = match &written.interface {
            Some(text) => self.text(text, &canonical.key("interface")).map(|name| Some(Name::of_checked(name))),
            None => Some(None),
        };
        let selector = self.selector(written, canonical, environment, late);
        let attributes = self.attribute_names(written, canonical, late);
        Some(Require {
            interface: interface?,
            selector: selector?,
            scope: written.scope,
            resolution: written.resolution,
            quantifier: written.quantifier,
            attributes: attributes?,
        })
    }

    fn selector(
        &mut self,
        written: &RequireTemplate,
        canonical: &At<'_>,
        environment: Option<&Name>,
        late: Option<&LateContext>,
    ) -> Option<Ready<Selector>> {
        let mut expressions = written.selector.0.clone();
        if let Some(version) = &written.version {
            let key = Name::of_checked("version".into());
            let pointer = written.pointer.join("version");
            expressions.push(ExpressionTemplate::Template {
                key,
                operator: Operator::In,
                values: vec![version.clone()],
                pointer,
            });
        }
        let shorthand = written.version.is_some().then(|| expressions.len() - 1);
        let default = self.default_environment(&expressions, canonical, environment);
        if let Some(late) = late.filter(|_| written_is_late(&written.selector.0)) {
            let mut templates = Vec::new();
            written.selector.each_text(&mut |text| templates.extend(text.template().cloned()));
            let selector_at = canonical.key("selector");
            for template in &templates {
                self.warn_of_dollar(template, &selector_at);
            }
            let posted_at = written.pointer.clone();
            let render = move |renderer: &mut Renderer<'_>| {
                let rendered = expressions.iter().map(|expression| late_expression(expression, renderer));
                let rendered = rendered.chain(default.clone().map(Ok)).collect::<Result<_, LateProblem>>();
                rendered.map(Selector)
            };
            let value: Arc<dyn Late<Selector>> =
                Arc::new(late.value(&templates, &posted_at, selector_at.pointer(), &mut self.problems, render));
            return Some(Ready::Late(value));
        }
        let rendered: Vec<_> = expressions
            .iter()
            .enumerate()
            .map(|(index, expression)| {
                self.expression(expression, &canonical.key("selector").index(index), Some(index) == shorthand)
            })
            .collect();
        let mut rendered: Vec<_> = rendered.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
        if rendered.is_empty() && shorthand.is_some() && written.interface.is_none() {
            let message =
                "a Require needs an interface or a selector; with the version `*` alone, everything would match";
            self.problems.add(Code::EmptyRequire, written.pointer.clone(), message);
        }
        for (index, expression) in rendered.iter().enumerate() {
            self.warn_of_text_like_range(expression, &canonical.key("selector").index(index));
        }
        rendered.extend(default);
        Some(Ready::Now(Selector(rendered)))
    }

    /// The default on `environment`, unless the selector says something about it.
    fn default_environment(
        &mut self,
        expressions: &[ExpressionTemplate],
        canonical: &At<'_>,
        environment: Option<&Name>,
    ) -> Option<Expression> {
        let mut replaced =
            expressions.iter().filter(|expression| expression.key().as_str() == "environment").peekable();
        if replaced.peek().is_none() {
            let key = Name::of_checked("environment".into());
            return environment.map(|environment| Expression::equals(key, environment.shared().clone()));
        }
        if !replaced.any(|expression| expression.operator() == Operator::In) {
            let message =
                "the selector says something about `environment` other than In, so other Environments may match";
            self.warnings.push(Warning::new(Code::EnvironmentDefaultReplaced, canonical.pointer(), message));
        }
        None
    }

    /// `Some(None)` for the shorthand `version: "*"`, which asks for nothing.
    fn expression(
        &mut self,
        written: &ExpressionTemplate,
        canonical: &At<'_>,
        is_shorthand: bool,
    ) -> Option<Option<Expression>> {
        match written {
            ExpressionTemplate::Known(expression) => Some(Some(expression.clone())),
            ExpressionTemplate::Template { key, operator, values, pointer } => {
                let values: Vec<_> = values.iter().map(|value| self.text(value, canonical)).collect();
                let values = values.into_iter().collect::<Option<Vec<_>>>()?;
                if is_shorthand && values.iter().all(|value| &**value == "*") {
                    return Some(None);
                }
                match Expression::new(key.clone(), *operator, values) {
                    Ok(expression) => Some(Some(expression)),
                    Err(error) => {
                        let (code, message) = refusal(&error);
                        self.problems.add(code, pointer.clone(), message);
                        None
                    }
                }
            }
        }
    }

    fn warn_of_text_like_range(&mut self, expression: &Expression, canonical: &At<'_>) {
        let texts = expression.tests().iter().filter_map(|test| match test {
            Test::Text(text) if VersionRange::looks_like(text) => Some(text),
            _ => None,
        });
        if expression.key().as_str() == "version" {
            return;
        }
        for text in texts {
            let key = expression.key();
            let message = format!(
                "`{text}` looks like a range, but on `{key}` it is compared as text; use InRange if a range is meant"
            );
            self.warnings.push(Warning::new(Code::LooksLikeRange, canonical.pointer(), message));
        }
    }

    fn attribute_names(
        &mut self,
        written: &RequireTemplate,
        canonical: &At<'_>,
        late: Option<&LateContext>,
    ) -> Option<Ready<Vec<String>>> {
        let pointer = canonical.key("attributes");
        if let Some(late) = late.filter(|_| written.attributes.iter().any(Text::is_late)) {
            let templates: Vec<_> = written.attributes.iter().filter_map(|text| text.template().cloned()).collect();
            for template in &templates {
                self.warn_of_dollar(template, &pointer);
            }
            let names = written.attributes.clone();
            let render = move |renderer: &mut Renderer<'_>| names.iter().map(|name| renderer.text(name)).collect();
            let posted_at = written.pointer.join("attributes");
            let value = late.value(&templates, &posted_at, pointer.pointer(), &mut self.problems, render);
            let value: Arc<dyn Late<Vec<String>>> = Arc::new(value);
            return Some(Ready::Late(value));
        }
        let names: Vec<_> = written.attributes.iter().map(|name| self.text(name, &pointer)).collect();
        let names = names.into_iter().map(|name| name.map(|name| name.to_string()));
        names.collect::<Option<_>>().map(Ready::Now)
    }
}

/// What the labels of a Provide are taken from.
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

fn written_is_late(expressions: &[ExpressionTemplate]) -> bool {
    expressions.iter().any(|expression| match expression {
        ExpressionTemplate::Known(_) => false,
        ExpressionTemplate::Template { values, .. } => values.iter().any(Text::is_late),
    })
}

fn late_expression(written: &ExpressionTemplate, renderer: &mut Renderer<'_>) -> Result<Expression, LateProblem> {
    match written {
        ExpressionTemplate::Known(expression) => Ok(expression.clone()),
        ExpressionTemplate::Template { key, operator, values, pointer } => {
            let values = values
                .iter()
                .map(|value| renderer.text(value).map(SmolStr::from))
                .collect::<Result<_, LateProblem>>()?;
            Expression::new(key.clone(), *operator, values).map_err(|error| {
                let (code, message) = refusal(&error);
                LateProblem { kind: LateProblemKind::Invalid(code), pointer: pointer.clone(), place: None, message }
            })
        }
    }
}

impl ExpressionTemplate {
    fn key(&self) -> &Name {
        match self {
            Self::Known(expression) => expression.key(),
            Self::Template { key, .. } => key,
        }
    }

    fn operator(&self) -> Operator {
        match self {
            Self::Known(expression) => expression.operator(),
            Self::Template { operator, .. } => *operator,
        }
    }
}
