//! Rendering requires: every expression that applies, defaults included.

use std::collections::BTreeMap;
use std::sync::Arc;

use smol_str::SmolStr;

use super::super::late::{LateContext, Renderer};
use super::super::require::RequireTemplate;
use super::super::selector::{ExpressionTemplate, refusal};
use super::super::text::Text;
use super::Rendering;
use crate::model::version::VersionRange;
use crate::model::{
    Code, Expression, Late, LateProblem, LateProblemKind, Name, Operator, Ready, Require, Selector, Test, Warning,
};
use crate::reading::At;

impl Rendering {
    pub(super) fn requires(
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

    /// The default expression on `environment`; `None` where the selector has an expression on it.
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
                "the selector has an expression on `environment`, but none with In, so other Environments may match";
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
