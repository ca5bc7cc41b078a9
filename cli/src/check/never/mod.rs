//! Finds what a policy says that can never hold: a pattern where texts are compared, a claim where nobody brings a
//! token, a name that nothing refers to. Each of them is a policy that its author believes to be another one.

mod headers;
mod paths;
mod texts;
mod unused;

use super::Finding;
use crate::config::Config;

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let kinds = [headers::find, paths::find, texts::find, unused::find];
    // What a mistake leads to is not to be told beside it.
    let sound = config.policies.iter();
    let sound = sound.filter(|policy| policy.mistakes(config.proxy.host()).is_empty());
    sound.flat_map(|policy| kinds.map(|find| find(policy)).concat()).collect()
}
