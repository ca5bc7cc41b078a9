//! Lua scripts, as far as their text shows what they do with requests: `headers():replace("x-user", …)`,
//! `respond({[":status"] = "200"}, …)`.

use std::sync::LazyLock;

use ct_codecs::{Base64, Decoder};
use regex::Regex;

use super::{Act, Name, Write};
use crate::config::{Node, Typed};

/// The first argument of a call: a text in quotes, or something else.
static WRITES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#":\s*(add|replace|remove)\s*\(\s*(?:"([^"]*)"|'([^']*)'|[^"'\s)])"#).ok()
});

/// Answers, and what stands in them up to the end of the table of headers.
static ANSWERS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r":\s*respond\s*\(\s*(\{[^}]*\})?").ok());

/// `[":status"] = "403"`
static STATUS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\[\s*["']:status["']\s*\]\s*=\s*["']?([0-9]+)"#).ok());

/// Headers that the scripts of a message write into requests.
pub(super) fn writes<'y>(fields: &Node<'y>) -> Vec<Write<'y>> {
    let scripts = sources(fields).into_iter();
    scripts
        .filter_map(|(node, text)| Some((node, text?)))
        .flat_map(|(node, text)| of_text(&node, &text))
        .collect()
}

fn of_text<'y>(node: &Node<'y>, text: &str) -> Vec<Write<'y>> {
    let part = on_requests(text);
    let calls = WRITES.iter().flat_map(|calls| calls.captures_iter(&part)).map(|call| {
        let name = call.get(2).or_else(|| call.get(3));
        let name = name.map_or(Name::Any, |name| Name::Of(name.as_str().to_ascii_lowercase()));
        let is_taken = call.get(1).is_some_and(|verb| verb.as_str() == "remove");
        Write { node: node.clone(), name, act: if is_taken { Act::Taken } else { Act::Made } }
    });
    calls.collect()
}

/// An answer that a script gives by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Answer {
    /// Refusals, and ways to other places.
    Refusals,
    /// Something else, or what cannot be told.
    Content,
}

/// The scripts of a message that answer requests.
pub(in super::super) fn answers<'y>(typed: &Typed<'y>) -> Vec<(Node<'y>, Answer)> {
    let scripts = sources(&typed.fields).into_iter();
    let found = scripts.filter_map(|(node, text)| {
        let part = on_requests(&text?).into_owned();
        let calls = ANSWERS.iter().flat_map(|calls| calls.captures_iter(&part));
        let answers = calls.map(|call| {
            let headers = call.get(1).map(|headers| headers.as_str()).unwrap_or_default();
            let status = STATUS.as_ref().and_then(|status| status.captures(headers)?.get(1));
            let status = status.and_then(|status| status.as_str().parse().ok());
            let is_refusal = status.is_some_and(|status: u32| status >= 300);
            if is_refusal { Answer::Refusals } else { Answer::Content }
        });
        Some((node, answers.max()?))
    });
    found.collect()
}

/// The scripts of a message; without a text those that stand in files.
pub(in super::super) fn sources<'y>(fields: &Node<'y>) -> Vec<(Node<'y>, Option<String>)> {
    let mut found: Vec<(Node<'y>, Option<String>)> = Vec::new();
    let inline = fields.field("inline_code");
    found.extend(inline.map(|node| (node.clone(), node.text().map(str::to_owned))));
    let named = fields.field("source_codes");
    let named: Vec<Node<'y>> = named.iter().flat_map(Node::entries).map(|(_, node)| node).collect();
    let single =
        ["default_source_code", "source_code"].iter().filter_map(|name| fields.field(name));
    found.extend(single.chain(named).map(|source| {
        let text = source.word("inline_string").map(str::to_owned);
        let decoded = || Base64::decode_to_vec(source.word("inline_bytes")?, None).ok();
        let text = text.or_else(|| String::from_utf8(decoded()?).ok());
        (source, text)
    }));
    found
}

/// A script without its comments and without what it does to answers.
fn on_requests(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains("envoy_on_request") {
        return "".into();
    }
    let code: String = text
        .lines()
        .map(|line| line.split_once("--").map_or(line, |(code, _)| code))
        .flat_map(|line| [line, "\n"])
        .collect();
    match code.split_once("function envoy_on_response") {
        None => code.into(),
        Some((before, behind)) => {
            let next = behind.find("\nfunction ").or_else(|| behind.find("\nlocal function "));
            let next = next.and_then(|at| behind.get(at..)).unwrap_or_default();
            format!("{before}{next}").into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Act, Answer, Name, answers, writes};
    use crate::config::{Node, Typed};
    use crate::yaml::{Style, Value, Yaml};

    fn script(text: &str) -> Yaml {
        let place = crate::yaml::Place::START;
        let text =
            Yaml { place, value: Value::Scalar { text: text.to_owned(), style: Style::Quoted } };
        let key = crate::yaml::Key { place, text: "inline_code".to_owned() };
        Yaml { place, value: Value::Map(vec![(key, text)]) }
    }

    fn written(text: &str) -> Vec<(String, Act)> {
        let yaml = script(&format!("function envoy_on_request(handle)\n{text}\nend"));
        let name = |name| if let Name::Of(name) = name { name } else { "*".to_owned() };
        let found = writes(&Node::root(&yaml)).into_iter();
        found.map(|write| (name(write.name), write.act)).collect()
    }

    fn answered(text: &str) -> Option<Answer> {
        let yaml = script(&format!("function envoy_on_request(handle)\n{text}\nend"));
        let typed = Typed { name: "lua", fields: Node::root(&yaml) };
        answers(&typed).first().map(|(_, answer)| *answer)
    }

    #[test]
    fn the_headers_that_a_script_writes_are_told() {
        for (text, name, act) in [
            ("handle:headers():replace(\"X-User-Id\", who)", "x-user-id", Act::Made),
            ("handle:headers() : add( 'x-user-id', '1')", "x-user-id", Act::Made),
            ("local h = handle:headers(); h:remove(':path')", ":path", Act::Taken),
            ("h:add(name, value)", "*", Act::Made),
        ] {
            assert_eq!(written(text), [(name.to_owned(), act)], "{text}");
        }
        for text in ["handle:headers():get('x-user-id')", "-- h:add('x', 'y')", "h:add()"] {
            assert_eq!(written(text), [], "{text}");
        }
        let both =
            "local x = 1\nend\nfunction envoy_on_response(handle)\nhandle:headers():add('x', 'y')";
        assert_eq!(written(both), []);
    }

    #[test]
    fn answers_are_refusals_where_their_status_says_so() {
        for (text, answer) in [
            ("handle:respond({[\":status\"] = \"403\"}, 'no')", Some(Answer::Refusals)),
            ("handle:respond({[':status'] = 302, ['location'] = '/'}, '')", Some(Answer::Refusals)),
            ("handle:respond({[':status'] = '200'}, 'yes')", Some(Answer::Content)),
            ("handle:respond(headers, body)", Some(Answer::Content)),
            ("handle:respond({[':status'] = '403'}, '')\nhandle:respond(h)", Some(Answer::Content)),
            ("handle:logInfo('respond')", None),
        ] {
            assert_eq!(answered(text), answer, "{text}");
        }
    }
}
