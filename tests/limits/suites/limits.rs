//! Limits across nodes: two Envoys with the sample `envoy/shared-limits` share one quota by a rate-limit
//! service on Redis.

mod limits {
    pub(crate) mod away;
    pub(crate) mod files;
    pub(crate) mod shared;
    pub(crate) mod spelling;
    pub(crate) mod stage;
    pub(crate) mod strangers;
    pub(crate) mod told;
}

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Trial};
use limits::{away, files, shared, spelling, strangers, told};
use vigile_limits_tests::redis_server::RedisServer;
use vigile_tests::tools;

/// A test that needs everything.
type Case = (&'static str, fn(&Path));

const CASES: [Case; 16] = [
    ("shared/five logins a minute and address", shared::logins),
    ("shared/three registrations an hour and address", shared::registrations),
    ("shared/twenty chats a minute and caller", shared::chats),
    ("shared/ten tools a minute and ten analyses a day", shared::tools_and_analyses),
    ("shared/callers without a name", shared::nameless),
    ("shared/requests at once", shared::at_once),
    ("spelling/no other spelling slips past a limit", spelling::no_bypass),
    ("spelling/nobody names another limit or caller", spelling::no_forgery),
    ("strangers/10,000 addresses do not open a sixth", strangers::ten_thousand),
    ("strangers/an IPv6 network is one caller", strangers::one_network),
    ("told/headers and JSON, from headers of the service", told::by_headers),
    ("told/headers and JSON, from statuses of the service", told::by_statuses),
    ("away/the service is killed and comes back", away::service),
    ("away/Redis is restarted", away::redis_restarts),
    ("away/Redis hangs", away::redis_hangs),
    ("away/the other way round", away::turned_round),
];

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = vec![
        Trial::test("files/both services get the same limits", || {
            files::say_the_same();
            Ok(())
        }),
        Trial::test("files/the limits of the documents", || {
            files::are_the_documents();
            Ok(())
        }),
    ];
    trials.extend(CASES.map(|(name, case)| match needed() {
        Ok(redis) => Trial::test(name, move || {
            case(&redis);
            Ok(())
        }),
        Err(missing) => tools::skipped(name, missing),
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

fn needed() -> Result<PathBuf, String> {
    tools::envoys()?;
    RedisServer::program()
}
