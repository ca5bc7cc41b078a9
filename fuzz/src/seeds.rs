//! Where a fuzzer begins: what the corpus has already.

use std::collections::BTreeSet;

use serde_json::json;
use vigile_tests::keys::now;
use vigile_tests::{bad, hostile};

/// What `target` begins with.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "requests" => (0..=u8::MAX).map(|world| vec![world; 1 + usize::from(world)]).collect(),
        "headers" => headers(),
        "claims" => claims(),
        "bodies" => bodies(),
        "policies" => policies(),
        _ => Vec::new(),
    }
}

/// The words that are worth trying, as libFuzzer reads them.
pub fn dictionary() -> String {
    let words: BTreeSet<&str> = hostile::words().filter(|word| !word.is_empty()).collect();
    words.iter().map(|word| format!("\"{}\"\n", escaped(word))).collect()
}

fn escaped(word: &str) -> String {
    let byte = |byte: u8| match byte {
        b' '..=b'~' if byte != b'"' && byte != b'\\' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    };
    word.bytes().map(byte).collect()
}

/// Good policies, in both forms, and bad ones.
fn policies() -> Vec<Vec<u8>> {
    let good = bad::good().into_iter().map(|(_, tree)| tree);
    let bad = bad::all().into_iter().filter_map(|bad| match bad.document {
        bad::Document::Policy(tree) => Some(tree),
        bad::Document::Bytes(_) => None,
    });
    good.chain(bad)
        .flat_map(|tree| [serde_json::to_vec(&tree).expect("a tree"), bad::as_struct(&tree)])
        .collect()
}

fn headers() -> Vec<Vec<u8>> {
    let lines = [
        ":method=GET\n:scheme=https\n:authority=stablediffusion.regispailler.fr\n:path=/?token={0}\nsec-fetch-dest=iframe\nsec-fetch-mode=navigate",
        ":method=POST\n:scheme=https\n:authority=stablediffusion.regispailler.fr\n:path=/a/../b\ncookie=__Host-vigile={0}\norigin=https://iahome.fr",
        ":method=GET\n:scheme=http\n:authority=ocr.example.org:80\n:path=/v1/%2e%2e//x;y?a=b&token={9}\nauthorization=Bearer {20}\nx-user-id=me",
        ":method=GET\n:scheme=https\n:authority=assistant.example.org\n:path=/ws\nupgrade=websocket\nconnection=upgrade\nsec-websocket-protocol=vigile, {4}",
        ":method=POST\n:scheme=https\n:authority=assistant.example.org\n:path=/chat\nauthorization=Bearer {0}\ncontent-type=application/json\n\n{\"message\":\"hello\"}",
        ":method=POST\n:scheme=https\n:authority=studio.example.org\n:path=/sized\nauthorization=Bearer {0}\ncontent-type=application/json\n\n{\"prompt\":\"a cat\"}",
    ];
    (0..40_u8).flat_map(|world| lines.map(|lines| [&[world], lines.as_bytes()].concat())).collect()
}

fn claims() -> Vec<Vec<u8>> {
    let exp = now() + 100_000;
    let claims = [
        json!({ "moduleName": "stablediffusion", "exp": exp, "sub": "user-1" }),
        json!({ "moduleName": "stablediffusion", "exp": exp, "nbf": 0, "iat": 1, "jti": "a", "roles": ["x"] }),
        json!({ "moduleName": "stablediffusion", "exp": exp, "aud": ["modules"], "iss": "https://iahome.fr" }),
        json!({ "moduleName": "stablediffusion", "exp": exp, "sub": format!("a\n{}", "x".repeat(300)) }),
        json!({ "exp": 1.5e9, "sub": "é\u{1f600}\n", "deep": [[{ "a": null, "b": [true, -0.0] }]] }),
    ];
    claims.iter().map(|claims| claims.to_string().into_bytes()).collect()
}

fn bodies() -> Vec<Vec<u8>> {
    let bodies = [
        json!({ "message": "hello", "user_id": "a-b_1" }),
        json!({ "message": "<script javascript: data:", "user_id": null, "Message": "x" }),
        json!({ "message": "é\u{1f600}\n", "more": [{ "a": 1e300, "b": -0, "c": [null, true] }] }),
    ];
    bodies.iter().map(|body| body.to_string().into_bytes()).collect()
}
