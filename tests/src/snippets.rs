//! The fenced snippets of a document: what is printed is what runs.

/// A fenced block. Its info string is a language, then the file that it would be in: `python mint.py`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    pub language: String,
    pub file: Option<String>,
    pub text: String,
    /// The line of its first fence, from 1.
    pub line: usize,
}

/// Every fenced block of a Markdown document, in its order.
pub fn all(document: &str) -> Vec<Snippet> {
    let mut found = Vec::new();
    let mut open: Option<Snippet> = None;
    for (at, line) in document.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                let mut words = info.split_whitespace().map(str::to_owned);
                let (language, file) = (words.next().unwrap_or_default(), words.next());
                open = Some(Snippet { language, file, text: String::new(), line: at + 1 });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(snippet), None) => {
                snippet.text.push_str(line);
                snippet.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "the fence of line {} is never closed", open.unwrap().line);
    found
}

/// The text of the snippet for this file.
pub fn text<'s>(snippets: &'s [Snippet], file: &str) -> &'s str {
    let mut of_file = snippets.iter().filter(|snippet| snippet.file.as_deref() == Some(file));
    match (of_file.next(), of_file.next()) {
        (Some(snippet), None) => &snippet.text,
        (None, _) => panic!("no snippet is for {file}"),
        (Some(_), Some(second)) => panic!("a second snippet for {file} on line {}", second.line),
    }
}
