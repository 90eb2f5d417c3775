//! The functions that only compute: the same answer whoever asks, and nothing but the graph and the clock is read.

/// In lower case and in order. Left out: `id` and `elementId`, whose answers mean nothing elsewhere; `rand` and
/// `randomUUID`, which never answer twice the same; `file` and `linenumber`; all that reads a graph or a model elsewhere.
#[rustfmt::skip]
const ALLOWED: &[&str] = &[
    "abs", "acos", "all", "allshortestpaths", "any", "asin", "atan", "atan2", "avg", "ceil", "char_length",
    "character_length", "coalesce", "collect", "cos", "cot", "count", "date", "date.truncate", "datetime",
    "datetime.fromepoch", "datetime.fromepochmillis", "datetime.truncate", "degrees", "duration", "duration.between",
    "duration.indays", "duration.inmonths", "duration.inseconds", "e", "endnode", "exists", "exp", "floor", "haversin",
    "head", "isempty", "isnan", "keys", "labels", "last", "left", "length", "localdatetime", "localdatetime.truncate",
    "localtime", "localtime.truncate", "log", "log10", "lower", "ltrim", "max", "min", "nodes", "none", "nullif",
    "percentilecont", "percentiledisc", "pi", "properties", "radians", "range", "reduce", "relationships", "replace",
    "reverse", "right", "round", "rtrim", "shortestpath", "sign", "sin", "single", "size", "split", "sqrt", "startnode",
    "stdev", "stdevp", "substring", "sum", "tail", "tan", "time", "time.truncate", "timestamp", "toboolean",
    "tobooleanlist", "tobooleanornull", "tofloat", "tofloatlist", "tofloatornull", "tointeger", "tointegerlist",
    "tointegerornull", "tolower", "tostring", "tostringlist", "tostringornull", "toupper", "trim", "type", "upper",
];

/// Whether a function of this full name, namespace included and in any case, may be called.
pub(super) fn is_allowed(name: &str) -> bool {
    ALLOWED.binary_search(&name.to_ascii_lowercase().as_str()).is_ok()
}
