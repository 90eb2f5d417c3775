//! Arbitrary documents, built from the words of specifications.

use mortise::document::Json;
use proptest::prelude::*;

/// The name of a field, or what may stand where a text does.
pub fn word() -> impl Strategy<Value = String> {
    let fields = "system name version environment instance description annotations provides requires deploymentSpec runtimeSpec \
        interface layer labels attributes selector scope quantifier resolution expand matches component key operator values value \
        min max artifactSpec artifactSpecs input idempotencyKey";
    let values = "server router In NotIn Exists InRange runtime deployment optional * + ? 1 0..1 2..1 [1,2) [2,1] ^1 1.10 true null \
        $name $$ $version ${input.a} ${input.a!} ${requires.a.matches[0].version} ${requires.b!} ${ } ü a b shop";
    let words: Vec<String> = fields.split_whitespace().chain(values.split_whitespace()).map(str::to_owned).collect();
    prop_oneof![8 => prop::sample::select(words), 1 => any::<String>(), 1 => Just(String::new())]
}

/// A tree of such words.
pub fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        prop::sample::select(vec!["0", "1", "-1", "1.10", "1e-3", "4294967296"])
            .prop_map(|number| Json::Number(number.into())),
        word().prop_map(Json::Text),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            prop::collection::vec((word(), inner), 0..6).prop_map(Json::Object),
        ]
    })
}
