//! The one table of stable codes: of problems, of what is wrong in a document, and of warnings.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($variant:ident $code:literal $title:literal, $meaning:literal, $remedy:literal;)*) => {
        /// A stable code. Clients may rely on it: it never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as written.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// A short sentence that says what it is.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// What it means.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// What to do.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)* }
            }
        }
    };
}

codes! {
    // Problems: the `code` of an answer.
    Malformed "malformed" "the request cannot be read",
        "The body is no JSON or YAML, is not UTF-8, or a part of the request contradicts another part.",
        "Mend the place that the detail names.";
    InvalidQuery "invalid-query" "the query is not valid",
        "A query parameter is unknown, repeated, or has a value that cannot be read.",
        "Compare the parameter with the documentation of the route.";
    NotYetSupported "not-yet-supported" "this is reserved, and not yet supported",
        "The query parameter is reserved for a capability that this version does not have. It is refused rather than ignored.",
        "Leave the parameter out, or use a version that supports it.";
    UnsupportedMediaType "unsupported-media-type" "the content type is not supported",
        "Bodies are read as JSON or YAML.",
        "Send application/json, application/yaml, text/yaml or application/x-yaml.";
    PayloadTooLarge "payload-too-large" "the body is too large",
        "A specification may have 1 MiB, a set 16 MiB, unless the server is configured otherwise.",
        "Move large values out of the specification, or split the set.";
    InvalidSpecification "invalid-specification" "the specification is not valid",
        "The document can be read, but is no valid specification. All problems are listed, each with a JSON Pointer.",
        "Mend every listed problem; `mortise check -f` finds them without a server.";
    NotDeployable "not-deployable" "what the specification requires is not there",
        "At least one require is not met, or is ambiguous. Nothing was recorded, locked or numbered.",
        "Read the explanation in `plan`: it has the nearest candidates and the fixes for each unmet require.";
    Undecided "undecided" "policy does not let this be decided",
        "The Environment has never had a successful deployment, and its policy refuses to decide its first.",
        "Check that the Environment is the one you mean; set its `firstDeployment` to `allow` or `warn`.";
    PlanTooLarge "plan-too-large" "the plan would be too large",
        "The matches of its requires would be more than 10,000, or be shown with more bytes than the setting max-plan-bytes allows, or finding them would take more comparisons than max-comparisons. It was given up before it was built; nothing was recorded.",
        "Name in `attributes` what is needed of each match, narrow the selectors, or split the set; `mortise settings set` raises the limits.";
    DeploymentPending "deployment-pending" "another attempt holds the slot",
        "An attempt on the same Artifact, Environment and instance is open. In a warning: a real start would be refused for it.",
        "Wait until it is finished, or finish it.";
    IdempotencyKeyReused "idempotency-key-reused" "the idempotency key stands for another request",
        "A start was recorded under this key, with another specification, input or options.",
        "Use one key for each CI attempt.";
    ArtifactOwnedElsewhere "artifact-owned-elsewhere" "the artifact belongs to another System",
        "An Artifact's name is unique in the whole CMDB, and an attempt of it has succeeded under another System.",
        "Post it under its System, or give it another name.";
    AlreadyFinished "already-finished" "the attempt ended otherwise",
        "The attempt was finished before, with another outcome.",
        "Read the recorded outcome; start a new attempt if there is something new to record.";
    LeaseLost "lease-lost" "the lease is not yours",
        "The token is not the one that this attempt was opened with, or the setting demands one and none was sent.",
        "Stop, and look at who holds the slot now before doing anything more.";
    NotFound "not-found" "there is no such thing",
        "Nothing is known under this name, id or address.",
        "Check the spelling; the detail names the nearest known name.";
    Gone "gone" "it was deleted",
        "It was there once, and was deleted.",
        "Look for its successor.";
    MethodNotAllowed "method-not-allowed" "the method is not allowed here",
        "The address exists, but not with this method.",
        "Use one of the methods in the header Allow.";
    CrossSiteRequest "cross-site-request" "a page of another site sent it",
        "What writes is taken only from pages of this server and from clients that are no browsers. `Sec-Fetch-Site` or `Origin` names another site.",
        "Send it from a program, or from a page that this server serves; behind a proxy start the server with --allowed-host.";
    UnknownHost "unknown-host" "the server is not known under this name",
        "A server on loopback is asked as localhost: any other name in `Host` may have been pointed here by somebody else.",
        "Ask it as localhost, or start it with --allowed-host and the name.";
    RequestTimeout "request-timeout" "the request did not arrive in time",
        "The client sent its request too slowly.",
        "Send it again.";
    ServerInUse "server-in-use" "couplings point at the Server",
        "Environment, interface or layer of a Server cannot change while something is coupled to it.",
        "Declare a new Server under another name, and withdraw this one when nothing uses it any more.";
    InvalidServer "invalid-server" "the declaration of the Server is not valid",
        "The document can be read, but declares no valid Server. All problems are listed.",
        "Mend every listed problem.";
    InvalidEnvironment "invalid-environment" "the document for the Environment is not valid",
        "The document can be read, but sets nothing valid. All problems are listed.",
        "Mend every listed problem.";
    InvalidFinish "invalid-finish" "the report of the end is not valid",
        "The document can be read, but it reports no end of this attempt. All problems are listed.",
        "Mend every listed problem; `{\"success\": true}` is enough.";
    QueryRefused "query-refused" "the statement is not sent to the graph",
        "It may do something else than read, or read what nobody may; or the embedded engine might answer it wrongly. `clause`, `line` and `column` say what is refused.",
        "Write what the detail says instead; a server on Neo4j answers some statements that the embedded engine must not.";
    InvalidGraphQuery "invalid-graph-query" "the question of the graph is not valid",
        "The document has other fields than `query` and `parameters`, or the engine cannot read the statement, or a parameter is missing or of the wrong type.",
        "Mend what the detail says; `schema/graph.cypher` describes the graph.";
    Unavailable "unavailable" "the store cannot be written or read now",
        "Nothing was recorded. The request may be sent again.",
        "Try again after the time in Retry-After.";
    Overloaded "overloaded" "the server has too much to do",
        "So many requests that take long are waiting that this one was not begun. Smaller requests are answered meanwhile.",
        "Send it again after the time in Retry-After, or make it smaller.";
    Damaged "damaged" "a part of the history is damaged",
        "What is asked for stands in changes that are not as they were written. Everything else is answered and recorded as ever.",
        "Restore a backup, or import an export into an empty store; the detail names the changes.";
    OutcomeUnknown "outcome-unknown" "it is not known whether it was recorded",
        "The store failed while the change was being recorded, and has not told yet whether it took it. The problem names the plan.",
        "Ask for the plan once the store answers again: a plan that is known then was recorded. Or repeat the request under its idempotency key.";
    Internal "internal" "the server is at fault",
        "Something that cannot happen did happen. Nothing was recorded.",
        "Report it, with the value of `instance`.";

    // What is wrong in a document: the `code` of an element of `problems`.
    UnknownField "unknown-field" "the field is not known",
        "Fields that nothing reads are refused, because a misspelt one would be ignored silently.",
        "Use the field that the message names, or remove it.";
    MissingField "missing-field" "a field is missing",
        "The field is required.",
        "Add it.";
    DuplicateKey "duplicate-key" "a key stands twice",
        "The same key stands twice in one object; neither can be meant to win.",
        "Remove one of them.";
    WrongType "wrong-type" "the value has the wrong type",
        "Another type of value is expected here.",
        "Write the type that the message names; quote numbers where text is meant.";
    InvalidText "invalid-text" "the text is not allowed here",
        "Names have 1 to 253 bytes, versions and label values up to 1,024, other texts up to 64 KiB; control characters are refused, and in names, versions and labels whatever is not seen.",
        "Shorten it or remove the character that the message names.";
    UnknownValue "unknown-value" "the value is none of those allowed",
        "Only a few values are allowed here.",
        "Use one of those that the message lists.";
    ConflictingSpellings "conflicting-spellings" "the same thing is said twice",
        "Two accepted spellings of one thing stand side by side.",
        "Keep one of them.";
    InvalidRange "invalid-range" "the version range is not valid",
        "A range is one Maven interval, such as [1.0,2.0), or a semver requirement, such as ^1.2.",
        "Mend it as the message says.";
    InvalidQuantifier "invalid-quantifier" "the quantifier is not valid",
        "A quantifier is a number, `2..4`, `1..*`, `*`, `+`, `?` or {min, max}.",
        "Prefer the spellings with `..`, which everybody reads alike.";
    EmptyRequire "empty-require" "the require asks for nothing",
        "A require needs an interface or a selector; without both, everything would match.",
        "Name the interface.";
    ReservedLabel "reserved-label" "the label is set by Mortise",
        "interface, name, version, environment, layer and instance are labels that Mortise sets itself.",
        "Remove the label, or set the field that it is taken from.";
    DuplicateProvide "duplicate-provide" "the same Interface is provided twice in one layer",
        "(interface, layer) is unique in a specification.",
        "Merge the two, or give one another interface or layer.";
    DuplicateSlot "duplicate-slot" "the same slot stands twice in a set",
        "Two members of a set go to the same Artifact, Environment and instance.",
        "Give them different instances, or remove one.";
    TooManyRequires "too-many-requires" "there are too many requires",
        "The number of requires of one specification is limited by configuration.",
        "Split the specification.";
    TooDeep "too-deep" "the document is nested too deeply",
        "The nesting of a document is limited by configuration, 64 by default.",
        "Flatten the document.";
    TooLarge "too-large" "the document grows too large",
        "With its aliases expanded or its templates rendered, the document passes a limit.",
        "Make it smaller.";
    YamlNotAllowed "yaml-not-allowed" "this part of YAML is not allowed",
        "Merge keys, tags other than !!str, and keys that are no scalars are refused.",
        "Write it out.";
    InvalidInput "invalid-input" "the input is not valid",
        "Inputs are text, integers, booleans, and nested maps of these.",
        "Write the value as text.";
    TemplateSyntax "template-syntax" "the template cannot be read",
        "The text between `${` and `}` is no expression.",
        "Mend it at the line and column given; `$$` is a literal dollar.";
    TemplateUndefined "template-undefined" "the template reads what is not defined",
        "Nothing is known under the name that the template reads.",
        "Pass the input, mend the name, or give a default: ${input.region!\"eu\"}.";
    TemplateNotAllowed "template-not-allowed" "this is not allowed in a template, or no template is allowed here",
        "Only values, a list of filters and everyday FreeMarker forms are allowed; keys, require names and quantifiers are never templates.",
        "Use a form that the message names.";
    TemplateUnsupported "template-unsupported" "this form of FreeMarker is not supported",
        "Only the everyday forms of FreeMarker are read.",
        "Use the form that the message names.";
    TemplateTooLong "template-too-long" "the template passes a limit",
        "A template may have 16 KiB, an expression 256 bytes, a rendered text 64 KiB.",
        "Make it shorter.";
    TemplateType "template-type" "the template uses a value of the wrong type",
        "The value read is no text, number or boolean, or a filter cannot take it.",
        "Read a single value.";
    LateCycle "late-cycle" "attributes read each other in a ring",
        "Attributes that read matches wait for the attributes of what was matched; here they wait for each other.",
        "Break the ring: give one of them a value that reads no match.";

    // Verdicts: the `kind` of an element of `unmet`, where it is a code of its own.
    UndefinedMatch "undefined-match" "a text reads a match that is not there",
        "The require is known, but it has no such match, or the match no such attribute.",
        "Make the require mandatory, ask for the attribute, or give a default.";
    TooManyMatches "too-many-matches" "more Components match than a require may have",
        "The number of matches of one require is limited by the setting max-matches.",
        "Narrow the selector.";

    // Warnings.
    QuantifierDialect "quantifier-dialect" "a bare + or ? is read by the server's dialect",
        "The specification's table reads + as zero or one and ? as one or more; regular expressions read them the other way round.",
        "Write 0..1 or 1..*.";
    LooksLikeRange "looks-like-range" "the text looks like a version range",
        "On this key the value is compared as text, although it looks like a range.",
        "Use the operator InRange if a range is meant.";
    RangeNotJudged "range-not-judged" "the range says nothing about this version",
        "A semver requirement judges only versions that are semver; on others it is false.",
        "Use a Maven interval, such as [1.0,2.0).";
    EnvironmentDefaultReplaced "environment-default-replaced" "other Environments may match",
        "The selector says something about `environment` other than In, so the default, the specification's own, does not apply.",
        "Add an expression environment In [...] if only one is meant.";
    OptionalUnmatched "optional-unmatched" "an optional require matched nothing",
        "The require may stay unmatched, and is.",
        "If it should have matched, the message has the nearest candidate.";
    AttributeMissing "attribute-missing" "a match lacks an attribute that was asked for",
        "The Component that was matched does not have the attribute.",
        "Check the name against what the provider publishes.";
    DollarEscape "dollar-escape" "$$ was read as a literal dollar",
        "In templates $$ stands for $.",
        "Nothing, if that was meant.";
    OutputFieldIgnored "output-field-ignored" "a field of answers was posted",
        "`component` and `matches` are set by Mortise; posted, they are ignored.",
        "Remove the field.";
    FirstDeployment "first-deployment" "nothing was ever deployed to this Environment with success",
        "Either it is new, or its name is misspelt.",
        "Check the name of the Environment.";
    LeaseExpired "lease-expired" "the lease had expired",
        "The attempt was finished after its lease had expired; it is recorded all the same, because nobody had opened the slot since.",
        "Send heartbeats, or ask for a longer lease.";
    StaleTruncated "stale-truncated" "more may have changed than is listed",
        "When the attempt was finished, more Components may have matched than `stale` lists: it has room for 1,000 that were added and for values of 16 MiB, and looking for them may take no more comparisons than the setting max-comparisons.",
        "Look at what matches now with a dry run of the same specification.";
    MatchNotAsItWas "match-not-as-it-was" "the values of matches are those of today",
        "A change that wrote a match of this plan is damaged, so that its values are shown as they are now.",
        "Restore a backup, or import an export into an empty store; what was finished is recorded all the same.";
    ProviderUnfinished "provider-unfinished" "a member was finished before one that it needs",
        "The set has a member that provides what this one requires, and that one is still open.",
        "Finish providers first.";
}

impl Code {
    /// Reads a code.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_text(&text).ok_or_else(|| serde::de::Error::custom(format_args!("`{text}` is no known code")))
    }
}
