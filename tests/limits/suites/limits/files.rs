//! The sample's files for two services.

use limitador::limit::Limit;

use super::stage;

/// A limit by its name: how many, in how many seconds, and by what it counts apart.
fn told(limits: Vec<Limit>) -> Vec<(String, u64, u64, Vec<String>)> {
    let told = limits.into_iter().map(|limit| {
        assert_eq!(limit.namespace().as_ref(), "orchestrator");
        let name = limit.name().expect("a name").trim_end_matches(", no name").to_owned();
        let variables = limit.variables().into_iter().collect();
        (name, limit.max_value(), limit.seconds(), variables)
    });
    let mut told: Vec<_> = told.collect();
    told.sort();
    told
}

pub(crate) fn say_the_same() {
    assert_eq!(told(stage::limitador()), told(stage::ratelimit()));
}

/// The table of 003_2fa7766864bfebd3.txt, and the 10 a day of 001_d9637b39f961e8b1.txt.
pub(crate) fn are_the_documents() {
    let limits = told(stage::limitador());
    let table = [
        ("login", 5, 60),
        ("register", 3, 3600),
        ("chat", 20, 60),
        ("tools", 10, 60),
        ("analyses", 10, 86400),
    ];
    for (name, requests, seconds) in table {
        let of_name: Vec<_> = limits.iter().filter(|limit| limit.0 == name).collect();
        assert!(!of_name.is_empty(), "no limit is named {name}");
        for limit in of_name {
            assert_eq!((limit.1, limit.2), (requests, seconds), "{limit:?}");
        }
    }
    assert!(limits.iter().all(|limit| table.iter().any(|(name, ..)| limit.0 == *name)));
}
