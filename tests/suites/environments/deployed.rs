//! One sample in two environments, side by side: other names, ports, files, apps and secrets.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use libtest_mimic::Failed;
use tokio::runtime::Runtime;
use vigile::sample::example;
use vigile_tests::app::App;
use vigile_tests::case::Recipe;
use vigile_tests::envoy::{self, Envoy, free_port};
use vigile_tests::gate::same;
use vigile_tests::keys::RING;
use vigile_tests::recorder::Recorder;

use crate::{Values, render};

/// What is one deployment's own.
struct Site {
    host: &'static str,
    platform: &'static str,
    module: &'static str,
    /// Where Envoy listens.
    address: &'static str,
    /// The port that browsers ask for, which something in front leads to the one where Envoy listens.
    public: u16,
    /// The key of the ring with which its platform signs.
    key: &'static str,
}

const SITES: [Site; 2] = [
    Site {
        host: "sd.example.org",
        platform: "https://example.org",
        module: "stablediffusion",
        address: "127.0.0.1",
        public: 443,
        key: "iahome",
    },
    Site {
        host: "images.example.com",
        platform: "https://portal.example.com",
        module: "images",
        address: "127.0.0.2",
        public: 9443,
        key: "partner",
    },
];

/// A deployment that runs.
struct Running {
    site: &'static Site,
    envoy: Envoy,
    app: Recorder,
    certificate: std::path::PathBuf,
}

/// Each serves its own names to its own users from its own app, and knows nothing of the other's.
pub(crate) fn side_by_side(curl: &Path) -> Result<(), Failed> {
    let runtime = Runtime::new()?;
    let (_, app) = App::start();
    let [one, other] = &SITES;
    let start = |site| Running::start(site, runtime.block_on(Recorder::start(app)));
    let running = [start(one)?, start(other)?];
    for (own, foreign) in [(&running[0], &running[1]), (&running[1], &running[0])] {
        let host = own.site.host;
        let token = own.site.token(own.site.key, own.site.module);
        let (status, head, body) = own.ask(curl, host, &token)?;
        same(&(status.as_str(), body.as_str()), &("200", "from the app"))?;
        let ancestors = format!("frame-ancestors 'self' {}", own.site.platform);
        same(&head.contains(&ancestors), &true).map_err(|_| format!("{ancestors}: {head}"))?;
        same(&own.redirect(curl)?, &format!("https://{host}:{}/x", own.site.public))?;
        // The other's token as it is, signed by the other for this module, and by this one for the other.
        for (key, module, reason) in [
            (foreign.site.key, foreign.site.module, "token.module"),
            (foreign.site.key, own.site.module, "token.signature"),
            (own.site.key, foreign.site.module, "token.module"),
        ] {
            let (status, head, _) = own.ask(curl, host, &own.site.token(key, module))?;
            let said = head.contains(&format!("vigile-reason: {reason}\r\n"));
            same(&(status == "200", said), &(false, true))
                .map_err(|_| format!("{reason}: {head}"))?;
        }
        let (_, head, _) = own.ask(curl, foreign.site.host, &token)?;
        same(&head.contains("vigile-reason: module.unknown\r\n"), &true).map_err(|_| head)?;
    }
    for Running { site, app, .. } in &running {
        let users: Vec<String> = ["iahome", "partner"]
            .into_iter()
            .filter(|key| !app.heads_of(&user(key)).is_empty())
            .map(str::to_owned)
            .collect();
        same(&users, &vec![site.key.to_owned()])?;
    }
    Ok(())
}

fn user(key: &str) -> String {
    format!("user-of-{key}")
}

impl Site {
    fn token(&self, key: &str, module: &str) -> String {
        RING.mint(&Recipe {
            key: Some(key.into()),
            module: Some(module.into()),
            subject: Some(user(key)),
            ..Recipe::default()
        })
    }

    /// The example with everything changed that an operator changes.
    fn values(&self, folder: &Path, app: SocketAddr) -> Values {
        let mut values = example();
        let own = [
            ("HOST", self.host.to_owned()),
            ("PLATFORM", self.platform.to_owned()),
            ("MODULE", self.module.to_owned()),
            ("UPSTREAM_HOST", app.ip().to_string()),
            ("UPSTREAM_PORT", app.port().to_string()),
            ("LISTEN_ADDRESS", self.address.to_owned()),
            ("HTTPS_PORT", free_port().to_string()),
            ("PUBLIC_HTTPS_PORT", self.public.to_string()),
            ("HTTP_PORT", free_port().to_string()),
            ("ADMIN_PORT", "0".to_owned()),
            ("TLS_FOLDER", folder.display().to_string()),
        ];
        for (name, value) in own {
            let before = values.insert(format!("STABLE_DIFFUSION_{name}"), value);
            assert!(before.is_some(), "the example has {name}");
        }
        let module = folder.join("vigile.wasm").display().to_string();
        values.insert("VIGILE_WASM_FILE".into(), module);
        values
    }
}

impl Running {
    fn start(site: &'static Site, app: Recorder) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        let key = rcgen::KeyPair::generate()?;
        let names = rcgen::CertificateParams::new([site.host.to_owned()])?;
        let certificate = path("fullchain.pem");
        std::fs::write(&certificate, names.self_signed(&key)?.pem())?;
        std::fs::write(path("privkey.pem"), key.serialize_pem())?;
        std::fs::copy(envoy::module(), path("vigile.wasm"))?;
        let values = site.values(folder.path(), app.address());
        let rendered = render("envoy/stable-diffusion/envoy.yaml", &values);
        if !rendered.status.success() {
            return Err(String::from_utf8_lossy(&rendered.stderr).into_owned().into());
        }
        std::fs::write(path("envoy.yaml"), rendered.stdout)?;
        let secret = ("IAHOME_JWT_SECRET".to_owned(), RING.private(site.key).to_owned());
        let envoy = Envoy::start_file(&envoy::newest(), folder, "envoy.yaml", &[secret].into());
        Ok(Self { site, envoy: envoy.map_err(|error| error.0)?, app, certificate })
    }

    fn port(&self, listener: &str) -> u16 {
        self.envoy.listener(listener).port()
    }

    /// A page of the app over TLS, by its own name and certificate; a foreign name is asked for under it.
    fn ask(
        &self,
        curl: &Path,
        host: &str,
        token: &str,
    ) -> Result<(String, String, String), Failed> {
        let Site { host: own, address, .. } = self.site;
        let port = self.port("https");
        let arguments = [
            "--resolve".to_owned(),
            format!("{own}:{port}:{address}"),
            "--cacert".to_owned(),
            self.certificate.display().to_string(),
            "--header".to_owned(),
            format!("Authorization: Bearer {token}"),
            "--header".to_owned(),
            format!("Host: {host}:{port}"),
            format!("https://{own}:{port}/"),
        ];
        let said = run(curl, &arguments)?;
        let (head, body) = said.split_once("\r\n\r\n").ok_or("an answer")?;
        let status = head.split(' ').nth(1).unwrap_or_default().to_owned();
        Ok((status, format!("{head}\r\n"), body.to_owned()))
    }

    /// Where plain http leads.
    fn redirect(&self, curl: &Path) -> Result<String, Failed> {
        let Site { host, address, .. } = self.site;
        let port = self.port("http");
        let arguments = [
            "--resolve".to_owned(),
            format!("{host}:{port}:{address}"),
            format!("http://{host}:{port}/x?token=t"),
        ];
        let said = run(curl, &arguments)?;
        let location = said.lines().find_map(|line| line.strip_prefix("location: "));
        Ok(location.unwrap_or_default().trim().to_owned())
    }
}

fn run(curl: &Path, arguments: &[String]) -> Result<String, Failed> {
    let output = Command::new(curl)
        .args(["--silent", "--show-error", "--include", "--http1.1", "--max-time", "30"])
        .args(arguments)
        .env_clear()
        .output()?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}
