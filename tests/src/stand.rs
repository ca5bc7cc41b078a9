//! The platform and the gate of docs/platform.md, face to face: what one mints, the other judges.

use std::collections::BTreeMap;
use std::sync::Arc;

use vigile::{find, policy::Policy, yaml::Yaml};
use vigile_policy::{Draft, Host, Tree};

use crate::conversation::Ready;
use crate::core::Core;
use crate::keys;
use crate::minting::{Kind, Minted, Runtime, Workshop};
use crate::outcome::{Outcome, values};
use crate::policies;
use crate::snippets::{self, Snippet};

/// The module's host and the platform's origin, in the document as in the corpus.
pub const HOST: &str = "stablediffusion.regispailler.fr";
pub const PLATFORM: &str = "https://iahome.fr";

/// The keys that the document's own commands made, and the gates that know them.
pub struct Stand {
    workshop: Arc<Workshop>,
    own: BTreeMap<&'static str, String>,
    /// Keys that no gate knows.
    foreign: BTreeMap<&'static str, String>,
    gates: Vec<(Kind, &'static str, Core)>,
}

impl Stand {
    pub fn new(snippets: &[Snippet], workshop: Arc<Workshop>) -> Self {
        let [foreign, own] = [make_keys(&workshop), make_keys(&workshop)];
        let public = std::fs::read_to_string(workshop.path("iahome.pub")).unwrap();
        let variables: BTreeMap<String, String> = [
            ("IAHOME_JWT_SECRET".to_owned(), own[Kind::Secret.variable()].clone()),
            ("IAHOME_PUBLIC_KEY".to_owned(), public.trim().to_owned()),
        ]
        .into();
        let printed = tree(snippets::text(snippets, "policy.yaml"));
        let issuers = tree(snippets::text(snippets, "issuers.yaml"));
        let gate = |tree: Tree| {
            let state = Draft::from(tree).resolve(&variables, Host::ENVOY);
            Core::new(state.unwrap_or_else(|mistakes| panic!("{mistakes:?}")))
        };
        let with_pair = with_issuers(printed.clone(), issuers.get("issuers").unwrap());
        let gates = vec![
            (Kind::Secret, "the document's policy", gate(printed)),
            (Kind::Secret, "the corpus's policy", gate(policies::load("stable-diffusion").tree)),
            (Kind::Pair, "the document's policy", gate(with_pair)),
        ];
        Self { workshop, own, foreign, gates }
    }

    /// A snippet mints, and the core lets in what it should and nothing else.
    pub fn try_out(&self, runtime: Runtime, file: &str, kind: Kind) -> Result<(), String> {
        let mint = |who: [&str; 2], key: Option<&str>| {
            let variables = key.map(|key| (kind.variable().to_owned(), key.to_owned()));
            self.workshop.mint(runtime, file, who, &variables.into_iter().collect())
        };
        let (own, foreign) = (&self.own[kind.variable()], &self.foreign[kind.variable()]);
        let asked = keys::now();
        let good = mint(["user-1", "stablediffusion"], Some(own))?;
        let unlike = mint(["user-1", "ocr"], Some(own))?;
        let forged = mint(["user-1", "stablediffusion"], Some(foreign))?;
        let accented = mint(["Zoé \"d'Été\"", "stablediffusion"], Some(own))?;
        for (_, name, gate) in self.gates.iter().filter(|(fits, _, _)| *fits == kind) {
            opens(gate, &good, asked, name);
            let reason = |minted: &Minted| gate.send(&framed(minted)).reason.unwrap();
            assert_eq!(reason(&unlike), "token.module", "{name}");
            assert_eq!(reason(&forged), "token.signature", "{name}");
            assert_eq!(reason(&accented), "exchange.done", "{name}");
            let told = gate.send(&asset(&accented)).reason.unwrap();
            assert_eq!(told, "claim.unsendable", "{name}: a header carries no accents");
        }
        for bad in [None, Some(""), Some("short")] {
            let minted = mint(["user-1", "stablediffusion"], bad);
            assert!(minted.is_err(), "a token was signed with {bad:?} for a key: {minted:?}");
        }
        Ok(())
    }
}

/// A frame, the app in it, a refresh.
fn opens(gate: &Core, minted: &Minted, asked: i64, name: &str) {
    let exchanged = gate.send(&framed(minted));
    assert_eq!(exchanged.reason.as_deref(), Some("exchange.done"), "{name}");
    assert_eq!(
        (exchanged.status, header(&exchanged, "location").as_str()),
        (303, "/?vigile-opened"),
        "{name}"
    );
    let cookie = header(&exchanged, "set-cookie");
    assert!(cookie.starts_with(&format!("__Host-vigile-p={};", minted.token)), "{name}: {cookie}");
    let age: i64 = cookie.rsplit_once("Max-Age=").unwrap().1.parse().unwrap();
    assert_eq!(minted.expires_in, 900, "{name}");
    let passed = keys::now() - asked;
    let left = age - 24 * 60 * 60; // the cookie outlives its token by a day
    assert!((900 - passed..=900).contains(&left), "{name}: {left} s are left after {passed} s");

    let allowed = gate.send(&asset(minted));
    assert_eq!(allowed.reason.as_deref(), Some("allowed.token"), "{name}");
    let seen = allowed.upstream.expect("the app was asked").headers;
    assert_eq!(values(&seen, "x-user-id").as_deref(), Some("user-1"), "{name}");
    assert_eq!(values(&seen, "cookie"), None, "{name}");

    let path = format!("/.vigile/refresh?token={}", minted.token);
    let refreshed =
        gate.send(&request(&path, ["empty", "cors", "cross-site"], ("origin", PLATFORM)));
    assert_eq!(refreshed.reason.as_deref(), Some("refresh.done"), "{name}");
    assert_eq!(header(&refreshed, "access-control-allow-origin"), PLATFORM, "{name}");
}

fn header(outcome: &Outcome, name: &str) -> String {
    values(&outcome.headers, name).unwrap_or_default()
}

fn framed(minted: &Minted) -> Ready {
    let path = format!("/?token={}", minted.token);
    request(&path, ["iframe", "navigate", "cross-site"], ("accept", "text/html"))
}

fn asset(minted: &Minted) -> Ready {
    let cookie = format!("__Host-vigile-p={}", minted.token);
    request("/theme.css", ["style", "no-cors", "same-origin"], ("cookie", &cookie))
}

/// A request as a browser makes it (W3C Fetch Metadata).
fn request(path: &str, [dest, mode, site]: [&str; 3], header: (&str, &str)) -> Ready {
    let headers =
        [("sec-fetch-dest", dest), ("sec-fetch-mode", mode), ("sec-fetch-site", site), header];
    Ready {
        method: "GET".into(),
        path: path.into(),
        host: HOST.into(),
        scheme: "https".into(),
        from: None,
        headers: headers.map(|(name, value)| (name.to_owned(), value.into())).into(),
        body: Vec::new(),
        chunked: None,
        trailers: false,
        held: false,
        leaves: false,
        raw: None,
        http2: false,
        upstream: Default::default(),
        id: "platform".into(),
    }
}

/// Runs the document's own commands; gives what the platform keeps.
fn make_keys(workshop: &Workshop) -> BTreeMap<&'static str, String> {
    let run = |file: &str| {
        workshop.run("sh".as_ref(), &["-e", file], &BTreeMap::new()).expect("openssl makes keys")
    };
    let secret = run("secret.sh").trim().to_owned();
    run("pair.sh");
    let pair = std::fs::read_to_string(workshop.path("iahome.key")).unwrap();
    [(Kind::Secret.variable(), secret), (Kind::Pair.variable(), pair)].into()
}

fn tree(yaml: &str) -> Tree {
    let yaml =
        Yaml::parse(yaml).unwrap_or_else(|error| panic!("{} {}", error.place, error.problem));
    find::policies(&yaml).first().map_or_else(|| yaml.tree(), Policy::tree)
}

/// The policy with other issuers.
fn with_issuers(policy: Tree, issuers: &Tree) -> Tree {
    let Tree::Map(mut pairs) = policy else { panic!("a policy is a map") };
    for (key, value) in &mut pairs {
        if key == "issuers" {
            *value = issuers.clone();
        }
    }
    Tree::Map(pairs)
}
