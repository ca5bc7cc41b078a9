//! Blocks of YAML, found by a line and ended by its indentation.

use super::Unwritten;

/// The text without the block that begins with the line `first`, and without the comments right above
/// it.
pub(super) fn without(text: &str, first: &str) -> Result<String, Unwritten> {
    let lines: Vec<&str> = text.lines().collect();
    let (start, end) = find(&lines, first)?;
    let comment = |line: &&&str| line.trim_start().starts_with('#');
    let above = lines.iter().take(start).rev().take_while(comment).count();
    let kept = lines.iter().take(start.saturating_sub(above)).chain(lines.iter().skip(end));
    Ok(joined(kept.copied()))
}

/// The text with another body, indented to fit, below the line `first`.
pub(super) fn with_body(text: &str, first: &str, body: &str) -> Result<String, Unwritten> {
    let lines: Vec<&str> = text.lines().collect();
    let (start, end) = find(&lines, first)?;
    let inner = lines.get(start).map_or(0, |line| indent(line).saturating_add(2));
    let body: Vec<String> =
        body.lines()
            .map(|line| {
                if line.is_empty() { String::new() } else { format!("{}{line}", " ".repeat(inner)) }
            })
            .collect();
    let head = lines.iter().take(start.saturating_add(1)).copied();
    let tail = lines.iter().skip(end).copied();
    Ok(joined(head.chain(body.iter().map(String::as_str)).chain(tail)))
}

/// The text with one more line behind the line `first`, indented like it.
pub(super) fn with_line(text: &str, first: &str, line: &str) -> Result<String, Unwritten> {
    let lines: Vec<&str> = text.lines().collect();
    let (start, _) = find(&lines, first)?;
    let new = format!("{}{line}", " ".repeat(lines.get(start).map_or(0, |line| indent(line))));
    let (head, tail) = lines.split_at(start.saturating_add(1));
    Ok(joined(head.iter().copied().chain([new.as_str()]).chain(tail.iter().copied())))
}

/// The text with another line in the place of the line `old`, indented like it.
pub(super) fn replaced(text: &str, old: &str, new: &str) -> Result<String, Unwritten> {
    let lines: Vec<&str> = text.lines().collect();
    let (start, _) = find(&lines, old)?;
    let new = format!("{}{new}", " ".repeat(lines.get(start).map_or(0, |line| indent(line))));
    let (head, tail) = (lines.iter().take(start), lines.iter().skip(start.saturating_add(1)));
    Ok(joined(head.copied().chain([new.as_str()]).chain(tail.copied())))
}

/// From the line `first` to the next one that is not indented further.
fn find(lines: &[&str], first: &str) -> Result<(usize, usize), Unwritten> {
    let start = lines
        .iter()
        .position(|line| line.trim() == first)
        .ok_or(Unwritten::NotFound(first.to_owned()))?;
    let outer = lines.get(start).map_or(0, |line| indent(line));
    let inside = |line: &&&str| line.trim().is_empty() || indent(line) > outer;
    let length = lines.iter().skip(start.saturating_add(1)).take_while(inside).count();
    Ok((start, start.saturating_add(length).saturating_add(1)))
}

fn indent(line: &str) -> usize {
    line.chars().take_while(|c| *c == ' ').count()
}

fn joined<'l>(lines: impl Iterator<Item = &'l str>) -> String {
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::{replaced, with_body, with_line, without};

    const TEXT: &str = "a:\n  # about b\n  - b: 1\n    c: 2\n  - d: 3\ne: 4\n";

    #[test]
    fn a_block_ends_with_its_indentation() {
        assert_eq!(without(TEXT, "- b: 1").unwrap(), "a:\n  - d: 3\ne: 4\n");
        assert_eq!(without(TEXT, "a:").unwrap(), "e: 4\n");
        assert_eq!(with_body(TEXT, "a:", "x: 1\n\ny: 2").unwrap(), "a:\n  x: 1\n\n  y: 2\ne: 4\n");
        assert_eq!(
            with_line(TEXT, "c: 2", "x: 0").unwrap(),
            TEXT.replace("c: 2", "c: 2\n    x: 0")
        );
        assert_eq!(replaced(TEXT, "c: 2", "x: 0").unwrap(), TEXT.replace("c: 2", "x: 0"));
        assert!(without(TEXT, "nothing").is_err());
    }
}
