//! Hosts in letters outside ASCII: browsers send their ASCII form (RFC 5890 §2.3.2.1), and so a policy holds it.

/// `café.example` as browsers send it: `xn--caf-dma.example`; `None` where nothing needs to change, or where the
/// letters are written in a way that would first have to be normalised (combining marks).
///
/// ```
/// assert_eq!(vigile_policy::ascii_host("Café.example").as_deref(), Some("xn--caf-dma.example"));
/// assert_eq!(vigile_policy::ascii_host("example.org"), None);
/// ```
pub fn ascii_host(name: &str) -> Option<String> {
    let combines = |c: char| matches!(c, '\u{300}'..='\u{36f}');
    if name.is_ascii() || name.contains(combines) {
        return None;
    }
    let label = |label: &str| {
        let lower: String = label.chars().flat_map(char::to_lowercase).collect();
        match lower.is_ascii() {
            true => Some(lower),
            false => idna::punycode::encode_str(&lower).map(|ascii| format!("xn--{ascii}")),
        }
    };
    let labels: Option<Vec<String>> = name.split('.').map(label).collect();
    labels.map(|labels| labels.join("."))
}
