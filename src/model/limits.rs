//! The bounds that hold for every request and that nobody can change. Those that can be changed are [`Settings`](super::Settings),
//! where they change answers, and flags of the server, where they do not. `GET /limits` lists all of them.

/// A bound that nobody can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name, for people to find it by.
    pub name: &'static str,
    /// How much is allowed.
    pub value: usize,
    /// Of what.
    pub unit: Unit,
    /// What it bounds.
    pub bounds: &'static str,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "each says it itself")]
pub enum Unit {
    Bytes,
    Count,
    Seconds,
    Comparisons,
}

macro_rules! limits {
    ($($constant:ident $name:literal $value:expr, $unit:ident, $bounds:literal;)*) => {
        $(#[doc = $bounds] pub const $constant: usize = $value;)*

        /// Every bound that nobody can change, in the order in which a request meets them.
        pub const FIXED: &[Limit] =
            &[$(Limit { name: $name, value: $value, unit: Unit::$unit, bounds: $bounds },)*];
    };
}

limits! {
    DOCUMENT_NODES "document-nodes" crate::document::NODES, Count, "Values of a document, its aliases expanded.";
    SET_MEMBERS "set-members" 1_000, Count, "Members of a set.";
    ASKED_ATTRIBUTES "asked-attributes" 1_000, Count, "Attributes that a require asks for by name.";
    NAME_BYTES "name-bytes" 253, Bytes, "A name, and the key of a label.";
    VALUE_BYTES "value-bytes" 1_024, Bytes, "A version, the value of a label, an instance, an actor and an idempotency key.";
    INPUT_VALUE_BYTES "input-value-bytes" 16 << 10, Bytes, "The value of an input.";
    TEMPLATE_BYTES "template-bytes" 16 << 10, Bytes, "A text that holds a template.";
    EXPRESSION_BYTES "expression-bytes" 256, Bytes, "What stands between `${` and `}`.";
    TEXT_BYTES "text-bytes" 64 << 10, Bytes, "Any text, before and after it is rendered.";
    FILTERED_BYTES "filtered-bytes" 32 << 20, Bytes, "What the filters of all templates of a request read and change.";
    RENDERED_BYTES "rendered-bytes" 1 << 20, Bytes, "The rendered texts and the attributes of a specification, and its late attributes.";
    RENDERED_SET_BYTES "rendered-set-bytes" 16 << 20, Bytes, "The rendered texts of a set.";
    RECEIVED_SET_BYTES "received-set-bytes" 32 << 20, Bytes, "A set with the inputs and annotations of each member, as it is stored.";
    PLAN_MATCHES "plan-matches" 10_000, Count, "Matches of all requires of a plan together.";
    PROBLEMS "problems" 1_000, Count, "Problems of a document that are told; a document with as many is not looked through to its end.";
    EXPLAINED_REQUIRES "explained-requires" 20, Count, "Requires that an explanation explains; the others are counted.";
    EXAMINED_CANDIDATES "examined-candidates" 10_000, Count, "Candidates that are examined to explain a require.";
    EXPLAINING_COMPARISONS "explaining-comparisons" 2_000_000, Comparisons, "What the explanation of a plan may take beside resolving it.";
    STALE_ADDED "stale-added" 1_000, Count, "Added matches of an attempt that are told as stale when it is finished.";
    STALE_BYTES "stale-bytes" 16 << 20, Bytes, "The values of an answer that are told as stale.";
    CORRECTED_BYTES "corrected-bytes" 1 << 20, Bytes, "The attributes of a Server, or of a Provide with what a finish corrects.";
    PAGE_ITEMS "page-items" 1_000, Count, "Items of a page of a list, by `limit`; without it 100.";
    LOOKED_AT "looked-at" 5_000, Count, "Things that are looked at for a page of a list; it may have fewer items then, and a `next`.";
    SHOWN_OF_A_THING "shown-of-a-thing" 100, Count, "What a thing shows of a list that belongs to it; a count tells of the rest.";
    QUESTIONS "questions" 4, Count, "Questions of the graph that are answered at once.";
}
