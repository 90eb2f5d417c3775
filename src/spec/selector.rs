//! Selectors in every accepted spelling.

use smol_str::SmolStr;

use super::require::{read_attribute_names, read_quantifier};
use super::specification::{ReadContext, warn_of_output};
use super::text::Text;
use crate::document::{Member, Node, NodeValue, Pointer};
use crate::model::{Code, Expression, ExpressionError, Name, Operator, Quantifier, Selector, TextRule, Warning};
use crate::reading::{At, Fields, Reader, hint, shorten};

/// A selector whose values are still templates.
#[derive(Clone, Debug, Default)]
pub(super) struct SelectorTemplate(pub Vec<ExpressionTemplate>);

/// An expression whose values are still templates.
#[derive(Clone, Debug)]
pub(super) enum ExpressionTemplate {
    /// An expression without templates.
    Known(Expression),
    Template {
        key: Name,
        operator: Operator,
        values: Vec<Text>,
        pointer: Pointer,
    },
}

/// What a selector is read for.
#[derive(Clone, Copy)]
pub(super) struct SelectorUse<'a> {
    /// Where the require stands in the canonical form.
    pub canonical: &'a str,
    pub context: ReadContext<'a>,
}

/// A selector, with the quantifier and the attributes that stand beside it.
pub(super) struct ReadSelector {
    pub selector: SelectorTemplate,
    pub quantifier: Option<Quantifier>,
    pub attributes: Option<Vec<Text>>,
}

/// The fields of a selector written as an object; `expand` is an older spelling, `matches` a field of answers.
const FIELDS: [&str; 5] = ["selector", "quantifier", "attributes", "expand", "matches"];

/// Reads a selector: an array of expressions, `{selector, quantifier, attributes}`, or a flat map of equalities.
pub(super) fn read_selector(
    reader: &mut Reader,
    node: &Node,
    at: &At<'_>,
    used: SelectorUse<'_>,
    warnings: &mut Vec<Warning>,
) -> Option<ReadSelector> {
    match &node.value {
        NodeValue::Object(members) if !is_flat(members) => {
            let fields = reader.fields(node, at, "a Selector", &FIELDS)?;
            warn_of_output(&fields, "matches", used.canonical, warnings);
            let selector = fields.get("selector").map(|node| read_expressions(reader, node, &at.key("selector")));
            let dialect = used.context.settings.quantifier_dialect;
            Some(ReadSelector {
                selector: selector.unwrap_or_default(),
                quantifier: read_quantifier(reader, &fields, at, used.canonical, dialect, warnings),
                attributes: read_attribute_names(reader, &fields, at),
            })
        }
        NodeValue::Scalar(_) => {
            reader.expected(node, at, "a Selector is an array of expressions");
            None
        }
        _ => Some(ReadSelector { selector: read_expressions(reader, node, at), quantifier: None, attributes: None }),
    }
}

/// Whether an object is a flat map of equalities. It is not one, but a Selector written out, where all its keys are fields
/// of a Selector, or where such a field holds more than a text.
fn is_flat(members: &[Member]) -> bool {
    let is_field = |member: &Member| FIELDS.contains(&member.key.as_str());
    !members.iter().all(is_field) && !members.iter().any(|member| is_field(member) && member.value.scalar().is_none())
}

/// Reads an array of expressions, or a flat map of equalities.
fn read_expressions(reader: &mut Reader, node: &Node, at: &At<'_>) -> SelectorTemplate {
    let read: Vec<_> = match &node.value {
        NodeValue::Array(elements) => elements
            .iter()
            .enumerate()
            .filter_map(|(index, node)| read_expression(reader, node, &at.index(index)))
            .collect(),
        NodeValue::Object(members) if !members.is_empty() && !is_flat(members) => {
            reader.expected(node, at, "inside a Selector stands an array of expressions or a flat map");
            Vec::new()
        }
        NodeValue::Object(members) => members
            .iter()
            .filter_map(|member| {
                let at = at.key(&member.key);
                if member.value.scalar().is_none() {
                    let hint = hint(&member.key, FIELDS.into_iter().take(3));
                    let message = format!(
                        "`{}` stands in a flat selector, whose values are texts, but here is {}{hint}",
                        shorten(&member.key),
                        member.value.describe()
                    );
                    let code = if hint.is_empty() { Code::WrongType } else { Code::UnknownField };
                    reader.problem(&at, code, message);
                    return None;
                }
                let key = reader.key_name(&member.key, &at, "the key of an expression");
                let value = Text::read(reader, &member.value, &at, TextRule::Value, "the value");
                expression(reader, &at, key?, Operator::In, vec![value?])
            })
            .collect(),
        NodeValue::Scalar(_) => {
            reader.expected(node, at, "a selector is an array of expressions");
            Vec::new()
        }
    };
    SelectorTemplate(read)
}

/// Reads an array of expressions, or a flat map of equalities, in which nothing may be a template; `None` where something
/// is.
pub(crate) fn read_literal_selector(reader: &mut Reader, node: &Node, at: &At<'_>) -> Option<Selector> {
    let known = read_expressions(reader, node, at).0.into_iter().map(|expression| match expression {
        ExpressionTemplate::Known(expression) => Some(expression),
        ExpressionTemplate::Template { .. } => None,
    });
    known.collect::<Option<_>>().map(Selector)
}

fn read_expression(reader: &mut Reader, node: &Node, at: &At<'_>) -> Option<ExpressionTemplate> {
    let fields = reader.fields(node, at, "an expression", &["key", "operator", "values", "value"])?;
    let key = reader.required(&fields, at, "key", "an expression").and_then(|node| {
        let at = at.key("key");
        let key = reader.text(node, &at, "the key of an expression")?;
        reader.key_name(key, &at, "the key of an expression")
    });
    let operators = Operator::ALL.map(|operator| (operator.as_str(), operator));
    let operator = match fields.get("operator") {
        None => Some(Operator::In),
        Some(node) => reader.choice(node, &at.key("operator"), "operator", &operators),
    };
    let values = read_values(reader, &fields, at);
    let (key, operator) = (key?, operator?);
    let values = match values {
        Some(values) => values?,
        None if operator.takes_values() => {
            reader.missing(at, "values", &format!("the operator {operator}"));
            return None;
        }
        None => Vec::new(),
    };
    expression(reader, at, key, operator, values)
}

/// The values; `None` where there are none at all, `Some(None)` where they cannot be read.
fn read_values(reader: &mut Reader, fields: &Fields<'_>, at: &At<'_>) -> Option<Option<Vec<Text>>> {
    let read_all = |reader: &mut Reader, elements: &[Node], at: &At<'_>| {
        let values = elements.iter().enumerate();
        let read: Vec<_> =
            values.map(|(i, node)| Text::read(reader, node, &at.index(i), TextRule::Value, "the value")).collect();
        read.into_iter().collect::<Option<Vec<_>>>()
    };
    match (fields.get("values"), fields.get("value")) {
        (None, None) => None,
        (Some(_), Some(_)) => {
            let message = "`value` is an older spelling of `values`, which stands here too; keep one of them";
            reader.problem(&at.key("value"), Code::ConflictingSpellings, message);
            Some(None)
        }
        (Some(node), None) => {
            let at = at.key("values");
            let elements = reader.elements(node, &at, "values");
            Some(elements.and_then(|elements| read_all(reader, elements, &at)))
        }
        (None, Some(node)) => {
            let at = at.key("value");
            Some(match &node.value {
                NodeValue::Array(elements) => read_all(reader, elements, &at),
                _ => Text::read(reader, node, &at, TextRule::Value, "the value").map(|value| vec![value]),
            })
        }
    }
}

fn expression(
    reader: &mut Reader,
    at: &At<'_>,
    key: Name,
    operator: Operator,
    values: Vec<Text>,
) -> Option<ExpressionTemplate> {
    if values.iter().any(|value| value.template().is_some()) {
        return Some(ExpressionTemplate::Template { key, operator, values, pointer: at.pointer() });
    }
    let plain = values.iter().map(|value| SmolStr::new(value.written())).collect();
    match Expression::new(key, operator, plain) {
        Ok(expression) => Some(ExpressionTemplate::Known(expression)),
        Err(error) => {
            let (code, message) = refusal(&error);
            reader.problem(at, code, message);
            None
        }
    }
}

/// The code and the message for what is no expression.
pub(super) fn refusal(error: &ExpressionError) -> (Code, String) {
    match error {
        ExpressionError::UnexpectedValues(_) => (Code::WrongType, error.to_string()),
        ExpressionError::Range { .. } => (Code::InvalidRange, error.to_string()),
    }
}

impl SelectorTemplate {
    /// Calls `visit` with every text that may be a template.
    pub fn each_text(&self, visit: &mut dyn FnMut(&Text)) {
        for expression in &self.0 {
            if let ExpressionTemplate::Template { values, .. } = expression {
                values.iter().for_each(&mut *visit);
            }
        }
    }
}
