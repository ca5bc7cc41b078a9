//! The request that is asked about, as Envoy would hand it over.

use std::net::{IpAddr, SocketAddr};

use clap::builder::PossibleValuesParser;
use vigile_policy::{Request, Rest, ascii_host};

use super::{Problem, browser};
use crate::policy::{Environment, Policy};

/// What the request is.
#[derive(clap::Args)]
pub(super) struct Described {
    /// The address; a mere path is for the first host of the policy, over https
    #[arg(long, value_name = "URL")]
    get: String,

    /// The method
    #[arg(long, default_value = "GET")]
    method: String,

    /// A header; several are given one by one. Host takes the place of the host in the address
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,

    /// The address of the caller. With port 0: one that Envoy took from X-Forwarded-For
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", value_parser = address)]
    from: SocketAddr,

    /// What a browser would say of it (Sec-Fetch-Dest, -Mode and -Site): iframe, document, empty, …
    #[arg(long, value_name = "DEST", value_parser = PossibleValuesParser::new(browser::DESTINATIONS), hide_possible_values = true)]
    dest: Option<String>,

    /// The body, as JSON where no header says otherwise; @FILE reads it
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
}

/// A port that a connection may have.
const SOME_PORT: u16 = 50_000;

fn address(text: &str) -> Result<SocketAddr, String> {
    let alone = || text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, SOME_PORT));
    text.parse()
        .ok()
        .or_else(alone)
        .ok_or_else(|| "expected an address, as 192.0.2.9 or [2001:db8::1]:443".to_owned())
}

/// Not clap's to parse: it repeats what is wrong, and that may be a token.
fn header(text: &str) -> Result<(String, String), Problem> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    match text.split_once(':') {
        Some((name, value)) if !name.is_empty() && name.chars().all(token) => {
            Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
        }
        Some(("", _)) => Err(Problem::Usage(
            "--header: the method, the host and the path come from --method and --get".to_owned(),
        )),
        _ => Err(Problem::Usage(
            "--header: expected NAME: VALUE, such as \"Accept: text/html\"".to_owned(),
        )),
    }
}

/// A request, ready to be decided upon.
pub(super) struct Asked {
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) from: SocketAddr,
    body: Vec<u8>,
}

impl Asked {
    pub(super) fn read(
        arguments: &Described,
        policy: &Policy<'_>,
        environment: &Environment,
    ) -> Result<Self, Problem> {
        let Target { scheme, authority, path } = target(&arguments.get)?;
        let mut header: Vec<(String, String)> =
            arguments.header.iter().map(|text| header(text)).collect::<Result<_, _>>()?;
        let authority = hosts(&mut header)?.or(authority);
        let authority = authority.unwrap_or_else(|| first_host(policy, environment));
        let authority = as_browsers_send_it(authority);
        let given = |name: &str| header.iter().any(|(known, _)| known == name);
        let said = browser::says(arguments.dest.as_deref());
        let mut headers = vec![
            (":method".to_owned(), arguments.method.clone()),
            (":authority".to_owned(), authority),
            (":path".to_owned(), path),
            (":scheme".to_owned(), scheme.clone()),
        ];
        let proto = ("x-forwarded-proto".to_owned(), scheme);
        headers.extend(std::iter::once(proto).filter(|(name, _)| !given(name)));
        headers.extend(said.into_iter().filter(|(name, _)| !given(name)));
        headers.extend(header.iter().cloned());
        let body = arguments.data.as_deref().map(data).transpose()?.unwrap_or_default();
        if !body.is_empty() {
            let said = [
                ("content-type", "application/json".to_owned()),
                ("content-length", body.len().to_string()),
            ];
            let said = said.into_iter().filter(|(name, _)| !given(name));
            headers.extend(said.map(|(name, value)| (name.to_owned(), value)));
        }
        let headers = headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
        Ok(Self { headers, from: arguments.from, body })
    }

    pub(super) fn request(&self) -> Request<'_> {
        let end_of_stream = self.body.is_empty();
        Request { headers: &self.headers, peer: Some(self.from), end_of_stream }
    }

    /// The body, and a place for the request: nothing else of the caller's is under way.
    pub(super) fn rest(&self) -> Rest<'_> {
        Rest { body: &self.body, ..Rest::NONE }
    }

    /// The only value of a header, or the first one.
    pub(super) fn value(&self, name: &str) -> String {
        let value = self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        value.map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
    }
}

/// Takes the Host header out: Envoy hands it over as `:authority`.
fn hosts(headers: &mut Vec<(String, String)>) -> Result<Option<String>, Problem> {
    let (hosts, others) = headers.drain(..).partition::<Vec<_>, _>(|(name, _)| name == "host");
    *headers = others;
    match hosts.len() {
        0 | 1 => Ok(hosts.into_iter().next().map(|(_, host)| host)),
        _ => Err(Problem::Usage(
            "--header: Host is given twice, and Envoy refuses such a request before Vigile sees it"
                .to_owned(),
        )),
    }
}

/// The host in ASCII, where it has other letters; with its port.
fn as_browsers_send_it(authority: String) -> String {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, format!(":{port}")),
        None => (authority.as_str(), String::new()),
    };
    match ascii_host(host) {
        Some(host) => host + &port,
        None => authority,
    }
}

fn data(given: &str) -> Result<Vec<u8>, Problem> {
    match given.strip_prefix('@') {
        Some(file) => crate::command::contents(file)
            .map_err(|error| Problem::Failed(format!("{file}: {error}"))),
        None => Ok(given.as_bytes().to_vec()),
    }
}

struct Target {
    scheme: String,
    authority: Option<String>,
    path: String,
}

/// Takes an address apart and changes nothing: `..` and escapes are what is asked about.
fn target(url: &str) -> Result<Target, Problem> {
    let url = url.split('#').next().unwrap_or_default();
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None if url.starts_with('/') => ("https".to_owned(), url),
        None => (String::new(), ""),
    };
    if scheme != "https" && scheme != "http" {
        return Err(Problem::Usage(
            "--get takes an address with https:// or http:// before it, or a path that begins with /".into(),
        ));
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let authority = (!authority.is_empty()).then(|| authority.to_owned());
    Ok(Target { scheme, authority, path })
}

/// The first host that the policy names, some name below a `*.`, or localhost.
fn first_host(policy: &Policy<'_>, environment: &Environment) -> String {
    let modules = policy.modules();
    let hosts = modules.iter().find_map(|module| module.get("hosts"));
    let listed = hosts.as_ref().and_then(|hosts| hosts.items().next()?.text().map(str::to_owned));
    let variable = hosts.as_ref().and_then(|hosts| hosts.get("env")?.text());
    let value = variable.and_then(|name| environment.get(name));
    let first = value.and_then(|value| value.split(',').next()).map(|host| host.trim().to_owned());
    listed.or(first).map_or("localhost".to_owned(), |host| host.replace('*', "any"))
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn an_address_is_taken_apart_and_not_changed() {
        let parts = |url: &str| {
            target(url)
                .map(|target| (target.scheme, target.authority.unwrap_or_default(), target.path))
                .ok()
        };
        let is = |scheme: &str, authority: &str, path: &str| {
            Some((scheme.to_owned(), authority.to_owned(), path.to_owned()))
        };
        assert_eq!(parts("https://a:8443/x/../%2e?b=/#c"), is("https", "a:8443", "/x/../%2e?b=/"));
        assert_eq!(parts("HTTP://a"), is("http", "a", "/"));
        assert_eq!(parts("https://a?b"), is("https", "a", "/?b"));
        assert_eq!(parts("//evil.example/x"), is("https", "", "//evil.example/x"));
        assert_eq!(parts("/a://b"), None);
        assert_eq!(parts("ftp://a/"), None);
        assert_eq!(parts("a/b"), None);
    }
}
