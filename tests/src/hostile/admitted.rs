//! What the policy's text asks of a request that goes to the app, at the route that its path as it stands is for.

use std::net::IpAddr;

use serde_json::Value;
use vigile_policy::{Reason, Verdict};

use super::callers::Addresses;
use super::invariants::{Held, Said, held};
use super::known::{Issuer, Key, Token, is_bound};
use super::model::{Model, decoded, matches, parameters, words};
use super::places::{all, all_tokens, first, keys};
use super::routes::Found;

impl Said<'_> {
    pub(super) fn admitted(&self) -> Held {
        let (Some(model), Verdict::Forward { .. }) = (self.model, &self.decision.verdict) else {
            return Ok(());
        };
        let (path, method) = (self.path(), self.method());
        let refreshes = model.refresh.as_ref().is_some_and(|refresh| matches(refresh, path));
        if !path.starts_with(b"/") || refreshes {
            return Ok(());
        }
        let found = Found::of(&model.routes, path);
        self.is_of_one_method(found.as_ref(), &method)?;
        if self.reason() == Reason::AllowedObserved {
            return Ok(());
        }
        let route = found.and_then(|found| found.route(&method));
        let Some(route) = route.map(|route| &route.text) else {
            return Err(format!("no route for {method} {}", path.escape_ascii()));
        };
        let public = route["public"] == true;
        let reason = self.reason();
        held(public == (reason == Reason::AllowedPublic), || format!("{reason} by {route}"))?;
        held(public || self.lets_in(route, model), || format!("{reason} by {route}"))?;
        self.gives_its_reasons(route)?;
        self.ends(route, model)
    }

    fn path(&self) -> &[u8] {
        let path = first(self.request.headers, ":path").unwrap_or_default();
        path.split(|byte| *byte == b'?').next().unwrap_or_default()
    }

    fn method(&self) -> String {
        let method = first(self.request.headers, ":method").unwrap_or_default();
        String::from_utf8_lossy(method).into_owned()
    }

    /// A query names no other method, for which the routes of the path ask for something else.
    fn is_of_one_method(&self, found: Option<&Found<'_>>, method: &str) -> Held {
        let path = first(self.request.headers, ":path").unwrap_or_default();
        for (name, value) in parameters(path) {
            let named = name.eq_ignore_ascii_case(b"_method");
            let value = decoded(&value).to_ascii_uppercase();
            let other = String::from_utf8_lossy(&value).trim().to_owned();
            let differs = found.is_some_and(|found| found.differs(method, &other));
            held(!named || !differs, || format!("{method}, and {other} by the query"))?;
        }
        Ok(())
    }

    /// Whether a route or an alternative of one lets it in.
    fn lets_in(&self, need: &Value, model: &Model) -> bool {
        let token = &need["token"];
        let by_token = token.is_null()
            || token["optional"] == true
            || !self.tokens_for(token, model).is_empty();
        let by_key =
            need["api_key"].is_null() || !self.keys_for(&need["api_key"], model).is_empty();
        let by_address = need["addresses"].is_null()
            || self
                .caller(model)
                .is_some_and(|caller| Addresses::of(&need["addresses"]).takes(caller));
        let ways = need["any_of"].as_array();
        let by_way = ways.is_none_or(|ways| ways.iter().any(|way| self.lets_in(way, model)));
        by_token && by_key && by_address && by_way
    }

    fn caller(&self, model: &Model) -> Option<IpAddr> {
        let forwarded: Vec<&[u8]> = all(self.request.headers, "x-forwarded-for").collect();
        model.vouched.caller(self.hostile.peer, &forwarded.join(&b','))
    }

    /// The tokens presented that a route can take, each with its issuer.
    fn tokens_for<'s>(&'s self, need: &Value, model: &'s Model) -> Vec<(&'s Token, &'s Issuer)> {
        let name = need["issuer"].as_str().unwrap_or_default();
        let Some(issuer) = model.issuers.get(name) else { return Vec::new() };
        let presented = all_tokens(self.request.headers, model);
        let is_there = |token: &&Token| presented.iter().any(|one| one == token.text.as_bytes());
        let roles = words(&need["roles"]);
        let good = self.world.good_tokens.iter().filter(is_there);
        let good = good.filter(|token| {
            issuer.takes(token, &roles, self.hostile.now)
                && is_bound(token, &model.binding, &model.name)
        });
        good.map(|token| (token, issuer)).collect()
    }

    fn keys_for<'s>(&self, asked: &Value, model: &'s Model) -> Vec<&'s Key> {
        let presented = keys(self.request.headers, model);
        let is_there = |key: &&Key| presented.iter().any(|one| one == key.value.as_bytes());
        let keys = model.keys.iter().filter(is_there);
        keys.filter(|key| key.is_named(asked) && key.holds(self.hostile.now)).collect()
    }

    fn gives_its_reasons(&self, route: &Value) -> Held {
        for (name, asked) in route["require_headers"].as_object().into_iter().flatten() {
            let values: Vec<&[u8]> = all(self.request.headers, name).collect();
            let text = values.first().and_then(|value| std::str::from_utf8(value).ok());
            let length = text.map_or(0, |text| text.trim().chars().count()) as f64;
            let least = asked["min_length"].as_f64().unwrap_or(1.0);
            held(values.len() == 1 && (least..=1024.0).contains(&length), || {
                format!("{name} of {length} characters, where {least} are asked for")
            })?;
        }
        Ok(())
    }

    /// A stream ends with what let it in where its route says so, and nowhere else.
    fn ends(&self, route: &Value, model: &Model) -> Held {
        let end = self.decision.end.as_ref().map(|end| end.at().0);
        let ways = route["any_of"].as_array().cloned().unwrap_or_default();
        let needs = || ways.iter().chain([route]);
        let tokens = needs().flat_map(|need| self.tokens_for(&need["token"], model));
        let keys = needs().flat_map(|need| self.keys_for(&need["api_key"], model));
        let ends: Vec<i64> = tokens
            .map(|(token, issuer)| token.ends(issuer.leeway))
            .chain(keys.map(Key::ends))
            .collect();
        let fits = match end {
            Some(end) => route["close_at_exp"] == true && ends.contains(&end),
            None => route["close_at_exp"] != true || ends.is_empty() || ends.contains(&i64::MAX),
        };
        held(fits, || format!("ends at {end:?}, of {ends:?}, by {route}"))
    }
}
