//! Queries and headers: read strictly, because a misspelt parameter would be ignored silently.

use std::collections::HashSet;

use actix_web::HttpRequest;
use percent_encoding::percent_decode_str;

use super::problem::Refusal;
use crate::app::App;
use crate::model::limits::PAGE_ITEMS;
use crate::model::{Code, TextRule};
use crate::reading::hint;

/// Query parameters in written order, decoded. Names are unique.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

/// Reserved names, which are never inputs, and refused where nothing reads them yet.
const RESERVED: [&str; 11] =
    ["dryRun", "wait", "lease", "draft", "at", "atRevision", "consistency", "strictImpact", "why", "success", "format"];

/// The default and the most of a list that is answered at once.
const PAGE: usize = 100;

impl Query {
    /// Reads the query of a request.
    ///
    /// # Errors
    /// Where it is not UTF-8 once decoded, or a parameter stands twice.
    pub fn of(request: &HttpRequest) -> Result<Self, Refusal> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        let mut names = HashSet::new();
        for pair in request.query_string().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if !names.insert(name.clone()) {
                return Err(Refusal::new(Code::InvalidQuery, format!("the parameter `{name}` stands twice")));
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    /// Refuses any parameter, for routes that have none.
    ///
    /// # Errors
    /// Where there is one.
    pub fn without(request: &HttpRequest) -> Result<(), Refusal> {
        Self::of(request)?.finish(&[])
    }

    /// Takes the value of a parameter out.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let index = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(index).1)
    }

    /// Takes a parameter that is `true` or `false`; a bare name is `true`.
    ///
    /// # Errors
    /// Where it is neither.
    pub fn take_flag(&mut self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.take(name).as_deref() {
            None => Ok(None),
            Some("true" | "") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(invalid(name, other, "true or false")),
        }
    }

    /// Takes `limit`.
    ///
    /// # Errors
    /// Where it is no number from 1 to 1,000.
    pub fn take_limit(&mut self) -> Result<usize, Refusal> {
        match self.take("limit") {
            None => Ok(PAGE),
            Some(written) => match written.parse() {
                Ok(limit @ 1..=PAGE_ITEMS) => Ok(limit),
                _ => Err(invalid("limit", &written, "a number from 1 to 1000")),
            },
        }
    }

    /// Takes a parameter that can be parsed; `what` says what it is.
    ///
    /// # Errors
    /// Where it cannot be parsed.
    pub fn take_parsed<T: std::str::FromStr>(&mut self, name: &str, what: &str) -> Result<Option<T>, Refusal> {
        let taken = self.take(name);
        taken.map(|written| written.parse().map_err(|_| invalid(name, &written, what))).transpose()
    }

    /// Takes a parameter that is one of a few words.
    ///
    /// # Errors
    /// Where it is none of them.
    pub fn take_choice<T: Copy>(&mut self, name: &str, values: &[(&str, T)]) -> Result<Option<T>, Refusal> {
        let Some(written) = self.take(name) else { return Ok(None) };
        let found = values.iter().find(|(word, _)| *word == written);
        let words = || values.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        found.map(|&(_, value)| Some(value)).ok_or_else(|| invalid(name, &written, &format!("one of {}", words())))
    }

    /// Refuses whatever was not taken; `known` are the parameters of the route.
    ///
    /// # Errors
    /// Where anything is left.
    pub fn finish(self, known: &[&str]) -> Result<(), Refusal> {
        self.refuse_reserved()?;
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => {
                let hint = hint(name, known.iter().copied());
                Err(Refusal::new(Code::InvalidQuery, format!("the parameter `{name}` is not known here{hint}")))
            }
        }
    }

    /// The same for a route that reads what is recorded: `consistency=strong` waits until everything is known that was recorded
    /// before, by whomever; `eventual`, the default, answers from what this process knows.
    ///
    /// # Errors
    /// Where anything is left, or the store does not answer.
    pub async fn finish_reading(mut self, known: &[&str], app: &App) -> Result<(), Refusal> {
        let is_strong = self.take_choice("consistency", &[("eventual", false), ("strong", true)])?;
        self.finish(known)?;
        if is_strong == Some(true) {
            app.catch_up().await?;
        }
        Ok(())
    }

    /// What is left, as inputs: their prefix `input.` may be left out.
    ///
    /// # Errors
    /// Where a reserved name is left that nothing reads yet.
    pub fn into_inputs(self) -> Result<Vec<(String, String)>, Refusal> {
        self.refuse_reserved()?;
        let strip =
            |(name, value): (String, String)| (name.strip_prefix("input.").map_or(name.clone(), str::to_owned), value);
        Ok(self.0.into_iter().map(strip).collect())
    }

    fn refuse_reserved(&self) -> Result<(), Refusal> {
        match self.0.iter().find(|(name, _)| RESERVED.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) => {
                let detail = format!(
                    "the parameter `{name}` is reserved, and not yet supported here; as an input write `input.{name}`"
                );
                Err(Refusal::new(Code::NotYetSupported, detail))
            }
        }
    }
}

fn decode(text: &str) -> Result<String, Refusal> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map(std::borrow::Cow::into_owned);
    decoded.map_err(|_| Refusal::new(Code::InvalidQuery, "the query is not UTF-8 once it is decoded"))
}

fn invalid(name: &str, written: &str, what: &str) -> Refusal {
    Refusal::new(Code::InvalidQuery, format!("the parameter `{name}` is {what}, but here is `{written}`"))
}

/// The value of a header, as text that keeps `rule`.
///
/// # Errors
/// Where it stands twice, is not UTF-8, or breaks the rule.
pub(super) fn header(request: &HttpRequest, name: &str, rule: TextRule) -> Result<Option<String>, Refusal> {
    let mut values = request.headers().get_all(name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::new(Code::Malformed, format!("the header {name} stands twice")));
    }
    let text = std::str::from_utf8(value.as_bytes())
        .map_err(|_| Refusal::new(Code::Malformed, format!("the header {name} is not UTF-8")))?;
    rule.check(text)
        .map_err(|error| Refusal::new(Code::Malformed, format!("the header {name} is not allowed: {error}")))?;
    Ok(Some(text.to_owned()))
}

/// Who asks. While there is no authentication, whoever the header names.
///
/// # Errors
/// Where the header cannot be read.
pub(super) fn actor(request: &HttpRequest) -> Result<Option<String>, Refusal> {
    header(request, "Mortise-Actor", TextRule::FilledValue)
}

/// A segment of the path, decoded.
///
/// # Errors
/// Where it is not UTF-8 once decoded.
pub(super) fn segment(request: &HttpRequest, name: &str) -> Result<String, Refusal> {
    let not_utf8 = |_| Refusal::new(Code::Malformed, "the path is not UTF-8 once it is decoded");
    // The framework replaces what is not UTF-8, so the path is looked at as it was sent.
    percent_decode_str(request.uri().path()).decode_utf8().map_err(not_utf8)?;
    let raw = request.match_info().query(name);
    percent_decode_str(raw).decode_utf8().map(std::borrow::Cow::into_owned).map_err(not_utf8)
}

/// An id in the path. One that is no UUID is that of nothing.
///
/// # Errors
/// 404 where it is none.
pub(super) fn id<T: std::str::FromStr>(request: &HttpRequest) -> Result<T, Refusal> {
    let written = segment(request, "id")?;
    written.parse().map_err(|_| Refusal::new(Code::NotFound, format!("`{written}` is no UUID, so nothing has this id")))
}
