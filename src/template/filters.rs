//! The filters and built-ins that expressions may use: this table, and nothing else.

mod compare;
mod pieces;
mod text;

use minijinja::Value;

use super::engine::{Bounds, Fault, text_of};
use super::error::TemplateErrorKind;
use super::freemarker::instead_of;
use super::scope::nearest;

/// A row of the table.
pub(super) struct Filter {
    /// Its name in minijinja.
    pub(super) id: &'static str,
    /// Its names behind `|`.
    jinja: &'static [&'static str],
    /// Its names behind `?`.
    freemarker: &'static [&'static str],
    /// How many arguments it takes, apart from the value before it.
    pub(super) arguments: &'static [usize],
    /// Whether its result may be missing, so that a default can follow.
    pub(super) open: bool,
    /// What it does.
    summary: &'static str,
    pub(super) run: fn(&Bounds, &[Value]) -> Result<Value, Fault>,
}

type Names = &'static [&'static str];
type Run = fn(&Bounds, &[Value]) -> Result<Value, Fault>;

const fn row(
    id: &'static str,
    jinja: Names,
    freemarker: Names,
    arguments: &'static [usize],
    run: Run,
    summary: &'static str,
) -> Filter {
    Filter { id, jinja, freemarker, arguments, open: false, summary, run }
}

const fn open(row: Filter) -> Filter {
    Filter { open: true, ..row }
}

/// An operator, or another function that only the grammar writes. No template can name it.
const fn inner(id: &'static str, run: Run) -> Filter {
    row(id, &[], &[], &[], run, "")
}

pub(super) static FILTERS: &[Filter] = &[
    row(
        "default",
        &["default", "d"],
        &[],
        &[0, 1],
        pieces::unchanged,
        "the value; where there is none, the argument or an empty text",
    ),
    row("upper", &["upper"], &["upper_case"], &[0], text::upper, "in upper case"),
    row("lower", &["lower"], &["lower_case"], &[0], text::lower, "in lower case"),
    row(
        "capitalize",
        &["capitalize"],
        &[],
        &[0],
        text::capitalize,
        "the first letter in upper case, the others in lower case",
    ),
    row(
        "title",
        &["title"],
        &["capitalize"],
        &[0],
        text::title,
        "the first letter of each word in upper case, the others in lower case",
    ),
    row("cap_first", &[], &["cap_first"], &[0], text::cap_first, "the first letter in upper case"),
    row("uncap_first", &[], &["uncap_first"], &[0], text::uncap_first, "the first letter in lower case"),
    row("trim", &["trim"], &["trim"], &[0], text::trim, "without white space at both ends"),
    row("replace", &["replace"], &["replace"], &[2], text::replace, "with each first argument replaced by the second"),
    row("indent", &["indent"], &[], &[1], text::indent, "with that many spaces before each line but the first"),
    row(
        "left_pad",
        &[],
        &["left_pad"],
        &[1, 2],
        text::left_pad,
        "filled up on the left, with spaces or the second argument",
    ),
    row(
        "right_pad",
        &[],
        &["right_pad"],
        &[1, 2],
        text::right_pad,
        "filled up on the right, with spaces or the second argument",
    ),
    row(
        "string",
        &["string"],
        &["string"],
        &[0, 2],
        text::string,
        "as a text; of a boolean, the first argument for true, the second for false",
    ),
    row("c", &[], &["c"], &[0], text::string, "a number or a boolean as programs write it"),
    row("int", &["int"], &["number"], &[0], text::number, "the text as a whole number"),
    row("html", &["escape", "e"], &["html"], &[0], text::html, "escaped for HTML"),
    row("xml", &[], &["xml"], &[0], text::xml, "escaped for XML"),
    row("urlencode", &["urlencode"], &["url_path"], &[0], text::url_path, "escaped for a URL; `/` stays"),
    row("url", &[], &["url"], &[0], text::url, "escaped for a URL, `/` as well"),
    row("length", &["length", "count"], &["length"], &[0], pieces::length, "how many characters, elements or members"),
    open(row("first", &["first"], &["first"], &[0], pieces::first, "the first character or element")),
    open(row("last", &["last"], &["last"], &[0], pieces::last, "the last character or element")),
    row("join", &["join"], &["join"], &[0, 1], pieces::join, "the elements as one text, the argument between them"),
    row("split", &["split"], &["split"], &[1], pieces::split, "the parts between the argument, as a list"),
    row("lines", &["lines"], &[], &[0], pieces::lines, "the lines, as a list"),
    row(
        "substring",
        &[],
        &["substring"],
        &[1, 2],
        pieces::substring,
        "from the first argument, counted from 0, up to before the second",
    ),
    row(
        "keep_before",
        &[],
        &["keep_before"],
        &[1],
        pieces::keep_before,
        "what stands before the argument; everything, where it is not found",
    ),
    row(
        "keep_after",
        &[],
        &["keep_after"],
        &[1],
        pieces::keep_after,
        "what stands behind the argument; nothing, where it is not found",
    ),
    row(
        "keep_before_last",
        &[],
        &["keep_before_last"],
        &[1],
        pieces::keep_before_last,
        "what stands before the last such argument",
    ),
    row(
        "keep_after_last",
        &[],
        &["keep_after_last"],
        &[1],
        pieces::keep_after_last,
        "what stands behind the last such argument",
    ),
    row(
        "remove_beginning",
        &[],
        &["remove_beginning"],
        &[1],
        pieces::remove_beginning,
        "without the argument at the beginning",
    ),
    row("remove_ending", &[], &["remove_ending"], &[1], pieces::remove_ending, "without the argument at the end"),
    row("contains", &[], &["contains"], &[1], compare::contains, "whether the argument stands in it"),
    row("starts_with", &[], &["starts_with"], &[1], compare::starts_with, "whether it begins with the argument"),
    row("ends_with", &[], &["ends_with"], &[1], compare::ends_with, "whether it ends with the argument"),
    row("then", &[], &["then"], &[2], compare::then, "the first argument where it is true, else the second"),
    open(inner("element", pieces::element)),
    inner("cut", pieces::cut),
    inner("required", pieces::unchanged),
    inner("condition", compare::condition),
    inner("add", compare::add),
    inner("subtract", compare::subtract),
    inner("equal", compare::equal),
    inner("unequal", compare::unequal),
    inner("less", compare::less),
    inner("at_most", compare::at_most),
    inner("greater", compare::greater),
    inner("at_least", compare::at_least),
    inner("within", compare::within),
    inner("not_within", compare::not_within),
];

/// Every filter and built-in that a template may use, as written (`|upper`, `?upper_case`), with what it makes of the
/// value before it.
///
/// ```
/// let filters: Vec<_> = mortise::template::filters().collect();
/// assert!(filters.contains(&("|upper".to_owned(), "in upper case")));
/// assert!(filters.contains(&("?upper_case".to_owned(), "in upper case")));
/// ```
pub fn filters() -> impl Iterator<Item = (String, &'static str)> {
    FILTERS.iter().flat_map(|filter| {
        let jinja = filter.jinja.iter().map(|name| format!("|{name}"));
        let freemarker = filter.freemarker.iter().map(|name| format!("?{name}"));
        jinja.chain(freemarker).map(|written| (written, filter.summary))
    })
}

/// The filter behind `|`.
pub(super) fn jinja(name: &str) -> Result<&'static Filter, (TemplateErrorKind, String)> {
    let names = |filter: &Filter| filter.jinja;
    let problem = match (find(name, names), find(name, |filter| filter.freemarker)) {
        (Some(filter), _) => return Ok(filter),
        (None, Some(other)) => match other.jinja.first() {
            Some(meant) => format!("there is no filter `{name}`; write `|{meant}`, or `?{name}`"),
            None => format!("there is no filter `{name}`; write `?{name}`"),
        },
        (None, None) => unknown("filter", '|', name, names),
    };
    Err((TemplateErrorKind::NotAllowed, problem))
}

/// The built-in behind `?`.
pub(super) fn freemarker(name: &str) -> Result<&'static Filter, (TemplateErrorKind, String)> {
    let names = |filter: &Filter| filter.freemarker;
    let problem = match (find(name, names), instead_of(name), find(name, |filter| filter.jinja)) {
        (Some(filter), _, _) => return Ok(filter),
        (None, Some(advice), _) => format!("`?{name}` is not read; {advice}"),
        (None, None, Some(_)) => format!("`?{name}` is not read; write `|{name}`"),
        (None, None, None) => unknown("built-in", '?', name, names),
    };
    Err((TemplateErrorKind::FreemarkerUnsupported, problem))
}

fn find(name: &str, names: fn(&Filter) -> Names) -> Option<&'static Filter> {
    FILTERS.iter().find(|filter| names(filter).contains(&name))
}

fn unknown(what: &str, mark: char, name: &str, names: fn(&Filter) -> Names) -> String {
    let mut known: Vec<&str> = FILTERS.iter().flat_map(names).copied().collect();
    known.sort_unstable();
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("there is no {what} `{name}`; did you mean `{mark}{near}`?"),
        None => format!("there is no {what} `{name}`; there are {}", known.join(", ")),
    }
}

/// The argument `index` as a text (0 is the value before the filter), its bytes counted as work.
fn text_at<'v>(bounds: &Bounds, values: &'v [Value], index: usize) -> Result<std::borrow::Cow<'v, str>, Fault> {
    let text = values.get(index).map_or(Ok("".into()), text_of)?;
    bounds.work(text.len())?;
    Ok(text)
}

/// The argument `index` as a whole number.
fn number_at(values: &[Value], index: usize) -> Result<i64, Fault> {
    match values.get(index) {
        Some(value) if value.is_number() => i64::try_from(value.clone()).ok(),
        _ => None,
    }
    .ok_or_else(|| Fault::wrong_type("a whole number is wanted here; `?number` reads one from a text".to_owned()))
}
