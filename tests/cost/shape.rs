//! Requests that may cost much: a shape is a few numbers, from which a body is written, always the same.

#![allow(dead_code, reason = "only the search changes shapes")]

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// What is posted or asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The body of a dry run.
    #[default]
    Start,
    /// The selector of a list.
    Selector,
    /// A statement that asks the graph.
    Statement,
    /// The body of a finish.
    Finish,
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// A shape of a request.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct Shape {
            /// What it is.
            pub kind: Kind,
            $($(#[$doc])* #[serde(skip_serializing_if = "is_zero")] pub $name: u32,)*
        }

        impl Shape {
            /// Its numbers, to be changed.
            pub fn numbers(&mut self) -> Vec<&mut u32> {
                vec![$(&mut self.$name),*]
            }
        }
    };
}

numbers! {
    /// Specifications of a set; 0 for one that is none.
    members,
    /// Requires that something meets, by their Interface.
    requires,
    /// Requires without an Interface that any number of Components meets.
    everything,
    /// Requires that nothing meets: the Interface is there, another version is asked for.
    unmet,
    /// Requires of an Interface that is spelled wrongly.
    misspelt_interfaces,
    /// Expressions of each require.
    expressions,
    /// Values of each expression.
    values,
    /// Whether these are texts, intervals or requirements.
    value_form,
    /// Whether the values stand in a negated expression.
    negated,
    /// Provides.
    provides,
    /// Labels of each Provide.
    labels,
    /// Attributes of each Provide that read an input.
    templates,
    /// Filters in each of these.
    filters,
    /// Attributes of each Provide that read a match.
    late,
    /// Attributes of each Provide that read an input that is not there.
    misspelt_inputs,
    /// Inputs.
    inputs,
    /// Bytes of each input.
    input_bytes,
    /// Entries of `deploymentSpec`.
    entries,
    /// Annotations.
    annotations,
    /// Levels of an attribute.
    depth,
    /// Parts of a statement.
    parts,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Shape {
    /// Which of its numbers are not 0, as bits: shapes that differ in this differ in kind.
    pub fn niche(&self) -> (Kind, u32) {
        let mut copy = self.clone();
        let bits = copy.numbers().into_iter().enumerate().map(|(bit, number)| u32::from(*number > 0) << bit).sum();
        (self.kind, bits)
    }

    /// What is sent.
    pub fn body(&self) -> String {
        match self.kind {
            Kind::Start => self.start(),
            Kind::Selector => self.selector(),
            Kind::Statement => self.statement(),
            Kind::Finish => self.finish(),
        }
    }

    fn start(&self) -> String {
        let inputs =
            list(self.inputs, |index| format!(r#""input{index}": "{}""#, "x".repeat(self.input_bytes.max(1) as usize)));
        let specs = list(self.members.max(1), |member| self.specification(member));
        let (open, close) = if self.members == 0 { ("\"artifactSpec\": ", "") } else { ("\"artifactSpecs\": [", "]") };
        format!("{{{open}{specs}{close}, \"input\": {{{inputs}}}}}")
    }

    fn specification(&self, member: u32) -> String {
        let requires = [
            list(self.requires, |index| {
                format!(
                    r#""need{index}": {{"interface": "interface-{index}", "quantifier": "*"{}}}"#,
                    self.asked(index)
                )
            }),
            list(self.everything, |index| {
                format!(r#""all{index}": {{"selector": [{}], "quantifier": "*"}}"#, self.expressed(index))
            }),
            list(self.unmet, |index| {
                format!(
                    r#""unmet{index}": {{"interface": "interface-{index}", "version": "[9{index},)"{}}}"#,
                    self.asked(index)
                )
            }),
            list(self.misspelt_interfaces, |index| {
                format!(r#""missing{index}": {{"interface": "interfase-{index}"}}"#)
            }),
        ];
        let requires: Vec<_> = requires.into_iter().filter(|part| !part.is_empty()).collect();
        let entries = list(self.entries, |index| {
            format!(r#""entry{index}": {{"selector": [{}], "quantifier": "*"}}"#, self.expressed(index))
        });
        let annotations = list(self.annotations, |index| format!(r#""note{index}": "n""#));
        let provides = list(self.provides, |index| self.provide(member, index));
        format!(
            r#"{{"system": "shop", "name": "cost-{member}", "version": "1", "environment": "test", "annotations": {{{annotations}}}, "provides": [{provides}], "requires": {{{}}}, "deploymentSpec": {{{entries}}}}}"#,
            requires.join(", ")
        )
    }

    fn asked(&self, index: u32) -> String {
        if self.expressions == 0 { String::new() } else { format!(r#", "selector": [{}]"#, self.expressed(index)) }
    }

    fn expressed(&self, require: u32) -> String {
        let expressions = list(self.expressions, |index| {
            let values = list(self.values, |value| match self.value_form % 3 {
                0 => format!("\"{value}.{index}\""),
                1 => format!("\"[{value}.1,{value}.2)\""),
                _ => format!("\"^{value}.{require}\""),
            });
            let operator = if self.negated == 0 { "In" } else { "NotIn" };
            format!(r#"{{"key": "version", "operator": "{operator}", "values": [{values}]}}"#)
        });
        if expressions.is_empty() { r#"{"key": "layer", "operator": "Exists"}"#.to_owned() } else { expressions }
    }

    fn provide(&self, member: u32, index: u32) -> String {
        let labels = list(self.labels, |label| format!(r#""label{label}": "v{label}""#));
        let filters = "|upper|trim".repeat(self.filters.min(20) as usize);
        let attributes = [
            list(self.templates, |at| format!(r#""t{at}": "${{input.input{}{filters}}}""#, at % self.inputs.max(1))),
            list(self.late, |at| {
                format!(r#""l{at}": "${{requires.need{}.matches[0].attributes.url!}}""#, at % self.requires.max(1))
            }),
            list(self.misspelt_inputs, |at| format!(r#""m{at}": "${{input.imput{at}}}""#)),
            list(self.depth.min(1), |_| {
                let depth = self.depth.min(60) as usize;
                format!(r#""deep": {}{}"#, "[".repeat(depth), "]".repeat(depth))
            }),
        ];
        let attributes: Vec<_> = attributes.into_iter().filter(|part| !part.is_empty()).collect();
        format!(
            r#"{{"interface": "cost-{member}-{index}", "layer": "server", "labels": {{{labels}}}, "attributes": {{{}}}}}"#,
            attributes.join(", ")
        )
    }

    fn selector(&self) -> String {
        let parts = list(self.parts.max(1), |part| {
            let values = list(self.values.max(1), |value| match self.value_form % 3 {
                0 => format!("{value}.{part}"),
                1 => format!("[{value}.1,{value}.2)"),
                _ => format!("^{value}.{part}"),
            });
            format!("version {} ({values})", if self.negated == 0 { "in" } else { "notin" })
        });
        parts.replace("), version", "),version")
    }

    fn statement(&self) -> String {
        let matches = list(self.parts.max(1), |part| format!("(a{part}:System {{name: 's'}})-[:OWNS]->(b{part})"));
        let conditions = (0..self.expressions).fold(String::new(), |mut text, index| {
            let joined = if index == 0 { " WHERE" } else { " AND" };
            write!(text, "{joined} a0.name <> 'x{index}'").expect("writing to a String cannot fail");
            text
        });
        let values = list(self.values, |value| format!("{value}"));
        let depth = self.depth.min(60) as usize;
        format!(
            "MATCH {matches}{conditions} RETURN {}a0.name{} AS n, [{values}] AS l",
            "(".repeat(depth),
            ")".repeat(depth)
        )
    }

    fn finish(&self) -> String {
        let provides = list(self.provides.max(1), |index| {
            let attributes = list(self.templates, |at| format!(r#""t{at}": "x""#));
            format!(r#"{{"interface": "cost-0-{index}", "layer": "server", "attributes": {{{attributes}}}}}"#)
        });
        format!(r#"{{"success": true, "artifactSpec": {{"provides": [{provides}]}}}}"#)
    }
}

fn list(count: u32, each: impl Fn(u32) -> String) -> String {
    (0..count).map(each).collect::<Vec<_>>().join(", ")
}
