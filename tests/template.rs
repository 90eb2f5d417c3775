//! What string templates read, print and refuse.

use mortise::document::Json;
use mortise::template::TemplateErrorKind::{FreemarkerUnsupported, NotAllowed, Syntax, TooLong, Type, Undefined};
use mortise::template::{Limits, Scope, Segment, Template, TemplateError, TemplateErrorKind, filters, holds_template};
use proptest::prelude::*;

const WORLD: &str = r#"{
  "version": "1.10", "environment": "test", "layer": "server", "name": "shop/api", "system": "Shop",
  "interface": "http", "instance": "",
  "input": {
    "version": "1.10", "region": "eu-west", "empty": "", "replicas": 3, "canary": true, "flag": "false", "digits": "42",
    "my-db": "orders", "odd \"key\"": "quoted", "tags": ["a", "b", "c"], "ratio": 1.10, "big": 12345678901234567890,
    "nothing": null, "db": {"host": "db1", "test": "t1"}, "evil": "${input.region} $version $$", "größe": "XL",
    "word": "fooBar baz", "markup": "<a href='x'>\"&\"</a>", "path": "a b/ü"
  },
  "requires": {
    "db": {"matches": [{"attributes": {"url": "jdbc:x", "port": 5432, "none": null}}]},
    "my-queue": {"matches": []}
  }
}"#;

fn world() -> Json {
    Json::parse(WORLD).unwrap()
}

fn scope(world: &Json) -> Scope<'_> {
    let Json::Object(members) = world else { panic!("the world is an object") };
    members.iter().fold(Scope::new(), |scope, (name, value)| scope.with(name, value))
}

fn rendered(text: &str) -> Result<String, TemplateError> {
    let limits = Limits::default();
    Template::parse(text, &limits)?.render(&scope(&world()), &limits)
}

#[track_caller]
fn prints(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(rendered(text).as_deref(), Ok(*expected), "{text}");
    }
}

#[track_caller]
fn refuses(kind: TemplateErrorKind, texts: &[&str]) {
    for text in texts {
        let error = rendered(text).expect_err(text);
        assert_eq!(error.kind, kind, "{text}: {error}");
        assert!(!error.message.ends_with('.') && !error.message.is_empty(), "{text}: {error}");
    }
}

/// Refused before any value is known.
#[track_caller]
fn does_not_parse(kind: TemplateErrorKind, texts: &[&str]) {
    for text in texts {
        let error = Template::parse(text, &Limits::default()).expect_err(text);
        assert_eq!(error.kind, kind, "{text}: {error}");
    }
}

#[track_caller]
fn says(text: &str, message: &str) {
    let error = rendered(text).expect_err(text);
    assert!(error.message.contains(message), "{text}: {error}");
}

#[test]
fn a_path_is_replaced_by_its_value() {
    prints(&[
        ("v${input.version}", "v1.10"),
        ("${ input.version }", "1.10"),
        ("${\n input . version\r\n}", "1.10"),
        ("${version}-${layer}", "1.10-server"),
        ("${input[\"my-db\"]} ${input['my-db']}", "orders orders"),
        (r#"${input["odd \"key\""]}"#, "quoted"),
        ("${requires.db.matches[0].attributes.url}", "jdbc:x"),
        ("${requires.db.matches[-1].attributes.port}", "5432"),
        ("${input.db[environment]}", "t1"),
        ("${input.tags[1]}", "b"),
        ("${input.größe}", "XL"),
        ("${input.empty}", ""),
    ]);
}

#[test]
fn numbers_print_as_written_and_booleans_in_lower_case() {
    prints(&[
        ("${input.ratio} ${input.big} ${input.replicas} ${input.canary}", "1.10 12345678901234567890 3 true"),
        (
            "${input.ratio!1} ${input.big!1} ${input.canary!\"x\"} ${not input.canary}",
            "1.10 12345678901234567890 true false",
        ),
        ("${input.ratio + 'x'} ${input.big|length}", "1.10x 20"),
        ("${input.canary|upper} ${true} ${False} ${-7}", "TRUE true false -7"),
    ]);
}

#[test]
fn short_names_are_read_by_longest_match_and_every_other_dollar_is_text() {
    prints(&[
        ("$interface $layer $name $system $version $environment [$instance]", "http server shop/api Shop 1.10 test []"),
        ("$input.region.b $input.größe!", "eu-west.b XL!"),
        ("$version-SNAPSHOT $version.x", "1.10-SNAPSHOT 1.10.x"),
        (
            "$versions $version_x $versionü $input $input. $input.9 $requires $5 $",
            "$versions $version_x $versionü $input $input. $input.9 $requires $5 $",
        ),
        ("$$ $$$$ $${version} $$version $$$version", "$ $$ ${version} $version $1.10"),
        ("{$version}", "{1.10}"),
    ]);
    refuses(Undefined, &["$input.verison", "$input.versions"]);
}

#[test]
fn a_template_is_a_text_that_holds_an_expression_or_a_known_short_name() {
    assert!(["${", "a${x}", "$version", "$input.a", "$${x}"].iter().all(|text| holds_template(text)));
    assert!(!["", "$", "$$", "$5", "$versions", "$input", "$input.", "{x}"].iter().any(|text| holds_template(text)));
}

#[test]
fn block_and_comment_syntax_and_directives_are_text() {
    let text = "{{ version }} {% if x %} {# c #} <#if x> </#if> <@m/> #{version} # for";
    assert_eq!(rendered(text).as_deref(), Ok(text));
    prints(&[("{{${version}}} {% ${layer} %}", "{{1.10}} {% server %}")]);
}

#[test]
fn a_value_is_data_and_never_rendered_again() {
    prints(&[
        ("${input.evil}", "${input.region} $version $$"),
        ("${input.evil|upper}", "${INPUT.REGION} $VERSION $$"),
        ("$input.evil", "${input.region} $version $$"),
    ]);
}

#[test]
fn plain_text_is_known_without_a_scope() {
    let plain = |text: &str| Template::parse(text, &Limits::default()).unwrap();
    assert_eq!(plain("a b").plain_text(), Some("a b"));
    assert!(!plain("a b").has_dollar_escape() && !plain("5 $").has_dollar_escape());
    assert_eq!(plain("$${x} $$").plain_text(), Some("${x} $"));
    assert!(plain("$$").has_dollar_escape() && plain("$$$version").has_dollar_escape());
    assert!(!plain("$version").is_plain_text() && plain("$version").plain_text().is_none());
    assert_eq!(plain("").plain_text(), Some(""));
}

#[test]
fn undefined_is_an_error_wherever_it_is_written() {
    refuses(
        Undefined,
        &[
            "${nope}",
            "${input.nope}",
            "${input.nope.deeper}",
            "${input.nope|upper}",
            "${input.nope?upper_case}",
            "${input.nope == 'a'}",
            "${'a' == input.nope}",
            "${'a' if input.nope else 'b'}",
            "${'a' if true else input.nope}",
            "${'a' if input.canary or input.nope else 'b'}",
            "${not input.nope}",
            "${'a' in input.nope}",
            "${'a' + input.nope}",
            "${[input.nope]|join}",
            "${input.region|replace(input.nope, 'x')}",
            "${input.version.x}",
            "${input.nothing.x}",
            "${input[input.nope]}",
            "${input[nope]!'x'}",
            "${input.tags[3]}",
            "${input.tags[-4]}",
            "${input.tags.a}",
            "${input.nope!input.nope}",
            "${input.nope|default(input.nope|upper)}",
            "${input.region|split('-')[5]}",
            "${input.empty|first}",
            "${input.empty|first|upper + 'a'}",
        ],
    );
}

#[test]
fn undefined_says_what_was_meant() {
    says("${input.verison}", "`input.verison` is not defined; did you mean `input.version`?");
    says("${verison|upper}", "`verison` is not defined; did you mean `version`?");
    says("${region}", "did you mean `input.region`?");
    says("${input.my-db}", "did you mean `input[\"my-db\"]`?");
    says("${requires.my-queue.matches[0]}", "did you mean `requires[\"my-queue\"]`?");
    says("${input.Region}", "did you mean `input.region`?");
    says("${requires.db.matches[3].attributes}", "`requires.db.matches` has 1 elements");
    says("${input.version.x}", "`input.version` is a text");
    says("${zzz}", "what is defined here: environment, input, instance");
}

#[test]
fn undefined_tells_the_path_up_to_what_is_missing() {
    let name = |name: &str| Segment::Name(name.into());
    let told = |text: &str| rendered(text).map_err(|error| (error.path.unwrap(), error.segments)).unwrap_err();
    assert_eq!(told("${requires.dbb.matches[0]}"), ("requires.dbb".to_owned(), vec![name("requires"), name("dbb")]));
    let missing = vec![name("requires"), name("db"), name("matches"), Segment::Index(3)];
    assert_eq!(told("${requires.db.matches[3].attributes.url|upper}"), ("requires.db.matches[3]".to_owned(), missing));
    assert_eq!(told("${input.x!input['my db']}").0, "input[\"my db\"]");
    assert_eq!(told("${input[layer]}").0, "input.server");
    assert_eq!(told("$input.nope").0, "input.nope");
    let (path, segments) = told("${requires.db.matches[0].attributes.none|upper}");
    assert_eq!((path.as_str(), segments.len()), ("requires.db.matches[0].attributes.none", 6));
}

#[test]
fn a_default_covers_missing_parents_and_null_but_no_empty_text() {
    prints(&[
        (r#"${input.nope!"d"}"#, "d"),
        (r#"${input.nope.deeper[3].x!"d"}"#, "d"),
        (r#"${nope!'d'}"#, "d"),
        (r#"${input.nope|default("d")}"#, "d"),
        (r#"${input.nope.deeper|default("d")}"#, "d"),
        (r#"${input.nope|d("d")}"#, "d"),
        (r#"${input.empty!"d"}[${input.empty|default("d")}]"#, "[]"),
        (r#"${input.region!"d"}"#, "eu-west"),
        (r#"${input.nothing!"d"} ${input.nothing|default("d")}"#, "d d"),
        ("[${input.nope!}] [${input.nope|default}] [${input.nope|default()}]", "[] [] []"),
        ("${(input.nope.x)!'d'} ${(input.region)!'d'}", "d eu-west"),
        ("${input.nope!input.region} ${input.nope!3} ${input.nope!-3} ${input.nope!true}", "eu-west 3 -3 true"),
        ("${input.region!input.nope}", "eu-west"),
        ("${input.nope!input.nope!'z'} ${input.nope!input.region!'z'}", "z eu-west"),
        ("${input.nope!requires.db.matches[0].attributes.url}", "jdbc:x"),
        ("${input.nope!('a' + 'b')}", "ab"),
        ("${input.db[environment]!'x'}", "t1"),
        ("${input.nope|first!'x'} ${input.empty|first!'x'} ${input.region|split('-')[5]!'x'}", "x x x"),
        ("${input.nope[:3]!'x'}", "x"),
    ]);
}

#[test]
fn the_exclamation_mark_takes_one_literal_or_path_and_mixes_with_everything() {
    prints(&[
        (r#"${input.nope!"d" + "e"}"#, "de"),
        (r#"${input.nope!"d"?upper_case}"#, "D"),
        (r#"${input.nope?upper_case!"y"} ${input.region?upper_case!"y"}"#, "y EU-WEST"),
        (r#"${input.nope|default("eu")|upper} ${input.nope|upper|default("eu")}"#, "EU eu"),
        ("${input.nope!|upper}x", "x"),
        ("${input.nope! + 'a'}", "a"),
        ("${'a' if input.nope! else 'b'}", "b"),
        ("${input.region!='x'}", "true"),
    ]);
    refuses(Syntax, &["${(input.nope + 'a')!'x'}", "${(input.a == 'a')|default('x')}"]);
}

#[test]
fn quotes_may_hold_what_ends_or_splits_an_expression() {
    prints(&[
        (r#"${input.nope!"}"}"#, "}"),
        ("${input.nope!'a|b?c}d'}x", "a|b?c}dx"),
        (r#"${input.nope!"it's"} ${input.nope!'say "x"'}"#, "it's say \"x\""),
        (r#"${input.nope!"a\"b\\c\td"}"#, "a\"b\\c\td"),
        ("${input.nope!'{{x}} ü'}", "{{x}} ü"),
        (r#"${input.nope!"\$\{"}"#, "${"),
    ]);
}

#[test]
fn freemarker_built_ins_chain_and_take_arguments() {
    prints(&[
        ("${input.word?upper_case} ${input.word?lower_case}", "FOOBAR BAZ foobar baz"),
        ("${input.word?cap_first} ${layer?cap_first?uncap_first}", "FooBar baz server"),
        ("${input.word?capitalize} ${input.word|capitalize} ${input.word|title}", "Foobar Baz Foobar baz Foobar Baz"),
        ("${' x '?trim}|${' x '|trim}", "x|x"),
        ("${input.größe?length} ${'größe'?length} ${input.tags|length} ${input.db|length}", "2 5 3 2"),
        ("${version?replace('.', '-')?upper_case?length}", "4"),
        ("${version?contains('1.')} ${version?starts_with('1')} ${version?ends_with('9')}", "true true false"),
        ("${version?substring(2)} ${version?substring(0, 1)} ${'äöü'?substring(1, 2)}", "10 1 ö"),
        ("${version?split('.')[0]} ${version?split('.')?last} ${version?split('.')?join('/')}", "1 10 1/10"),
        (
            "${input.replicas?c} ${input.canary?c} ${input.canary?string} ${input.canary?string('y', 'n')}",
            "3 true true y",
        ),
        ("${input.digits?number + 1} ${input.canary?then('a', 'b')} ${(layer == 'x')?then('a', 'b')}", "43 a b"),
        ("${input.markup?html}", "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/a&gt;"),
        ("${input.markup?xml?contains('&apos;')}", "true"),
        (
            "${input.path?url} ${input.path?url_path} ${input.path|urlencode}",
            "a%20b%2F%C3%BC a%20b/%C3%BC a%20b/%C3%BC",
        ),
        ("${'5'?left_pad(3, '0')} ${'5'?right_pad(3)}| ${'500'?left_pad(2)}", "005 5  | 500"),
        ("${name?keep_before('/')} ${name?keep_after('/')} ${'a.b.c'?keep_before_last('.')}", "shop api a.b"),
        (
            "${'a.b.c'?keep_after_last('.')} ${name?remove_beginning('shop/')} ${name?remove_ending('api')}",
            "c api shop/",
        ),
    ]);
}

#[test]
fn jinja_expressions_work() {
    prints(&[
        ("${input.tags|join(', ')} ${input.tags|join} ${input.tags|first}${input.tags|last}", "a, b, c abc ac"),
        ("${'prod' if environment in ['production', 'live'] else 'other'}", "other"),
        ("${'1' if layer == 'server' and not input.canary else '2' if version < '2' else '3'}", "2"),
        ("${'es' in environment} ${'x' not in environment} ${input.replicas >= 3}", "true true true"),
        ("${input.empty or 'fallback'} ${input.region and 'yes'}", "fallback yes"),
        ("${name + '-' + layer} ${input.replicas + 1 - 2} ${'n' + 1}", "shop/api-server 2 n1"),
        ("${input.region[:2]} ${input.region[3:]} ${input.region[-4:-1]} ${input.tags[1:]|join}", "eu west wes bc"),
        ("${(layer + name)|upper} ${((layer))} ${input.digits|int + 1}", "SERVERSHOP/API server 43"),
        ("${'a\nb'|indent(2)} ${'a\nb'|lines|join('+')} ${'<'|e}", "a\n  b a+b &lt;"),
        ("${version != '1.10'} ${1 < 2} ${true == input.canary}", "false true true"),
        ("${'a' if input.replicas == 3 else 'b'}${input.replicas|string + '!'}", "a3!"),
        ("${[]|join}|${['a', layer]|join('.')}", "|a.server"),
    ]);
}

#[test]
fn functions_tests_and_growing_operators_are_not_allowed() {
    does_not_parse(
        NotAllowed,
        &[
            "${'a' * 100000000}",
            "${2 ** 3}",
            "${10 / 2}",
            "${10 // 3}",
            "${'%s' % 'a'}",
            "${layer ~ name}",
            "${range(3)}",
            "${debug()}",
            "${layer.upper()}",
            "${input['x']()}",
            "${x is defined}",
            "${{'a': 1}}",
            "${none}",
            "${-x}",
            "${x|format('%10s')}",
            "${x|tojson}",
            "${x|safe}",
            "${x|attr('y')}",
            "${x|map('upper')}",
            "${x|required}",
            "${x|element(1)}",
            "${x|upper_case}",
        ],
    );
    says("${x|uper}", "did you mean `|upper`?");
    says("${x|upper_case}", "write `|upper`, or `?upper_case`");
}

#[test]
fn other_forms_of_freemarker_say_what_to_write() {
    does_not_parse(
        FreemarkerUnsupported,
        &[
            "${x??}",
            "${x?eval}",
            "${x?new()}",
            "${x?interpret}",
            "${x?size}",
            "${x?has_content}",
            "${x?is_string}",
            "${x?matches('a')}",
            "${!x}",
            "${a && b}",
            "${a || b}",
            "${.now}",
            "${r'x'}",
            "${a = b}",
            "${a gt b}",
            "${x[0..3]}",
            "${x?uper_case}",
            "${x?upper}",
            "${x!'a${b}'}",
            "${x?default('a')}",
            "${x?date}",
        ],
    );
    says("${x?size}", "`|length`");
    says("${x??}", "`x!\"default\"`");
    says("${x?upper}", "write `|upper`");
    says("${x?upper_cas}", "did you mean `?upper_case`?");
    says("${x!'a${b}'}", "join the parts with `+`");
}

#[test]
fn broken_expressions_are_syntax_errors() {
    does_not_parse(
        Syntax,
        &[
            "${",
            "a ${b",
            "${}",
            "${ }",
            "${a",
            "${'a}",
            "${\"a}",
            "${(a}",
            "${(a]}",
            "${a]}",
            "${a)}",
            "${[1}",
            "${a b}",
            "${a.}",
            "${a[}",
            "${a[]}",
            "${a|}",
            "${a?}",
            "${a|replace('x')}",
            "${a|upper(1)}",
            "${a if b}",
            "${a < b < c}",
            "${a + }",
            "${1.5}",
            "${1a}",
            "${99999999999999999999}",
            "${a;b}",
            "${'a' 'b'}",
            "${a.1}",
            "${'\\q'}",
            "${and}",
            "${a['x' + 'y']}",
            "${a ${b}}",
            "${a\u{0}b}",
        ],
    );
}

#[test]
fn what_is_no_text_cannot_be_printed() {
    refuses(
        Type,
        &[
            "${input.tags}",
            "${input.db}",
            "${input.nothing}",
            "${input}",
            "${requires.db.matches}",
            "${input.tags!'x'}",
            "${input.db!'x'}",
            "${['a']}",
            "${input.tags|upper}",
            "${input.db|join}",
            "${input.region|join(',')}",
            "${input.nothing|upper}",
            "${input.region?number}",
            "${input.region - 1}",
            "${input.digits == 42}",
            "${input.replicas < '4'}",
            "${'a' if input.flag else 'b'}",
            "${not input.flag}",
            "${input.region?then(1, 2)}",
            "${input.region?substring(3, 99)}",
            "${input.region|replace('', 'x')}",
            "${input.region|split('')}",
            "${'a' in input.replicas}",
            "${9223372036854775807 + 1}",
            "${input[input.tags]}",
            "${input.ratio + 1}",
            "${input.big - 1}",
            "${input.ratio == '1.10'}",
            "${'a'?left_pad(3, '')}",
        ],
    );
    says("${input.tags}", "`input.tags|join(\",\")`");
    says("${input.db}", "name the member");
}

#[test]
fn errors_tell_line_and_column_in_characters() {
    let place = |text: &str| rendered(text).map_err(|error| (error.line, error.column)).unwrap_err();
    assert_eq!(place("${nope}"), (1, 3));
    assert_eq!(place("äöü ${ nope }"), (1, 8));
    assert_eq!(place("a\nb\r\nc ${nope}"), (3, 5));
    assert_eq!(place("${\n  layer +\n  nope}"), (3, 3));
    assert_eq!(place("$version\n $input.x"), (2, 2));
    assert_eq!(place("ü${layer * 2}"), (1, 10));
    assert_eq!(place("x\n${layer|nope}"), (2, 9));
    assert_eq!(place("x\nü${"), (2, 2));
    assert_eq!(place("${layer|upper} ${input.x|upper}"), (1, 18));
    assert_eq!(place("${input.tags}"), (1, 3));
    assert_eq!(rendered("${nope!nope}").unwrap_err().to_string().split_once(" (").unwrap().1, "line 1, column 8)");
}

#[test]
fn bounds_hold_before_memory_is_taken() {
    let limits = Limits::default();
    let parse = |text: String| Template::parse(&text, &limits).map_err(|error| error.kind);
    assert!(parse("x".repeat(64 << 10)).is_ok());
    assert_eq!(parse("x".repeat((64 << 10) + 1)).unwrap_err(), TooLong);
    assert!(parse("$".to_owned() + &"x".repeat(20 << 10)).is_ok());
    assert_eq!(parse("$layer ".to_owned() + &"x".repeat(16 << 10)).unwrap_err(), TooLong);
    assert!(parse(format!("${{{:1$}}}", "a", 256)).is_ok());
    assert_eq!(parse(format!("${{{:1$}}}", "a", 257)).unwrap_err(), TooLong);
    assert_eq!(parse(format!("${{1{}}}", "+1".repeat(8_000))).unwrap_err(), TooLong);
}

#[test]
fn nesting_is_bounded_whatever_the_expression_may_measure() {
    let limits = Limits { template_bytes: 1 << 20, expression_bytes: 1 << 20, text_bytes: 1 << 20 };
    let (many, more) = (100_000, 8_000);
    let texts = [
        format!("${{{}a{}}}", "(".repeat(many), ")".repeat(many)),
        format!("${{{}a{}}}", "a[".repeat(many), "]".repeat(many)),
        format!("${{{}1{}}}", "[".repeat(many), "]".repeat(many)),
        format!("${{{} a}}", "not ".repeat(many)),
        format!("${{a{}}}", "!a".repeat(many)),
        format!("${{a{}}}", "|upper".repeat(many)),
        format!("${{1{}}}", "+1".repeat(more)),
        format!("${{1{}}}", " or 1".repeat(more)),
        format!("${{a{}}}", " if a else a".repeat(more)),
        format!("${{a{}}}", ".a".repeat(many)),
        format!("${{a{}}}", "[:1]".repeat(many)),
    ];
    for text in texts {
        assert_eq!(Template::parse(&text, &limits).unwrap_err().kind, TooLong, "{}", &text[..20]);
    }
}

#[test]
fn an_expression_as_deep_and_as_long_as_allowed_fits_a_small_stack() {
    let limits = Limits { expression_bytes: 4_096, ..Limits::default() };
    let texts = [
        format!("${{{}1{}}}", "(".repeat(15), ")".repeat(15)),
        format!("${{{}true}}", "not ".repeat(15)),
        format!("${{0{}}}", "+1".repeat(127)),
        format!("${{true{}}}", " or 1".repeat(127)),
        format!("${{'a'{}}}", "|upper".repeat(127)),
        format!("${{{}1{}}}", "(not (".repeat(5), "))".repeat(5)),
    ];
    let small = std::thread::Builder::new().stack_size(512 << 10);
    let rendered = small.spawn(move || {
        for text in texts {
            let template = Template::parse(&text, &limits).expect(&text);
            template.render(&Scope::new(), &limits).expect(&text);
        }
    });
    rendered.unwrap().join().unwrap();
}

#[test]
fn nothing_grows_beyond_the_text_bound() {
    let limits = Limits::default();
    let big = Json::Text("ab".repeat(15_000));
    let list = Json::Array(vec![big.clone(), big.clone(), big.clone()]);
    let scope = Scope::new().with("big", &big).with("list", &list);
    let render =
        |text: &str| Template::parse(text, &limits).unwrap().render(&scope, &limits).map_err(|error| error.kind);
    assert_eq!(render("${big}$${big}${big}").map(|text| text.len()), Ok(60_006));
    for text in [
        "${big}${big}${big}",
        "${big + big + big}",
        "${big|replace('a', big)}",
        "${list|join}",
        "${big|split('a')|join(big)}",
        "${big?left_pad(100000000)}",
        "${'x'?right_pad(9223372036854775807)}",
        "${'a\nb'|indent(100000)}",
        "${(big + big)|replace('a', '<')|escape}",
        "${list|join(big)|length}",
    ] {
        assert_eq!(render(text), Err(TooLong), "{text}");
    }
    let busy = "${big|upper|upper|upper|upper|upper|upper|length}".repeat(300);
    assert_eq!(render(&busy), Err(TooLong), "the work of one template is bounded as well");
}

#[test]
fn reads_lists_what_a_template_needs() {
    let text = "$version ${input.a!input.b} ${input.c|upper|default('x')} ${requires.db.matches[0].attributes['my-x']} ${input.d[layer].e + $name}";
    let text = text.replace("$name}", "name}");
    let template = Template::parse(&text, &Limits::default()).unwrap();
    let told: Vec<(String, bool, bool)> =
        template.reads().iter().map(|read| (read.to_string(), read.required, read.dynamic)).collect();
    let expected = [
        ("version", true, false),
        ("input.a", false, false),
        ("input.b", false, false),
        ("input.c", false, false),
        ("requires.db.matches[0].attributes[\"my-x\"]", true, false),
        ("input.d", true, true),
        ("layer", true, false),
        ("name", true, false),
    ];
    assert_eq!(told, expected.map(|(path, required, dynamic)| (path.to_owned(), required, dynamic)));
    assert_eq!(template.reads()[1].root(), "input");
}

#[test]
fn an_inner_scope_hides_the_outer_one() {
    let limits = Limits::default();
    let (old, new) = (Json::Text("1".into()), Json::Text("2".into()));
    let outer = Scope::new().with("version", &old);
    let inner = outer.with("version", &new);
    let template = Template::parse("$version", &limits).unwrap();
    assert_eq!(template.render(&inner, &limits).as_deref(), Ok("2"));
    assert_eq!(template.render(&outer, &limits).as_deref(), Ok("1"));
}

#[test]
fn every_filter_that_is_documented_is_read() {
    for (written, summary) in filters() {
        assert!(!summary.is_empty(), "{written}");
        let parses = ["", "('a')", "('a', 'b')"]
            .iter()
            .any(|arguments| Template::parse(&format!("${{x{written}{arguments}}}"), &Limits::default()).is_ok());
        assert!(parses, "{written}");
    }
}

#[test]
fn templates_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Template>();
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| prints(&[("${input.region|upper}", "EU-WEST")]));
        }
    });
}

/// Texts made of what templates are made of.
fn template_like() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "${",
        "}",
        "$",
        "$$",
        "{",
        "(",
        ")",
        "[",
        "]",
        "'",
        "\"",
        "\\",
        "!",
        "?",
        "|",
        ".",
        ",",
        ":",
        "+",
        "-",
        "*",
        "==",
        "<",
        " ",
        "\n",
        "ü",
        "0",
        "7",
        "-1",
        "input",
        ".region",
        "input.tags",
        "input.nope",
        "version",
        "$version",
        "$input.",
        "'a'",
        "\"-\"",
        "upper",
        "|upper",
        "|default(",
        "?split('-')",
        "?upper_case",
        "|first",
        "|join",
        "|length",
        "[0]",
        "[1:",
        "not ",
        " and ",
        " or ",
        " in ",
        " if ",
        " else ",
        "true",
        "is",
        "replace",
        "('a', 'b')",
        "|int",
        "?number",
    ]);
    prop::collection::vec(words, 0..24).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = rendered(&text);
        let _ = rendered(&format!("${{{text}}}"));
    }

    #[test]
    fn no_template_like_text_makes_it_panic(text in template_like(), inner in template_like()) {
        let _ = rendered(&text);
        let _ = rendered(&format!("a ${{{inner}}} b"));
    }

    #[test]
    fn a_text_without_dollars_is_itself(text in "[^$]*") {
        prop_assert_eq!(rendered(&text), Ok(text));
    }

    #[test]
    fn doubling_every_dollar_makes_any_text_literal(text in any::<String>()) {
        let escaped = text.replace('$', "$$");
        let template = Template::parse(&escaped, &Limits::default()).unwrap();
        prop_assert_eq!(template.plain_text(), Some(text.as_str()));
        prop_assert_eq!(template.has_dollar_escape(), text.contains('$'));
    }

    #[test]
    fn a_value_comes_out_as_it_went_in(value in any::<String>(), key in any::<String>()) {
        let limits = Limits::default();
        let input = Json::Object(vec![(key.clone(), Json::Text(value.clone()))]);
        let scope = Scope::new().with("input", &input);
        let quoted = key.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
        let limits = Limits { expression_bytes: 4_096, ..limits };
        for text in [format!("${{input[\"{quoted}\"]}}"), format!("${{input[\"{quoted}\"]!'x'}}")] {
            match Template::parse(&text, &limits) {
                Ok(template) => prop_assert_eq!(template.render(&scope, &limits), Ok(value.clone())),
                Err(error) => prop_assert!(false, "{}", error),
            }
        }
    }

    #[test]
    fn an_error_points_into_its_text(text in template_like()) {
        if let Err(error) = rendered(&text) {
            let line = text.split('\n').nth(error.line as usize - 1);
            prop_assert!(line.is_some_and(|line| error.column as usize <= line.chars().count() + 1), "{}", error);
        }
    }

    #[test]
    fn a_template_fails_where_what_it_requires_is_not_defined(inner in template_like()) {
        let limits = Limits::default();
        if let Ok(template) = Template::parse(&format!("${{{inner}}}"), &limits) {
            let required = template.reads().iter().any(|read| read.required);
            prop_assert!(!required || template.render(&Scope::new(), &limits).is_err());
        }
    }
}
