//! What the JSON and the YAML reader accept, refuse and keep, and that writing and reading are inverse.

use mortise::document::{
    Document, DocumentError, DocumentErrorKind, Json, Limits, Node, Place, Scalar, Style, Syntax, to_yaml,
};
use proptest::prelude::*;

fn json(text: &str) -> Document {
    Document::from_json(text.as_bytes(), Limits::default()).expect(text)
}

fn yaml(text: &str) -> Document {
    Document::from_yaml(text.as_bytes(), Limits::default()).expect(text)
}

fn json_error(text: impl AsRef<[u8]>) -> DocumentError {
    Document::from_json(text.as_ref(), Limits::default()).expect_err("this must be refused")
}

fn yaml_error(text: impl AsRef<[u8]>) -> DocumentError {
    Document::from_yaml(text.as_ref(), Limits::default()).expect_err("this must be refused")
}

fn at(line: u32, column: u32) -> Place {
    Place { line, column }
}

fn plain(text: &str) -> Scalar {
    Scalar { text: text.into(), style: Style::Plain }
}

fn quoted(text: &str) -> Scalar {
    Scalar { text: text.into(), style: Style::Quoted }
}

fn member<'a>(document: &'a Document, key: &str) -> &'a Node {
    document.root.get(key).expect(key)
}

fn scalar<'a>(document: &'a Document, key: &str) -> &'a Scalar {
    member(document, key).scalar().expect(key)
}

fn duplicates(document: &Document) -> Vec<(String, Place)> {
    document.duplicates.iter().map(|duplicate| (duplicate.pointer.to_string(), duplicate.place)).collect()
}

mod json_reader {
    use super::*;

    #[test]
    fn keeps_numbers_order_and_style_as_written() {
        let document = json(r#"{"z": 1.10, "a": "1.10", "m": -0E+5, "t": true, "n": null}"#);
        let keys: Vec<_> = document.root.object().unwrap().iter().map(|member| member.key.as_str()).collect();
        assert_eq!(keys, ["z", "a", "m", "t", "n"]);
        assert_eq!(scalar(&document, "z"), &plain("1.10"));
        assert_eq!(scalar(&document, "a"), &quoted("1.10"));
        assert_eq!(scalar(&document, "m"), &plain("-0E+5"));
        assert_eq!(scalar(&document, "t"), &plain("true"));
        assert!(member(&document, "n").is_null());
        assert_eq!(document.syntax, Syntax::Json);
    }

    #[test]
    fn counts_lines_and_columns_in_characters() {
        let document = json("{\"ä😀\": 1, \"ä😀\"\n: [1,\r\n\t{\"x\\\"\": [], \"x\\\"\" : {}}]}");
        assert_eq!(duplicates(&document), [("/ä😀".to_owned(), at(1, 11)), ("/ä😀/1/x\"".to_owned(), at(3, 14))]);
        assert_eq!(json_error("[\"ä😀\",\r\n\r\t?]").place, at(3, 2));
    }

    #[test]
    fn keeps_numbers_of_any_length() {
        let digits = "9".repeat(5_000);
        for number in [format!("-{digits}"), format!("{digits}.5E+{digits}"), format!("0.{digits}")] {
            let document = json(&format!("{{\"a\":[{number} , {number}],\n\"a\": {number}, \"b\":{number}}}"));
            let elements = member(&document, "a").array().unwrap();
            assert!(elements.iter().all(|node| node.scalar() == Some(&plain(&number))));
            assert_eq!(scalar(&document, "b"), &plain(&number));
            assert_eq!(duplicates(&document), [("/a".to_owned(), at(2, 1))]);
            assert_eq!(json_error(format!("[{number},\n{number}, ?]")).place, at(2, 3 + number.len() as u32));
        }
        for number in [format!("{digits}."), format!("{digits}e"), format!("{digits}-1"), format!("0{digits}")] {
            assert_eq!(json_error(format!("[\n {number}]")).kind, DocumentErrorKind::Syntax);
        }
    }

    #[test]
    fn unescapes_texts_and_keys() {
        let document = json(r#"{"\u00e4": "\ud83d\ude00\/\b\f\"\\"}"#);
        assert_eq!(scalar(&document, "ä"), &quoted("😀/\u{8}\u{c}\"\\"));
    }

    #[test]
    fn ignores_one_leading_byte_order_mark() {
        assert_eq!(json_error("\u{FEFF}[?]").place, at(1, 2));
        assert_eq!(json("\u{FEFF}[1]").root.to_json().to_string(), "[1]");
        assert_eq!(json_error("\u{FEFF}\u{FEFF}[1]").kind, DocumentErrorKind::Syntax);
    }

    #[test]
    fn refuses_what_rfc_8259_does_not_allow() {
        let texts = [
            "",
            " ",
            "[1,]",
            "{\"a\":1,}",
            "[,1]",
            "{,}",
            "[1 2]",
            "{\"a\" 1}",
            "{\"a\":}",
            "{a:1}",
            "{1:1}",
            "NaN",
            "-Infinity",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "0x1",
            "-",
            "tru",
            "True",
            "'a'",
            "\"a",
            "\"\t\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\\ud800\"",
            "[",
            "{\"a\":1",
            "]",
            "1 2",
            "{}{}",
            "[1] x",
            "//\n1",
            "[1]\u{0}",
            "\u{a0}1",
            "nullnull",
        ];
        for text in texts {
            assert_eq!(json_error(text).kind, DocumentErrorKind::Syntax, "{text:?}");
        }
    }

    #[test]
    fn says_where_a_syntax_error_is_and_what_to_do() {
        let error = json_error("{\"ä\": 1,\n  \"b\" 2}");
        assert_eq!((error.place, error.message.as_str()), (at(2, 7), "a colon must stand between a key and its value"));
        let error = json_error("[1,\n");
        assert_eq!(error.place, at(2, 1));
        assert!(error.message.contains("ends too early"), "{error}");
        let error = json_error("[1, \"a\\ud800\"]");
        assert!(error.message.contains("not complete"), "{error}");
        assert_eq!(json_error("{\"a\": 1,\n\n \"ä\": [1, ?]}").place, at(3, 11));
        let error = json_error("[1, \"a\n]");
        assert_eq!(error.place, at(1, 7));
        assert!(error.message.contains("closing quote is missing"), "{error}");
        assert!(!json_error("\"\u{1}\"").message.contains('\u{1}'));
    }

    #[test]
    fn says_where_the_bytes_stop_being_utf8() {
        let error = json_error(b"[\"\xc3\xa4\",\n \"\xff\"]");
        assert_eq!((error.kind, error.place), (DocumentErrorKind::NotUtf8, at(2, 3)));
    }

    #[test]
    fn keeps_the_first_of_duplicate_keys_and_notes_the_others() {
        let document = json("{\"a\": [0, {\"b/\": 1, \"b/\": 2,\n \"b\\/\": 3}], \"a\": {\"c\": 1, \"c\": 2}}");
        assert_eq!(document.root.to_json().to_string(), r#"{"a":[0,{"b/":1}]}"#);
        let expected = [("/a/1/b~1", at(1, 21)), ("/a/1/b~1", at(2, 2)), ("/a", at(2, 14)), ("/a/c", at(2, 28))];
        assert_eq!(duplicates(&document), expected.map(|(pointer, place)| (pointer.to_owned(), place)));
    }

    #[test]
    fn finds_a_duplicate_among_a_hundred_thousand_keys() {
        let members: Vec<String> = (0..100_000).map(|index| format!("\"k{index}\":{index}")).collect();
        let document = json(&format!("{{{},\"k7\":0,\"k99999\":0}}", members.join(",")));
        assert_eq!(document.root.object().unwrap().len(), 100_000);
        assert_eq!(document.duplicates.iter().map(|d| d.pointer.as_str()).collect::<Vec<_>>(), ["/k7", "/k99999"]);
    }

    #[test]
    fn bounds_what_it_notes_about_duplicates() {
        let text = format!("{{\"{}\":{{{}\"b\":0}}}}", "k".repeat(100_000), "\"a\":1,".repeat(50_000));
        assert_eq!(json(&text).duplicates.len(), 1);
    }

    #[test]
    fn refuses_what_is_deeper_than_the_limit() {
        let limits = Limits { depth: 3, ..Limits::default() };
        assert!(Document::from_json(b"[{\"a\":[1]}]", limits).is_ok());
        let error = Document::from_json(b"[{\"a\":[[]]}]", limits).unwrap_err();
        assert_eq!((error.kind, error.place), (DocumentErrorKind::TooDeep, at(1, 8)));
        assert_eq!(json_error("[".repeat(1 << 20)).kind, DocumentErrorKind::TooDeep);
        assert_eq!(json_error("{\"a\":".repeat(10_000)).kind, DocumentErrorKind::TooDeep);
    }

    #[test]
    fn refuses_more_nodes_than_the_limit() {
        let limits = Limits { nodes: 4, ..Limits::default() };
        assert!(Document::from_json(b"[1,{\"a\":2}]", limits).is_ok());
        let error = Document::from_json(b"[1,{\"a\":2},3]", limits).unwrap_err();
        assert_eq!((error.kind, error.place), (DocumentErrorKind::TooLarge, at(1, 12)));
    }
}

mod yaml_reader {
    use super::*;

    #[test]
    fn keeps_plain_scalars_as_written() {
        let document = yaml("version: 1.10\nport: 010\nflag: no\nnothing:\ntilde: ~\nfolded: a\n  b\n\n  c\n");
        for (key, text) in [
            ("version", "1.10"),
            ("port", "010"),
            ("flag", "no"),
            ("nothing", ""),
            ("tilde", "~"),
            ("folded", "a b\nc"),
        ] {
            assert_eq!(scalar(&document, key), &plain(text));
        }
        assert_eq!(document.syntax, Syntax::Yaml);
    }

    #[test]
    fn takes_quoted_block_and_tagged_scalars_for_text() {
        let document = yaml(
            "single: '1'\ndouble: \"\\u0031\"\nliteral: |\n  1\n  2\nfolded: >-\n  1\n  2\ntag: !!str 1\nempty: !!str\n\
             long: !<tag:yaml.org,2002:str> 1\n",
        );
        let expected = [
            ("single", "1"),
            ("double", "1"),
            ("literal", "1\n2\n"),
            ("folded", "1 2"),
            ("tag", "1"),
            ("empty", ""),
            ("long", "1"),
        ];
        for (key, text) in expected {
            assert_eq!(scalar(&document, key), &quoted(text), "{key}");
        }
    }

    #[test]
    fn keeps_keys_as_written() {
        let document = yaml("1.10: a\n\"no\": b\nno: c\n? x y\n: d\n: e\n");
        let keys: Vec<_> = document.root.object().unwrap().iter().map(|member| member.key.as_str()).collect();
        assert_eq!(keys, ["1.10", "no", "x y", ""]);
        assert_eq!(duplicates(&document), [("/no".to_owned(), at(3, 1))]);
    }

    #[test]
    fn gives_every_node_its_line_and_its_column_in_characters() {
        let document = yaml("# c\nä: [x, \"é\", {k: v}]\nb:\n  - 1\n");
        let elements = member(&document, "ä").array().unwrap();
        assert_eq!(document.root.place, at(2, 1));
        assert_eq!(elements.iter().map(|node| node.place).collect::<Vec<_>>(), [at(2, 5), at(2, 8), at(2, 13)]);
        assert_eq!(member(&document, "b").array().unwrap()[0].place, at(4, 5));
    }

    #[test]
    fn reads_json_as_the_yaml_it_is() {
        let text = "{\n\t\"a\":[1,2.50,\"x\\n\",null],\"b\":{\"c\":true,\"d\":\"\\/ \\u00e4\"},\"e\":{},\"f\":[]}";
        assert_eq!(yaml(text).root.to_json(), json(text).root.to_json());
    }

    #[test]
    fn reads_the_json_and_the_yaml_form_of_a_specification_alike() {
        let json_form = r#"{"system": "shop", "version": "${input.version}", "provides": [{"interface": "orders",
            "layer": "server", "labels": {"tier": "gold"}, "attributes": {"port": 8080, "tls": true, "note": null}}],
            "requires": {"db": {"selector": [], "quantifier": {"min": 1, "max": 2}}}}"#;
        let yaml_form = "%YAML 1.2\n---\nsystem: shop\nversion: ${input.version}\nprovides:\n- interface: orders\n  \
            layer: 'server'\n  labels: {tier: gold}\n  attributes:\n    port: 8080\n    tls: true\n    note:\n\
            requires:\n  db:\n    selector: []\n    quantifier: {min: 1, max: 2}\n...\n# done\n";
        assert_eq!(yaml(yaml_form).root.to_json(), json(json_form).root.to_json());
    }

    #[test]
    fn wants_exactly_one_document() {
        assert!(yaml("---\n").root.is_null());
        assert_eq!(yaml("\u{FEFF}a: 1\n...\n").root.to_json().to_string(), r#"{"a":1}"#);
        for text in
            ["", " \n", "# only a comment\n", "a: 1\n---\nb: 2\n", "---\n---\n", "{a: 1} x", "[a]]", "a: 1\n...\nb"]
        {
            assert_eq!(yaml_error(text).kind, DocumentErrorKind::Syntax, "{text:?}");
        }
        let error = yaml_error("a: 1\n---\nb: 2\n");
        assert_eq!(
            (error.place, error.message.as_str()),
            (at(2, 1), "a second document begins here; send one document")
        );
    }

    #[test]
    fn refuses_what_is_no_yaml() {
        let texts = [
            "[",
            "{a: 1",
            "\"a",
            "'a",
            "a: b: c",
            "a:\n\t- b",
            "- a\nb",
            "*a",
            "@a",
            "`a`",
            "%a",
            "a: \"\\q\"",
            "a\0b",
            "a: \u{1}",
            "# \0",
            "\"\0\"",
            "a: |\n x\0y",
        ];
        for text in texts {
            assert_eq!(yaml_error(text).kind, DocumentErrorKind::Syntax, "{text:?}");
        }
        assert_eq!(yaml_error("a: ä\0").place, at(1, 5));
        assert_eq!(yaml_error("\"\\ud83d\\ude00\"").kind, DocumentErrorKind::Syntax);
        assert_eq!(yaml("\"\\U0001F600\"").root.scalar(), Some(&quoted("😀")));
        let error = yaml_error(b"a: \xff");
        assert_eq!((error.kind, error.place), (DocumentErrorKind::NotUtf8, at(1, 4)));
    }

    #[test]
    fn refuses_features_that_a_specification_may_not_use() {
        let texts = [
            "a: &a {b: 1}\nc:\n  <<: *a\n",
            "<<: 1",
            "{<<: 1}",
            "&m << : 1",
            "- &m <<\n- {*m : 1}",
            "a: !!int 1",
            "a: !x 1",
            "a: ! 1",
            "a: !!binary \"aa\"",
            "a: !!str [1]",
            "!!map {a: 1}",
            "!!str {a: 1}",
            "!!int 1: a",
            "[a]: 1",
            "{a: b}: 1",
            "? - a\n: 1",
            "? {a: 1}\n",
            "- &k [a]\n- {*k : 1}",
            "%TAG !e! tag:example.org,2024:\n---\n!e!x 1",
        ];
        for text in texts {
            assert_eq!(yaml_error(text).kind, DocumentErrorKind::NotAllowed, "{text:?}");
        }
        assert_eq!(yaml_error("a:\n  <<: {}\n").place, at(2, 3));
        assert_eq!(yaml("\"<<\": 1\n!!str <<: 2\nx: <<\n").root.to_json().to_string(), r#"{"<<":1,"x":"<<"}"#);
    }

    #[test]
    fn expands_aliases_as_values_and_as_keys() {
        let document = yaml("a: &a {x: [1, &t two]}\nb: *a\nc: *t\n*t : &t three\nd: *t\ne: &e\nf: *e\n");
        let expected =
            r#"{"a":{"x":[1,"two"]},"b":{"x":[1,"two"]},"c":"two","two":"three","d":"three","e":null,"f":null}"#;
        assert_eq!(document.root.to_json().to_string(), expected);
        assert_eq!(member(&document, "b").place, at(1, 4));
    }

    #[test]
    fn refuses_an_alias_to_what_it_stands_in() {
        for text in ["&a [*a]", "&a {b: *a}", "a: &a\n  - [x, *a]\n"] {
            let error = yaml_error(text);
            assert_eq!(error.kind, DocumentErrorKind::Syntax);
            assert!(error.message.contains("inside the node that it names"), "{error}");
        }
    }

    #[test]
    fn refuses_aliases_that_repeat_too_much() {
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..30 {
            laughs += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(","));
        }
        let long_text = format!("- &a {}\n- [{}]\n", "x".repeat(100_000), "*a,".repeat(100_000));
        let long_key = format!("- &a {}\n- [{}]\n", "x".repeat(1_000), "{*a : 1},".repeat(100_000));
        let nested = format!("{}{}{}", "&a [".repeat(60), "x,".repeat(50_000), "]".repeat(60));
        for text in [laughs, long_text, long_key, nested] {
            assert_eq!(yaml_error(text).kind, DocumentErrorKind::TooLarge);
        }
        let limits = Limits { nodes: 5, ..Limits::default() };
        assert!(Document::from_yaml(b"[&a [x], *a]", limits).is_ok());
        assert!(Document::from_yaml(b"[&a [x], *a, *a]", limits).is_err());
    }

    #[test]
    fn refuses_what_is_deeper_than_the_limit_with_aliases_too() {
        let limits = Limits { depth: 3, ..Limits::default() };
        assert!(Document::from_yaml(b"- &a [[]]\n- *a\n", limits).is_ok());
        assert_eq!(Document::from_yaml(b"- &a [[]]\n- [*a]\n", limits).unwrap_err().kind, DocumentErrorKind::TooDeep);
        for unit in ["[", "{a: ", "- ", "[a: "] {
            assert_eq!(yaml_error(unit.repeat(10_000)).kind, DocumentErrorKind::TooDeep, "{unit:?}");
        }
        assert_eq!(yaml_error(format!("{}{}", "[".repeat(100), "]".repeat(100))).kind, DocumentErrorKind::TooDeep);
    }

    #[test]
    fn ends_on_a_mebibyte_of_anything() {
        for unit in [
            "[", "{", "- ", "? ", "a: ", "a:\n", "&a ", "*a ", "!!str ", "\"", "'", "\t", "\n", ":", "|\n", "---\n",
            "#",
        ] {
            for start in ["", "["] {
                let text = format!("{start}{}", unit.repeat((1 << 20) / unit.len()));
                drop(Document::from_yaml(text.as_bytes(), Limits::default()));
                drop(Document::from_json(text.as_bytes(), Limits::default()));
            }
        }
    }
}

mod yaml_writer {
    use super::*;

    fn written(text: &str) -> String {
        to_yaml(&Json::parse(text).unwrap())
    }

    #[test]
    fn writes_blocks_of_two_spaces_in_order() {
        let text = r#"{"z":{"b":[1,{"c":"x","d":[]},[2,[3]]],"a":{}},"e":null,"n":1E5}"#;
        let expected =
            "z:\n  b:\n    - 1\n    - c: x\n      d: []\n    - - 2\n      - - 3\n  a: {}\ne: null\n\"n\": 1E5\n";
        assert_eq!(written(text), expected);
        assert_eq!((written("[]"), written("{}"), written("\"a\"")), ("[]\n".into(), "{}\n".into(), "a\n".into()));
    }

    #[test]
    fn quotes_whatever_a_reader_could_take_for_something_else() {
        let texts = [
            "",
            "1",
            "1.10",
            "010",
            "0x1F",
            "0o7",
            "1_000",
            "190:20:30",
            ".inf",
            "-.INF",
            ".nan",
            "1e5",
            "+1",
            "yes",
            "No",
            "ON",
            "off",
            "y",
            "N",
            "TRUE",
            "False",
            "null",
            "NULL",
            "~",
            "2024-01-31",
            "2024-01-31T00:00:00Z",
            " a",
            "a ",
            "- a",
            "? a",
            "a: b",
            "a #b",
            "#a",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "`a",
            "'a'",
            "\"a\"",
            "[a]",
            "{a}",
            "a, b",
            "<<",
            "=",
            "a\nb",
            "a\tb",
            "\u{7f}",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "---",
            "...",
            "ä",
            "${input.a}",
        ];
        for text in texts {
            let value = Json::Text(text.to_owned());
            let yaml_text = to_yaml(&value);
            assert!(yaml_text.starts_with('"') && yaml_text.ends_with("\"\n"), "{text:?} {yaml_text:?}");
            assert_eq!(yaml(&yaml_text).root.to_json(), value);
        }
        for text in ["a", "server", "v1.10", "eu-west_1", "a/b.c", "nothing"] {
            assert_eq!(to_yaml(&Json::Text(text.to_owned())), format!("{text}\n"));
        }
    }

    #[test]
    fn writes_keys_too_long_for_one_line_with_a_question_mark() {
        let key = "ä ".repeat(2_000);
        for value in ["1", "[]", "[1,[2]]", r#"{"a":1,"b":[{"c":"d"}]}"#] {
            let value = Json::parse(value).unwrap();
            let object = Json::Object(vec![(key.clone(), value.clone()), ("b".into(), value)]);
            let value = Json::Array(vec![object.clone(), Json::Object(vec![("o".into(), object)])]);
            assert_eq!(yaml(&to_yaml(&value)).root.to_json(), value);
        }
    }
}

/// Any JSON value of a few levels, with texts and keys that are likely to trip a writer.
fn any_json() -> impl Strategy<Value = Json> {
    let text = prop_oneof![
        any::<String>(),
        "[a-z]{0,4}",
        "[-?:,#&*!|>'\"%@`{}\\[\\] a~<=.0-9\\\\]{0,6}",
        "[ \\t\\n\\r\\x00-\\x1f\\u{7f}-\\u{a0}\\u{2028}\\u{feff}\\u{ffff}a]{0,5}",
        "(yes|No|null|true|~|1e5|0x1F|2024-01-31|<<|---|\\.\\.\\.)",
        "[a-z ]{1010,1100}",
    ];
    let number = "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,10})?([eE][-+]?[0-9]{1,4})?";
    let flat = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        number.prop_map(|number| Json::Number(number.into())),
        text.clone().prop_map(Json::Text),
    ];
    flat.prop_recursive(5, 60, 20, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::Array),
            prop::collection::btree_map(text.clone(), inner, 0..20)
                .prop_map(|members| Json::Object(members.into_iter().rev().collect())),
        ]
    })
}

/// Whether serde_json and our reader agree on whether `bytes` are JSON, apart from what they are meant to differ in.
fn agrees_with_serde_json(bytes: &[u8]) -> bool {
    let ours = Document::from_json(bytes, Limits { depth: 120, nodes: usize::MAX });
    match (serde_json::from_slice::<serde_json::Value>(bytes), ours) {
        (Ok(_), Ok(_)) | (Err(_), Err(_)) => true,
        // serde_json wants numbers to fit a machine number; we keep them as they are written.
        (Err(error), Ok(_)) if error.to_string().contains("number out of range") => true,
        // RFC 8259 §8.1 lets a reader ignore the mark; serde_json does not.
        (Err(_), Ok(_)) => bytes.starts_with("\u{FEFF}".as_bytes()),
        // serde_json allows 128 levels.
        (Ok(_), Err(error)) => error.kind == DocumentErrorKind::TooDeep,
    }
}

/// Texts made of pieces of the two notations, most of them broken somewhere.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        ": ",
        "- ",
        "? ",
        "\n",
        "\n  ",
        "\n    ",
        " ",
        "\t",
        "\r\n",
        "a",
        "b",
        "1",
        "-1.5e3",
        "\"",
        "\"a\"",
        "'",
        "'x'",
        "&a ",
        "*a",
        " *a ",
        "!!str ",
        "!x ",
        "! ",
        "|\n",
        ">-\n",
        "|2+\n",
        "#",
        " # c\n",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "%TAG ! x\n",
        "<<",
        "~",
        "null",
        "true",
        "\\",
        "\\u12",
        "\\ud800",
        "\u{FEFF}",
        "ä",
        "😀",
        "\0",
        "\u{85}",
        "key: value\n",
        "- item\n",
        "\"k\":1,",
        "[[",
        "]]",
        "{a: ",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_text_reads_back_as_the_same_value(value in any_json()) {
        prop_assert_eq!(Json::parse(&value.to_string()).unwrap(), value);
    }

    #[test]
    fn yaml_text_reads_back_as_the_same_value(value in any_json()) {
        let text = to_yaml(&value);
        prop_assert!(text.ends_with('\n'));
        let document = Document::from_yaml(text.as_bytes(), Limits::default());
        prop_assert_eq!(document.map(|document| document.root.to_json()), Ok(value), "{}", text);
    }

    #[test]
    fn validity_agrees_with_serde_json(
        value in any_json(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        edit in 0..4,
    ) {
        let mut bytes = value.to_string().into_bytes();
        prop_assert!(agrees_with_serde_json(&bytes));
        let place = place.index(bytes.len());
        match edit {
            0 => bytes[place] = byte,
            1 => bytes.insert(place, b"[]{},:\"\\ \n-.e0u"[usize::from(byte) % 15]),
            2 => drop(bytes.remove(place)),
            _ => bytes.truncate(place),
        }
        prop_assert!(agrees_with_serde_json(&bytes), "{}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in any::<Vec<u8>>(), text in pieces()) {
        for bytes in [&bytes, text.as_bytes()] {
            drop(Document::from_yaml(bytes, Limits::default()));
            prop_assert!(agrees_with_serde_json(bytes));
        }
    }
}
