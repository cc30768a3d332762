//! Why a body was not read: the words of the JSON reader as a finding with field, rule and reason.

use std::fmt::Write as _;

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::http::problem::{Finding, Problem};

/// Characters that are said of a body at most: what it repeats of the body has no bound.
const SAID_MAX: usize = 300;

/// Reads a JSON body whose type says `#[serde(deny_unknown_fields)]`.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if has_nul(bytes) {
        let (zh, en) =
            ("文字中不得有空字符 (\\u0000)", "a text must not contain the character \\u0000");
        return Err(refuse(Finding::new("", "nul-character", zh, en)));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        refuse(finding(pointer, error.inner()))
    })?;
    reader.end().map_err(|error| refuse(finding(String::new(), &error)))?;
    Ok(value)
}

/// PostgreSQL keeps no text with a NUL in it, so nobody may give one.
fn has_nul(bytes: &[u8]) -> bool {
    const ESCAPE: &[u8] = b"u0000";
    let is_escaped = |at: usize| {
        let slashes = bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        slashes % 2 == 1
    };
    let mut places = bytes.windows(ESCAPE.len()).enumerate();
    bytes.contains(&0) || places.any(|(at, window)| window == ESCAPE && is_escaped(at))
}

fn refuse(finding: Finding) -> Problem {
    let place = if finding.pointer.is_empty() { "/" } else { finding.pointer.as_str() };
    let zh = format!("请求内容不符合要求：{place}：{}", finding.message_zh);
    let en = format!("the body is refused: {place}: {}", finding.message_en);
    Problem::malformed(zh, en).finding(finding)
}

/// The place in the body as a JSON pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => write!(pointer, "/{index}").expect("a String takes all"),
            Segment::Map { key } => push(&mut pointer, key),
            // Of an enumeration the body shows only what is inside; beyond the unknown is nothing.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn push(pointer: &mut String, key: &str) {
    let key = key.chars().take(SAID_MAX).collect::<String>().replace('~', "~0").replace('/', "~1");
    if !pointer.ends_with(&format!("/{key}")) {
        write!(pointer, "/{key}").expect("a String takes all");
    }
}

fn finding(pointer: String, error: &serde_json::Error) -> Finding {
    let said = error.to_string().chars().take(SAID_MAX).collect::<String>();
    if !error.is_data() {
        let zh =
            format!("第 {} 行第 {} 列起不是合规的 JSON（{said}）", error.line(), error.column());
        return Finding::new(&pointer, "not-json", &zh, &format!("it is not JSON: {said}"));
    }
    named(pointer, said.rsplit_once(" at line ").map_or(said.as_str(), |(reason, _)| reason))
}

/// A finding at `pointer` of what serde says in `en`.
pub fn named(mut pointer: String, en: &str) -> Finding {
    let (slug, field, zh) = translated(en);
    if let Some(field) = field {
        push(&mut pointer, field);
    }
    Finding::new(&pointer, slug, &zh, en)
}

/// What serde says, as rule, field and Chinese sentence.
fn translated(en: &str) -> (&'static str, Option<&str>, String) {
    let quoted = en.split('`').nth(1);
    let expected = || {
        let names = en.split_once(", ").map_or("", |(_, rest)| rest);
        let names = names.split('`').skip(1).step_by(2).collect::<Vec<_>>();
        if names.is_empty() { "无".to_owned() } else { names.join("、") }
    };
    if en.starts_with("missing field") {
        let name = quoted.unwrap_or_default();
        return ("missing-field", quoted, format!("缺少字段 {name}"));
    }
    if en.starts_with("unknown field") {
        let name = quoted.unwrap_or_default();
        let zh = format!("没有名为 {name} 的字段（可用：{}）", expected());
        return ("unknown-field", quoted, zh);
    }
    if en.starts_with("duplicate field") {
        let name = quoted.unwrap_or_default();
        return ("duplicate-field", quoted, format!("字段 {name} 重复"));
    }
    if en.starts_with("unknown variant") {
        let value = quoted.unwrap_or_default();
        let zh = format!("不能取值 {value}（可取：{}）", expected());
        return ("unknown-value", None, zh);
    }
    if let Some(rest) = en.strip_prefix("invalid type: ") {
        let (given, wanted) = rest.split_once(", expected ").unwrap_or((rest, ""));
        let zh = format!("类型不符：收到{}，应为{}", in_chinese(given), in_chinese(wanted));
        return ("not-of-its-type", None, zh);
    }
    ("not-of-its-type", None, format!("取值不符合要求（{en}）"))
}

/// The kinds of JSON values as serde names them.
fn in_chinese(kind: &str) -> String {
    const KINDS: &[(&str, &str)] = &[
        ("floating point", "小数"),
        ("boolean", "布尔值"),
        ("bool", "布尔值"),
        ("integer", "整数"),
        ("string", "字符串"),
        ("str", "字符串"),
        ("null", "空值"),
        ("unit", "空值"),
        ("sequence", "数组"),
        ("map", "对象"),
        ("struct", "对象"),
        ("u8", "整数"),
        ("u16", "整数"),
        ("u32", "整数"),
        ("u64", "整数"),
        ("i64", "整数"),
        ("f32", "数字"),
        ("f64", "数字"),
    ];
    let bare = kind.trim_start_matches("a ").trim_start_matches("an ");
    let known = KINDS.iter().find(|(word, _)| {
        bare.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    });
    known.map_or_else(|| format!(" {kind}"), |(_, zh)| (*zh).to_owned())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Outer {
        name: String,
        parts: Vec<Part>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Part {
        lat: f64,
        color: Color,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Color {
        Red,
        Blue,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    fn found(text: &str) -> Finding {
        let problem = read::<Outer>(text.as_bytes()).expect_err("refused");
        problem.first_finding().expect("a finding").clone()
    }

    #[test]
    fn each_refusal_names_field_rule_and_reason_in_both_languages() {
        for (body, pointer, slug, zh, en) in [
            (r#"{"parts":[]}"#, "/name", "missing-field", "缺少字段 name", "missing field `name`"),
            (
                r#"{"name":"a","parts":[],"colour":1}"#,
                "/colour",
                "unknown-field",
                "没有名为 colour 的字段（可用：name、parts）",
                "unknown field `colour`, expected `name` or `parts`",
            ),
            (
                r#"{"name":"a","parts":[{"lat":"x","color":"red"}]}"#,
                "/parts/0/lat",
                "not-of-its-type",
                "类型不符：收到字符串，应为数字",
                "invalid type: string \"x\", expected f64",
            ),
            (
                r#"{"name":"a","parts":[{"lat":1,"color":"pink"}]}"#,
                "/parts/0/color",
                "unknown-value",
                "不能取值 pink（可取：red、blue）",
                "unknown variant `pink`, expected `red` or `blue`",
            ),
            (
                r#"{"name":null,"parts":[]}"#,
                "/name",
                "not-of-its-type",
                "类型不符：收到空值，应为字符串",
                "invalid type: null, expected a string",
            ),
        ] {
            let finding = found(body);
            assert_eq!(finding, Finding::new(pointer, slug, zh, en), "{body}");
        }
    }

    #[test]
    fn what_is_no_json_says_where_it_ends_to_be_one() {
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        let deep = format!(r#"{{"name":"a","parts":{deep}}}"#);
        for body in
            ["", "{", "NaN", r#"{"name":NaN}"#, r#"{"name":"a","parts":[]} x"#, "\u{feff}{}"]
        {
            assert_eq!(found(body).slug, "not-json", "{body}");
        }
        let problem = read::<serde_json::Value>(deep.as_bytes()).expect_err("refused");
        assert_eq!(problem.first_finding().map(|it| it.slug.as_str()), Some("not-json"));
    }

    #[test]
    fn a_text_with_a_nul_is_refused_and_one_that_only_looks_like_it_is_not() {
        assert_eq!(found(r#"{"name":"a\u0000","parts":[]}"#).slug, "nul-character");
        assert!(read::<Outer>(br#"{"name":"a\\u0000","parts":[]}"#).is_ok());
    }

    #[test]
    fn an_operation_without_body_names_the_field_that_it_does_not_know() {
        let problem = read::<Nothing>(br#"{"reason":"x"}"#).expect_err("refused");
        let finding = problem.first_finding().expect("a finding");
        assert_eq!((finding.pointer.as_str(), finding.slug.as_str()), ("/reason", "unknown-field"));
        assert!(finding.message_zh.contains("reason"), "{}", finding.message_zh);
    }
}
