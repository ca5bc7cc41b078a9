//! The Rust snippets of docs/platform.md as a program: `platform-mint SNIPPET SUBJECT MODULE`.

mod mint_pair;
mod mint_secret;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [snippet, subject, module] = &arguments[..] else {
        return Err("platform-mint SNIPPET SUBJECT MODULE".into());
    };
    let printed = match snippet.as_str() {
        "mint_secret" => serde_json::to_string(&mint_secret::mint(subject, module)?)?,
        "mint_pair" => serde_json::to_string(&mint_pair::mint(subject, module)?)?,
        _ => return Err(format!("no snippet is named {snippet}").into()),
    };
    println!("{printed}");
    Ok(())
}
