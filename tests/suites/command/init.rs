//! `vigile init`: what it writes is sound, and what it cannot write soundly it refuses.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use vigile_tests::app::App;
use vigile_tests::sample::Sample;
use vigile_tests::{envoy, tools, wire};

use super::{LONG, file, vigile};

const FRAME: [&str; 8] = [
    "init",
    "stable-diffusion",
    "--host",
    "sd.example.org",
    "--platform",
    "https://example.org",
    "--upstream",
    "192.0.2.7:7861",
];

fn service<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["init", "ocr", "--upstream", "app.internal:8001"], more].concat()
}

#[test]
fn every_config_is_sound_and_says_what_is_left_to_do() {
    let levels = ["1", "2", "3", "4"];
    let services = levels
        .iter()
        .flat_map(|level| [vec!["--level", level], vec!["--level", level, "--observe"]]);
    let quotas = ["gradio", "gradio-3", "automatic1111", "comfyui"];
    let frames = quotas.iter().map(|quota| [FRAME.as_slice(), &["--quota", quota]].concat());
    let any = ["init", "frame"].into_iter().chain(FRAME.into_iter().skip(2)).collect();
    let all = services.map(|more| service(&more)).chain([FRAME.to_vec(), any]).chain(frames);
    for arguments in all {
        let ran = vigile(&arguments, &[]).ends_with(0);
        assert!(ran.stderr.starts_with("Left to do:"), "{ran:?}");
        let (_folder, path) = file("envoy.yaml", &ran.stdout);
        let checked = vigile(&["check", &path], &[]);
        assert_eq!((checked.exit, checked.stdout.as_str()), (0, ""), "{arguments:?}");
    }
}

#[test]
fn a_quota_counts_what_the_app_runs_and_only_where_it_is_asked_for() {
    let without = vigile(&FRAME, &[]).fine();
    for word in ["quota", "ratelimit", "used_up", "x-quota"] {
        assert!(!without.contains(word), "{word}");
    }
    for (quota, counts, passes) in [
        (
            "gradio",
            ["POST /gradio_api/queue/join", "POST /gradio_api/call/generate"],
            ["GET /gradio_api/queue/data", "GET /gradio_api/call/generate/1"],
        ),
        ("gradio-3", ["GET /queue/join", "POST /run/predict"], ["GET /", "GET /info"]),
        (
            "automatic1111",
            ["GET /queue/join", "POST /sdapi/v1/txt2img"],
            ["POST /internal/progress", "POST /run/predict"],
        ),
        ("comfyui", ["POST /prompt", "POST /api/prompt"], ["GET /prompt", "POST /upload/image"]),
    ] {
        let config = vigile(&[FRAME.as_slice(), &["--quota", quota]].concat(), &[]).fine();
        let (_folder, path) = file("envoy.yaml", &config);
        let secret = [("IAHOME_JWT_SECRET", LONG)];
        let mint = "token --alg HS256 --secret-env IAHOME_JWT_SECRET --module stablediffusion --subject alice --expires 5m";
        let token = vigile(&mint.split(' ').collect::<Vec<_>>(), &secret).fine();
        let bearer = format!("Authorization: Bearer {}", token.trim());
        for (requests, counted) in [(counts, true), (passes, false)] {
            for request in requests {
                let (method, target) = request.split_once(' ').unwrap();
                let address = format!("https://sd.example.org{target}");
                let explain =
                    ["explain", "--get", &address, "--method", method, "--header", &bearer, &path];
                let explained = vigile(&explain, &secret).fine();
                let is_counted = explained.contains("x-quota: generation");
                assert_eq!(is_counted, counted, "{quota}, {request}: {explained}");
            }
        }
    }
}

#[test]
fn the_names_given_are_the_only_ones() {
    let config = vigile(&FRAME, &[]).fine();
    for name in ["sd.example.org", "https://example.org", "\"192.0.2.7\", port_value: 7861"] {
        assert!(config.contains(name), "{name}");
    }
    for name in ["regispailler", "iahome.fr", "192.0.2.20", "${"] {
        assert!(!config.contains(name), "{name}");
    }
    let all =
        ["--module", "scan", "--provider", "api.example.com", "--tls", "/tls/", "--wasm", "v.wasm"];
    let config = vigile(&service(&all), &[]).fine();
    for name in ["name: \"scan\"", "api.example.com", "/tls/fullchain.pem", "filename: \"v.wasm\""]
    {
        assert!(config.contains(name), "{name}");
    }
    for name in ["\"ocr\"", "openai.com", "/etc/envoy", "\"127.0.0.1\", port_value: 8000", "${"] {
        assert!(!config.contains(name), "{name}");
    }
}

#[test]
fn levels_differ_in_what_they_ask() {
    let at = |level| vigile(&service(&["--level", level]), &[]).fine();
    for (level, asks, not) in [
        ("1", "public: true", "env: SERVICE_API_KEY"),
        ("2", "env: SERVICE_API_KEY", "env: ALLOWED_IPS"),
        ("3", "env: ALLOWED_IPS", "local_ratelimit"),
        ("4", "local_ratelimit", "mode: observe"),
    ] {
        let config = at(level);
        assert!(config.contains(asks) && !config.contains(not), "level {level}");
    }
    for (level, enforced) in [("3", 0), ("4", 1)] {
        let observing = vigile(&service(&["--level", level, "--observe"]), &[]).fine();
        assert_eq!(observing.matches("mode: observe").count(), 1);
        let unenforced = "filter_enforced: { default_value: { numerator: 0 } }";
        assert_eq!(observing.matches(unenforced).count(), enforced, "level {level}");
    }
}

#[test]
fn names_that_yaml_would_read_otherwise_are_refused() {
    for (flag, value) in [
        ("--host", "sd.example.org }"),
        ("--host", "*.example.org"),
        ("--host", "sd.example.org:443"),
        ("--platform", "https://example.org/path"),
        ("--platform", "example.org"),
        ("--module", "a: b"),
        ("--upstream", "192.0.2.7"),
        ("--upstream", "192.0.2.7:0"),
        ("--upstream", "192.0.2.7:7860 }"),
        ("--upstream", "[::zz]:7860"),
        ("--tls", "/a\nb"),
        ("--wasm", "/a b#"),
    ] {
        let mut arguments = FRAME.to_vec();
        match arguments.iter().position(|known| *known == flag) {
            Some(at) => arguments[at + 1] = value,
            None => arguments.extend([flag, value]),
        }
        let ran = vigile(&arguments, &[]).ends_with(64);
        assert!(ran.stdout.is_empty() && ran.stderr.contains(flag), "{ran:?}");
    }
    vigile(&service(&["--level", "5"]), &[]).ends_with(64);
    let mut own = FRAME.to_vec();
    own[5] = "https://sd.example.org";
    let ran = vigile(&own, &[]);
    assert_ne!((ran.exit, ran.stdout.is_empty()), (0, true), "a config or a reason: {ran:?}");
}

/// Level 4 counts in Envoy, 60 calls a minute; and `localhost` is where apps listen.
#[test]
fn where_it_observes_nobody_is_refused() {
    let Ok(mut binaries) = tools::envoys() else {
        assert!(std::env::var_os("CI").is_none(), "no Envoy");
        return;
    };
    let (_app, at) = App::start();
    let upstream = format!("localhost:{}", at.port());
    let config = vigile(&["init", "ocr", "--observe", "--upstream", &upstream], &[]).fine();
    let folder = tempfile::tempdir().unwrap();
    let environment = ["SERVICE_API_KEY", "OPENAI_API_KEY"].map(|name| (name, LONG));
    let environment = environment.into_iter().chain([("ALLOWED_IPS", "192.0.2.7")]);
    let environment: BTreeMap<String, String> =
        environment.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let sample = placed(&config, folder.path(), at);
    let envoy = sample.start(&binaries.pop().unwrap(), &environment).unwrap();
    let statuses: Vec<u16> = (0..70).map(|_| status(envoy.listener("ocr"))).collect();
    assert_eq!(statuses, [200; 70]);
    let stats = envoy.get("/stats?filter=rate_limited");
    assert!(stats.contains("ocr_limit.http_local_rate_limit.rate_limited: "), "{stats}");
}

/// The config on this machine, its app where it was told.
fn placed(config: &str, folder: &std::path::Path, app: SocketAddr) -> Sample {
    let key = rcgen::KeyPair::generate().unwrap();
    let names = rcgen::CertificateParams::new(["ocr.example.org".to_owned()]).unwrap();
    let certificate = names.self_signed(&key).unwrap().pem();
    let write = |name: &str, text: String| {
        std::fs::write(folder.join(name), text).unwrap();
        folder.join(name)
    };
    let chain = write("chain.pem", certificate);
    Sample::of("init ocr", config.to_owned())
        .file("/etc/envoy/vigile.wasm", &envoy::module())
        .file("/etc/envoy/tls/fullchain.pem", &chain)
        .file("/etc/envoy/tls/privkey.pem", &write("key.pem", key.serialize_pem()))
        .file("/etc/ssl/certs/ca-certificates.crt", &chain)
        .upstream(&format!("127.0.0.1:{}", app.port()), app)
        .upstream("api.openai.com:443", app)
}

/// The status of a call without a key.
fn status(to: SocketAddr) -> u16 {
    let mut stream = TcpStream::connect(to).unwrap();
    let call = "POST /v1/analyze HTTP/1.1\r\nHost: ocr.example.org\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(call.as_bytes()).unwrap();
    wire::read(&mut stream, false).unwrap().status
}
