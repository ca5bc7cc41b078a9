//! The small host as a runner of the corpus: a VM for each policy, and an app played behind it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use anyhow::{Result, bail};
use vigile_policy::Host as Abilities;
use vigile_tests::conversation::Ready;
use vigile_tests::core::{apps_answer, as_envoy_would, peer};
use vigile_tests::outcome::{self, Outcome, Received};
use vigile_tests::policies::Policy;

use crate::host::{Compiled, Headers, Host, Reply, Stream, Trapped, trapped};
use crate::ways::Ways;

/// Every policy, as far as the host can honour it.
pub struct Corpus(BTreeMap<String, Mutex<Host>>);

impl Corpus {
    pub fn start(
        module: &Compiled,
        ways: &Ways,
        policies: &BTreeMap<String, Policy>,
        environment: &BTreeMap<String, String>,
    ) -> Self {
        let start = |(name, policy): (&String, &Policy)| {
            let honoured = policy.honoured_by(Abilities::PROXY_WASM, environment).unwrap();
            let text = honoured.to_string();
            let host = Host::start(module, ways.clone(), text.as_bytes(), environment);
            let host = host.unwrap_or_else(|trapped| panic!("{name}: {trapped:?}"));
            (name.clone(), Mutex::new(host.unwrap_or_else(|log| panic!("{name}: {log}"))))
        };
        Self(policies.iter().map(start).collect())
    }

    /// Plays a request, and gathers what came of it from the answer, the app and the log.
    pub fn send(&self, policy: &str, ready: &Ready) -> Outcome {
        let mut host = self.0[policy].lock().unwrap();
        host.exchange(ready).unwrap_or_else(|trapped| panic!("{}: {}", ready.id, trapped.0))
    }
}

/// What a callback gives for "go no further".
const PAUSE: u32 = 1;

impl Host {
    /// A request from its head to the end of its stream.
    pub fn exchange(&mut self, ready: &Ready) -> Result<Outcome, Trapped> {
        self.play(ready).map_err(trapped)
    }

    fn play(&mut self, ready: &Ready) -> Result<Outcome> {
        assert!(
            ready.raw.is_none() && !ready.upstream.held && !ready.leaves,
            "{} needs more",
            ready.id
        );
        self.state().log.clear();
        let context = self.begin(ready)?;
        let count = u32::try_from(self.state().stream.request.len())?;
        let has_body = !ready.body.is_empty() || ready.chunked.is_some();
        let ends = u32::from(self.state().ways.tells_of_bodies && !has_body);
        let mut action: u32 = self.call("proxy_on_request_headers", (context, count, ends))?;
        if has_body && action != PAUSE {
            let size = u32::try_from(ready.body.len())?;
            action = self.call("proxy_on_request_body", (context, size, 1_u32))?;
        }
        let outcome = match (self.state().stream.reply.clone(), action) {
            (Some(reply), _) => self.replied(context, reply)?,
            (None, PAUSE) => bail!("the request waits for ever"),
            (None, _) => self.forwarded(context, ready)?,
        };
        self.call::<_, u32>("proxy_on_done", context)?;
        self.call::<_, ()>("proxy_on_delete", context)?;
        let log = outcome::line(&self.log(), &ready.id);
        let (reason, verdict) = outcome::told_by(log.as_ref());
        Ok(Outcome { reason, verdict, log, ..outcome })
    }

    /// A new stream with the request in it.
    fn begin(&mut self, ready: &Ready) -> Result<u32> {
        let is_pseudo = |(name, _): &(String, Vec<u8>)| name.starts_with(':');
        let (mut pseudo, mut request): (Headers, Headers) =
            as_envoy_would(ready).into_iter().partition(is_pseudo);
        if let Some(name) = self.state().ways.server_name.clone() {
            request.insert(0, ("Host".into(), ready.host.clone().into_bytes()));
            let authority = pseudo.iter_mut().find(|(name, _)| name == ":authority");
            authority.unwrap().1 = name.into_bytes();
        }
        if !self.state().ways.lower_case {
            request.iter_mut().for_each(|(name, _)| *name = capitals(name));
        }
        let (body, peer) = (ready.body.clone(), Some(peer(ready)));
        self.state().stream = Stream { request, pseudo, body, peer, ..Stream::default() };
        let context = self.next_context();
        self.call::<_, ()>("proxy_on_context_create", (context, Self::ROOT))?;
        Ok(context)
    }

    /// The module's own answer: it passes the module like any other.
    fn replied(&mut self, context: u32, reply: Reply) -> Result<Outcome> {
        let headers = self.answered(context, reply.status, reply.headers)?;
        Ok(Outcome { status: reply.status, headers, body: reply.body, ..Outcome::default() })
    }

    /// The app's answer, and what the app saw.
    fn forwarded(&mut self, context: u32, ready: &Ready) -> Result<Outcome> {
        let stream = &self.state().stream;
        let received = [stream.pseudo.clone(), stream.request.clone()].concat();
        let text = |name: &str| {
            let value = received.iter().find(|(known, _)| known == name).map(|(_, value)| value);
            String::from_utf8_lossy(value.map_or(&[][..], Vec::as_slice)).into_owned()
        };
        let (method, path) = (text(":method"), text(":path"));
        let (status, answer) = apps_answer(ready);
        let headers = self.answered(context, status, answer)?;
        let upstream = Received { method, path, headers: received, body: ready.body.clone() };
        Ok(Outcome { status, headers, upstream: Some(upstream), ..Outcome::default() })
    }

    fn answered(&mut self, context: u32, status: u16, mut headers: Headers) -> Result<Headers> {
        headers.retain(|(name, _)| name != ":status");
        if !self.state().ways.lower_case {
            headers.iter_mut().for_each(|(name, _)| *name = capitals(name));
        }
        let count = u32::try_from(headers.len())?;
        headers.insert(0, (":status".into(), status.to_string().into_bytes()));
        self.state().stream.response = headers;
        self.call::<_, u32>("proxy_on_response_headers", (context, count, 0_u32))?;
        let mut headers = self.state().stream.response.clone();
        headers.retain(|(name, _)| name != ":status");
        headers.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase());
        Ok(headers)
    }
}

/// `x-request-id` as most programs write it.
fn capitals(name: &str) -> String {
    let mut first = true;
    let one = |letter: char| match std::mem::replace(&mut first, letter == '-') {
        true => letter.to_ascii_uppercase(),
        false => letter,
    };
    name.chars().map(one).collect()
}
