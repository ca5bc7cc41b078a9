//! Every variant of every case of the benchmark answers as it should, in a real Envoy, and the variants do the
//! same: else their costs could not be compared. Nothing is measured here.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use vigile_bench::case::{self, Case, Presented, Variant};
use vigile_bench::latency;
use vigile_bench::policy::CLIENT;
use vigile_bench::stand::{SEEN_AUTHORIZATION, SEEN_USER, Stand, header};
use vigile_bench::tokens::Mint;
use vigile_tests::{envoy, gate, tools};

/// As many tokens of a case as are tried.
const TOKENS: usize = 3;

fn main() {
    let arguments = Arguments::from_args();
    let cases = case::all();
    let trials = match tools::envoys() {
        Ok(_) => trials(&cases),
        Err(missing) => vec![tools::skipped("the cases of the benchmark", missing)],
    };
    libtest_mimic::run(&arguments, trials).exit();
}

fn trials(cases: &[Case]) -> Vec<Trial> {
    let stand =
        Stand::for_looking(&envoy::newest(), cases).unwrap_or_else(|error| panic!("{error}"));
    let stand = Arc::new(stand);
    let mint = Arc::new(Mutex::new(Mint::default()));
    let trial = |case: &Case| {
        let (case, stand, mint) = (case.clone(), stand.clone(), mint.clone());
        let name = case.name.clone();
        Trial::test(name, move || {
            let tokens = mint.lock().unwrap().presented(&case, TOKENS);
            answers(&stand, &case, &tokens)
        })
    };
    let mut trials: Vec<Trial> = cases.iter().map(trial).collect();
    for (name, by_each) in [("flood: expired", TOKENS), ("flood: expired, not logged", 0)] {
        let case =
            cases.iter().find(|case| case.name == name).expect("a case of this name").clone();
        trials.push(Trial::test(format!("{name}: its lines"), move || lines(&case, by_each)));
    }
    let names: Vec<String> = cases.iter().map(|case| case.name.clone()).collect();
    trials.push(Trial::test("latency is measured of cases", move || rows_are_cases(&names)));
    trials
}

fn answers(stand: &Stand, case: &Case, authorizations: &[String]) -> Result<(), Failed> {
    let mut distinct = authorizations.to_vec();
    distinct.sort();
    distinct.dedup();
    gate::same(&distinct.len(), &authorizations.len())?;
    for (number, authorization) in authorizations.iter().enumerate() {
        let user = match case.presented {
            Presented::Tokens(..) => Some(format!("user-{number}")),
            Presented::ApiKey => Some(CLIENT.to_owned()),
            Presented::Nothing => None,
        };
        for variant in case.variants() {
            // Again: of what is remembered the answer is the same.
            for _ in 0..2 {
                let answer = stand.ask(case, variant, authorization)?;
                if variant == Variant::None || answer.status != 200 {
                    continue;
                }
                let seen = (header(&answer, SEEN_USER), header(&answer, SEEN_AUTHORIZATION));
                gate::same(&seen, &(user.clone(), None))
                    .map_err(|problem| format!("{}: {problem}", case.listener(variant)))?;
            }
        }
    }
    Ok(gate::sound(&stand.envoy)?)
}

/// Both write a line per refusal, or neither does.
fn lines(case: &Case, by_each: usize) -> Result<(), Failed> {
    let variants = case.variants();
    let stand = Stand::start_writing_at_once(&envoy::newest(), case, &variants)?;
    let tokens = Mint::default().presented(case, TOKENS);
    for (token, variant) in
        tokens.iter().flat_map(|token| variants.iter().map(move |it| (token, *it)))
    {
        stand.ask(case, variant, token)?;
    }
    let written = |name: &str| {
        let text = std::fs::read_to_string(stand.envoy.folder().join(name)).unwrap_or_default();
        text.lines().filter(|line| line.contains("request.refused")).count()
    };
    // Native's are of both its variants.
    let expected = (by_each, 2 * by_each);
    let deadline = Instant::now() + Duration::from_secs(10);
    while (written("envoy.log"), written("access.log")) != expected && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(gate::same(&(written("envoy.log"), written("access.log")), &expected)?)
}

fn rows_are_cases(names: &[String]) -> Result<(), Failed> {
    let lost = latency::ROWS.iter().find(|(_, case)| !names.iter().any(|name| name == case));
    lost.map_or(Ok(()), |(row, case)| Err(format!("{row}: no case is named {case}").into()))
}
