//! What holds of a request that is forwarded, and of a reply.

use std::collections::BTreeSet;

use vigile_policy::{Edit, Reason, Reply};

use super::invariants::{Headers, Held, Said, held};
use super::model::{Model, cookies, decoded, folded, parameters};
use super::places::{all, applied, contains, first, is_cookie, keys, tokens};

impl Said<'_> {
    pub(super) fn forwarded(&self) -> Held {
        let headers = applied(self.request.headers, &self.decision.edits);
        self.clean(&headers)?;
        let Some(model) = self.model else { return Ok(()) };
        self.identities(&headers, model)?;
        if model.keeps {
            return Ok(());
        }
        self.credential_is_gone(&headers, model)
    }

    /// The head is the caller's, but for what no app may see.
    pub(super) fn clean(&self, headers: &Headers) -> Held {
        for name in [":method", ":authority", ":scheme"] {
            let (before, after) = (first(self.request.headers, name), first(headers, name));
            held(before == after, || format!("{name} was changed"))?;
        }
        let before = first(self.request.headers, ":path").unwrap_or_default();
        let after = first(headers, ":path").ok_or("the path is gone")?;
        let bare =
            |path: &[u8]| path.split(|byte| *byte == b'?').next().unwrap_or_default().to_vec();
        held(bare(before) == bare(after), || "the path was changed".into())?;
        for (name, _) in headers.iter().filter(|(name, _)| !name.starts_with(':')) {
            held(!Model::overrides(self.model, name), || format!("{name} was forwarded"))?;
        }
        let Some(model) = self.model.filter(|model| !model.keeps) else { return Ok(()) };
        let theirs =
            all(headers, "cookie").flat_map(cookies).find(|(name, _)| is_cookie(model, name));
        held(theirs.is_none(), || format!("a cookie of ours: {theirs:?}"))?;
        let is_own = |value: &[u8]| {
            let once = decoded(value);
            let twice = decoded(&once);
            let texts = [value, &once, &twice];
            let tokens = &self.world.good_tokens;
            let known = tokens.iter().find(|token| texts.contains(&token.text.as_bytes()));
            known.is_some_and(|token| model.owns(token))
        };
        let token = parameters(after).into_iter().find(|(name, value)| {
            model.query.as_ref().is_some_and(|query| query.as_bytes() == name) && is_own(value)
        });
        held(token.is_none(), || format!("a token in the query: {}", after.escape_ascii()))
    }

    /// Identities are the policy's to write: none where it writes none, and once where it does.
    fn identities(&self, headers: &Headers, model: &Model) -> Held {
        let set: Vec<(&str, &[u8])> = self
            .decision
            .edits
            .iter()
            .filter_map(|edit| match edit {
                Edit::Set(name, value) | Edit::Add(name, value) => {
                    Some((name.as_ref(), value.as_ref()))
                }
                Edit::Remove(_) => None,
            })
            .collect();
        for (name, value) in headers
            .iter()
            .filter(|(name, _)| !name.starts_with(':') && model.identities.contains(&folded(name)))
        {
            held(set.contains(&(name.as_str(), value.as_slice())), || {
                format!("{name}: {} is not the policy's", value.escape_ascii())
            })?;
            held(all(headers, name).count() == 1, || format!("{name} twice"))?;
            held(self.reason() != Reason::AllowedObserved, || {
                format!("{name} for one who would be refused")
            })?;
        }
        Ok(())
    }

    /// The credential that let the request in does not reach the app from where it was read. Copies that a
    /// caller strews over other headers are his own.
    fn credential_is_gone(&self, headers: &Headers, model: &Model) -> Held {
        let good = self.good_in_places();
        let read = |headers: &Headers| match self.reason() {
            Reason::AllowedToken => tokens(headers, model),
            _ => keys(headers, model),
        };
        let is_good = |one: &Vec<u8>| good.iter().any(|good| good.as_bytes() == one);
        let before = read(self.request.headers).into_iter().filter(is_good).count();
        let left: Vec<Vec<u8>> = read(headers).into_iter().filter(is_good).collect();
        let gone = match self.reason() {
            Reason::AllowedToken => good.len() != 1 || left.is_empty(),
            Reason::AllowedApiKey => left.len() < before,
            _ => true,
        };
        held(gone, || format!("the app sees {}", left.concat().escape_ascii()))
    }

    pub(super) fn replied(&self, reply: &Reply) -> Held {
        let mut names = BTreeSet::new();
        for (name, value) in reply.headers() {
            let token = !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            let visible = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
            held(token && visible && !value.is_empty() && value.trim() == value, || {
                format!("{name}: {value:?}")
            })?;
            let ends = self.reason() == Reason::LogoutDone && name == "set-cookie";
            held(names.insert(name) || ends, || format!("{name} twice"))?;
            held(
                !ends || value.contains("=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite="),
                || format!("logged out with {value}"),
            )?;
            if name != "set-cookie" {
                self.tells_no_credential(name, value.as_bytes())?;
            }
        }
        let header =
            |name: &str| reply.headers().find(|(known, _)| *known == name).map(|(_, value)| value);
        if let Some(location) = header("location") {
            let rest = location.strip_prefix('/');
            held(rest.is_some_and(|rest| !rest.starts_with(['/', '\\'])), || {
                format!("location: {location}")
            })?;
        }
        let reason = self.reason();
        held(header("vigile-reason") == Some(reason.code()), || "vigile-reason".into())?;
        held(header("cache-control") == Some("no-store"), || "a reply that may be stored".into())?;
        let cookie = header("set-cookie").filter(|_| reason != Reason::LogoutDone);
        let may_set = matches!(reason, Reason::ExchangeDone | Reason::RefreshDone);
        held(
            cookie.is_none_or(|cookie| {
                may_set && cookie.contains("; Path=/; Secure; HttpOnly; SameSite=")
            }),
            || format!("set-cookie: {cookie:?}"),
        )?;
        if let Some(origin) = header("access-control-allow-origin") {
            let own = |ancestor: &String| ancestor == "self" || ancestor == origin;
            held(self.model.is_some_and(|model| model.ancestors.iter().any(own)), || {
                format!("read by {origin}")
            })?;
        }
        held(!contains(&reply.body, b"x9"), || "the body echoes what was sent".into())?;
        self.tells_no_credential("the body", &reply.body)
    }
}
