//! Envoy's access-log formats: `%COMMAND(ARGUMENTS):LENGTH%` between other text.

/// A command operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command<'f> {
    /// `REQ`
    pub name: &'f str,
    /// What stands in its parentheses; empty where it has none.
    pub arguments: &'f str,
}

/// Every command of a format.
pub fn commands(format: &str) -> impl Iterator<Item = Command<'_>> {
    let mut rest = format;
    std::iter::from_fn(move || {
        loop {
            let (_, behind) = rest.split_once('%')?;
            match command(behind) {
                Some((command, after)) => {
                    rest = after;
                    return Some(command);
                }
                None => rest = behind,
            }
        }
    })
}

/// The command that begins here, and what follows it.
fn command(text: &str) -> Option<(Command<'_>, &str)> {
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let (name, behind) = text.split_at(text.find(|c| !is_name(c))?);
    if name.is_empty() {
        return None;
    }
    let Some(inner) = behind.strip_prefix('(') else {
        return Some((Command { name, arguments: "" }, end(behind)?));
    };
    // Arguments may hold parentheses of their own: the last one is followed by the end.
    let closing = inner.match_indices(')');
    closing.into_iter().find_map(|(at, _)| {
        let (arguments, after) = (inner.get(..at)?, inner.get(at.checked_add(1)?..)?);
        Some((Command { name, arguments }, end(after)?))
    })
}

/// What follows `%`, or `:12%`.
fn end(text: &str) -> Option<&str> {
    match text.strip_prefix(':') {
        None => text.strip_prefix('%'),
        Some(length) => length.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix('%'),
    }
}

#[cfg(test)]
mod tests {
    use super::commands;

    fn read(format: &str) -> Vec<(&str, &str)> {
        commands(format).map(|command| (command.name, command.arguments)).collect()
    }

    #[test]
    fn every_command_is_found() {
        assert_eq!(
            read("100%% %REQ(X-A?:PATH):20% [%PROTOCOL%]%PATH(NQ)%%RESP(A)%"),
            [("REQ", "X-A?:PATH"), ("PROTOCOL", ""), ("PATH", "NQ"), ("RESP", "A")]
        );
        assert_eq!(
            read("%CEL(f(request.headers['a'], '%'))% %DURATION%"),
            [("CEL", "f(request.headers['a'], '%')"), ("DURATION", "")]
        );
    }

    #[test]
    fn other_text_is_none() {
        for text in ["", "%", "%%", "% %", "%a%", "%REQ(", "%REQ(a)", "%REQ(a):x%", "50% REQ(a)%"] {
            assert_eq!(read(text), [], "{text}");
        }
    }
}
